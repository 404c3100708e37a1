import type { PinnedReplica, RowDifference } from './verify.ts';
import { sourceSelect } from './checksums.ts';
import type { ComparedColumn } from './replica-columns.ts';
import { canonicalRow, digest, replicaTexts, rowText } from './row-text.ts';
import type { SourceReader } from './source-reader.ts';
import type { SourceTable } from './source-columns.ts';

type Values = readonly (string | null)[];

/** The rows of one key on both sides; more than one only without a key, or where a row is there twice. */
interface Candidates {
  readonly source: Values[];
  readonly replica: Values[];
}

export interface DrillDown {
  readonly table: SourceTable;
  readonly columns: readonly ComparedColumn[];
  /** The replica's table, quoted. */
  readonly name: string;
  readonly digits: number;
  readonly buckets: readonly string[];
}

/** Reads the rows of differing buckets from both sides and names each that differs, in the order of their keys' text. */
export async function findDifferences(
  sides: { readonly reader: SourceReader; readonly replica: PinnedReplica },
  { table, columns, name, digits, buckets }: DrillDown,
  signal: AbortSignal,
): Promise<RowDifference[]> {
  const wanted = new Set(buckets);
  const candidates = new Map<string, Candidates>();
  const candidatesOf = (values: Values): Candidates => {
    const key = rowText(values, table.key);
    let found = candidates.get(key);
    if (found === undefined) candidates.set(key, (found = { source: [], replica: [] }));
    return found;
  };
  await sides.reader.stream(sourceSelect(table, columns), (row) => {
    const { values } = canonicalRow(columns, row);
    if (wanted.has(digest(rowText(values, table.key)).slice(0, digits))) candidatesOf(values).source.push(values);
  });
  const { replicaKey } = replicaTexts(columns, table.key);
  const list = buckets.map((bucket) => `'${bucket}'`).join(', ');
  const rows = await sides.replica.query(
    `SELECT ${columns.map(({ replicaSql }) => replicaSql).join(', ')} FROM ${name} WHERE substr(md5(${replicaKey}), 1, ${digits}) IN (${list})`,
    signal,
  );
  for (const values of rows) candidatesOf(values).replica.push(values);
  const differences: RowDifference[] = [];
  for (const { source, replica } of [...candidates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found)) {
    differences.push(...compareCandidates(source, replica, { columns, key: table.key }));
  }
  return differences;
}

interface Shape {
  readonly columns: readonly ComparedColumn[];
  readonly key: readonly number[];
}

function compareCandidates(source: Values[], replica: Values[], shape: Shape): RowDifference[] {
  const left = [...source];
  const right: Values[] = [];
  for (const values of replica) {
    const text = rowText(values, []);
    const match = left.findIndex((other) => rowText(other, []) === text);
    if (match >= 0) left.splice(match, 1);
    else right.push(values);
  }
  const differences: RowDifference[] = [];
  while (left.length > 0 || right.length > 0) {
    const ours = left.shift();
    const theirs = right.shift();
    const some = ours ?? theirs ?? [];
    differences.push({
      kind: ours === undefined ? 'extra' : theirs === undefined ? 'missing' : 'different',
      key: named(some, shape.key.length === 0 ? shape.columns.map((_, position) => position) : shape.key, shape.columns),
      columns:
        ours === undefined || theirs === undefined
          ? []
          : shape.columns.flatMap(({ name }, position) => {
              const a = ours[position] ?? null;
              const b = theirs[position] ?? null;
              return a === b ? [] : [{ name, source: a, replica: b }];
            }),
    });
  }
  return differences;
}

function named(values: Values, positions: readonly number[], columns: readonly ComparedColumn[]): Record<string, string | null> {
  return Object.fromEntries(positions.map((position) => [columns[position]?.name ?? '', values[position] ?? null]));
}
