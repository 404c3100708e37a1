import type { PinnedReplica, RowDifference } from './verify.ts';
import { sourceSelect } from './checksums.ts';
import type { ComparedColumn, HashedTable } from './replica-dialect.ts';
import { canonicalRow, digest, keyText, rowText } from './row-text.ts';
import type { SourceReader } from './source-reader.ts';
import type { SourceTable } from './source-columns.ts';

type Values = readonly (string | null)[];

/** The rows of one key on both sides; more than one only without a key, or where a row is there twice. */
interface Candidates {
  readonly source: Values[];
  readonly replica: Values[];
}

export interface DrillDown extends HashedTable {
  readonly table: SourceTable;
  readonly buckets: readonly string[];
}

export interface Findings {
  /** In the order of their keys' text. */
  readonly differences: readonly RowDifference[];
  /** Rows that are different or equal: nothing tells; and in which columns. */
  readonly unknown: { readonly rows: number; readonly columns: readonly string[] };
}

/** Reads the rows of differing buckets from both sides and names each that differs. */
export async function findDifferences(
  sides: { readonly reader: SourceReader; readonly replica: PinnedReplica },
  { table, buckets, ...hashed }: DrillDown,
  signal: AbortSignal,
): Promise<Findings> {
  const { columns, key, digits } = hashed;
  const wanted = new Set(buckets);
  const candidates = new Map<string, Candidates>();
  const candidatesOf = (values: Values): Candidates => {
    const text = keyText(values, key);
    let found = candidates.get(text);
    if (found === undefined) candidates.set(text, (found = { source: [], replica: [] }));
    return found;
  };
  await sides.reader.stream(sourceSelect(table, columns), (row) => {
    const { values } = canonicalRow(columns, row);
    if (wanted.has(digest(keyText(values, key)).slice(0, digits))) candidatesOf(values).source.push(values);
  });
  const rows = await sides.replica.query(sides.replica.dialect.rowsSql(hashed, buckets), signal);
  for (const values of rows) candidatesOf(values).replica.push(values);
  const differences: RowDifference[] = [];
  const unknownColumns = new Set<string>();
  let unknownRows = 0;
  for (const { source, replica } of [...candidates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found)) {
    const compared = compareCandidates(source, replica, { columns, key: table.key });
    differences.push(...compared.differences);
    unknownRows += compared.unknown.length;
    for (const name of compared.unknown.flat()) unknownColumns.add(name);
  }
  return { differences, unknown: { rows: unknownRows, columns: [...unknownColumns] } };
}

interface Shape {
  readonly columns: readonly ComparedColumn[];
  readonly key: readonly number[];
}

interface Compared {
  readonly differences: readonly RowDifference[];
  /** Of each row of which nothing tells: the columns. */
  readonly unknown: readonly (readonly string[])[];
}

function compareCandidates(source: Values[], replica: Values[], shape: Shape): Compared {
  const left = [...source];
  const right: Values[] = [];
  for (const values of replica) {
    const text = rowText(values);
    const match = left.findIndex((other) => rowText(other) === text);
    if (match >= 0) left.splice(match, 1);
    else right.push(values);
  }
  const unknown: (readonly string[])[] = [];
  const rest = shape.columns.some(({ isSame }) => isSame !== undefined) ? withoutSame(left, right, { shape, unknown }) : right;
  const differences: RowDifference[] = [];
  while (left.length > 0 || rest.length > 0) {
    const ours = left.shift();
    const theirs = rest.shift();
    const some = ours ?? theirs ?? [];
    differences.push({
      kind: ours === undefined ? 'extra' : theirs === undefined ? 'missing' : 'different',
      key: named(some, shape.key.length === 0 ? shape.columns.map((_, position) => position) : shape.key, shape.columns),
      columns: ours === undefined || theirs === undefined ? [] : differing(ours, theirs, shape.columns),
    });
  }
  return { differences, unknown };
}

/** Takes away pairs of rows that are one, then those of which nothing tells. What is left of the replica's. */
function withoutSame(
  left: Values[],
  right: readonly Values[],
  { shape, unknown }: { readonly shape: Shape; readonly unknown: (readonly string[])[] },
): Values[] {
  const pairedWith = (values: Values, accepts: (unsure: readonly string[]) => boolean): boolean => {
    for (const [index, other] of left.entries()) {
      const unsure = unsureColumns(other, values, shape.columns);
      if (unsure === undefined || !accepts(unsure)) continue;
      left.splice(index, 1);
      if (unsure.length > 0) unknown.push(unsure);
      return true;
    }
    return false;
  };
  return right.filter((values) => !pairedWith(values, (unsure) => unsure.length === 0)).filter((values) => !pairedWith(values, () => true));
}

/** Undefined: the rows are two. Else the columns of which nothing tells. */
function unsureColumns(ours: Values, theirs: Values, columns: readonly ComparedColumn[]): readonly string[] | undefined {
  const unsure: string[] = [];
  for (const [position, { name, isSame }] of columns.entries()) {
    const same = isSameValue(ours[position] ?? null, theirs[position] ?? null, isSame);
    if (same === false) return undefined;
    if (same === undefined) unsure.push(name);
  }
  return unsure;
}

function isSameValue(a: string | null, b: string | null, isSame: ComparedColumn['isSame']): boolean | undefined {
  if (a === b) return true;
  return a === null || b === null || isSame === undefined ? false : isSame(a, b);
}

function differing(ours: Values, theirs: Values, columns: readonly ComparedColumn[]): RowDifference['columns'] {
  return columns.flatMap((column, position) => {
    const source = ours[position] ?? null;
    const replica = theirs[position] ?? null;
    if (isSameValue(source, replica, column.isSame) !== false) return [];
    return [{ name: column.name, source: shown(source, column), replica: shown(replica, column) }];
  });
}

function named(values: Values, positions: readonly number[], columns: readonly ComparedColumn[]): Record<string, string | null> {
  const entries = positions.flatMap((position) => {
    const column = columns[position];
    return column === undefined ? [] : [[column.name, shown(values[position] ?? null, column)] as const];
  });
  return Object.fromEntries(entries);
}

function shown(text: string | null, column: ComparedColumn): string | null {
  return text === null ? null : (column.shown?.(text) ?? text);
}
