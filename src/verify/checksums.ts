import type { PinnedReplica } from './verify.ts';
import type { ComparedColumn, HashedTable } from './replica-dialect.ts';
import { canonicalRow, digest, keyText, rowText } from './row-text.ts';
import type { SourceReader } from './source-reader.ts';
import { quoteName } from './source-columns.ts';
import type { SourceTable } from './source-columns.ts';

/** Count and sums over the rows of a bucket; equal for equal multisets of rows, whatever their order. */
interface Checksum {
  rows: number;
  xorHigh: number;
  xorLow: number;
  sum: number;
}

/** Checksums by bucket: the bucket's name is a prefix of the hex digest of the row's key. */
export interface TableChecksums {
  readonly rows: number;
  readonly substitutions: number;
  readonly buckets: ReadonlyMap<string, Checksum>;
}

/** Hex digits of a bucket's name, so that a bucket holds some hundreds of rows. */
export function bucketDigits(rows: number): number {
  if (rows < 1000) return 0;
  if (rows < 50_000) return 1;
  if (rows < 1_000_000) return 2;
  return rows < 50_000_000 ? 3 : 4;
}

export function sourceSelect(table: SourceTable, columns: readonly ComparedColumn[]): string {
  const name = `${quoteName(table.id.database)}.${quoteName(table.id.table)}`;
  const from = table.isVersioned ? `${name} FOR SYSTEM_TIME ALL` : name;
  return `SELECT ${columns.map((column) => column.sourceSql).join(', ')} FROM ${from}`;
}

export async function sourceChecksums(
  reader: SourceReader,
  table: SourceTable,
  { columns, key, digits }: Omit<HashedTable, 'name'>,
): Promise<TableChecksums> {
  const buckets = new Map<string, Checksum>();
  let rows = 0;
  let substitutions = 0;
  const isWhole = key.length === columns.length && key.every((position, index) => position === index);
  await reader.stream(sourceSelect(table, columns), (row) => {
    const canonical = canonicalRow(columns, row);
    rows++;
    substitutions += canonical.substitutions;
    const rowDigest = digest(rowText(canonical.values));
    const keyDigest = isWhole ? rowDigest : digest(keyText(canonical.values, key));
    const name = keyDigest.slice(0, digits);
    let bucket = buckets.get(name);
    if (bucket === undefined) buckets.set(name, (bucket = { rows: 0, xorHigh: 0, xorLow: 0, sum: 0 }));
    bucket.rows++;
    bucket.xorHigh ^= Number.parseInt(rowDigest.slice(0, 8), 16);
    bucket.xorLow ^= Number.parseInt(rowDigest.slice(8, 16), 16);
    bucket.sum = (bucket.sum + Number.parseInt(rowDigest.slice(16, 24), 16)) >>> 0;
  });
  for (const bucket of buckets.values()) {
    bucket.xorHigh >>>= 0;
    bucket.xorLow >>>= 0;
  }
  return { rows, substitutions, buckets };
}

export async function replicaChecksums(replica: PinnedReplica, table: HashedTable, signal: AbortSignal): Promise<TableChecksums> {
  const answer = await replica.query(replica.dialect.checksumsSql(table), signal);
  const buckets = new Map<string, Checksum>();
  let rows = 0;
  for (const [name, count, xorHigh, xorLow, sum] of answer) {
    buckets.set(name ?? '', { rows: Number(count), xorHigh: Number(xorHigh), xorLow: Number(xorLow), sum: Number(sum) });
    rows += Number(count);
  }
  return { rows, substitutions: 0, buckets };
}

/** Names of the buckets that differ, or are on one side only. */
export function differingBuckets(a: TableChecksums, b: TableChecksums): string[] {
  const names = new Set([...a.buckets.keys(), ...b.buckets.keys()]);
  return [...names].filter((name) => {
    const x = a.buckets.get(name);
    const y = b.buckets.get(name);
    return x === undefined || y === undefined || x.rows !== y.rows || x.xorHigh !== y.xorHigh || x.xorLow !== y.xorLow || x.sum !== y.sum;
  });
}
