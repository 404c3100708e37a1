/**
 * A place in a server's binlog: the offset of an event in a file, as `SHOW BINARY LOG STATUS` names it. Positions
 * past 4 GiB are exact here, although event headers hold only their low 32 bits.
 */
export interface BinlogPosition {
  readonly file: string;
  readonly position: number;
}

/**
 * Order of two positions of the same server: negative, 0 or positive; undefined when the files have different base
 * names, since then nothing is known of their order.
 */
export function compareBinlogPositions(a: BinlogPosition, b: BinlogPosition): number | undefined {
  if (a.file === b.file) return a.position - b.position;
  const x = splitFile(a.file);
  const y = splitFile(b.file);
  if (x === undefined || y === undefined || x.base !== y.base) return undefined;
  return x.sequence - y.sequence || a.position - b.position;
}

/** The text `file:position`, for messages and logs. */
export function formatBinlogPosition({ file, position }: BinlogPosition): string {
  return `${file}:${position}`;
}

/** `bin.000042` is file 42 of `bin`; past 999999 the server goes on with seven digits. */
function splitFile(file: string): { base: string; sequence: number } | undefined {
  const dot = file.lastIndexOf('.');
  const digits = file.slice(dot + 1);
  if (dot < 0 || !/^\d+$/.test(digits)) return undefined;
  return { base: file.slice(0, dot), sequence: Number(digits) };
}
