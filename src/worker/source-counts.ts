import { newestCommitMs } from '../connect/commit-group.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import { op } from '../event/change-batch.ts';

/** What a source has written to the log since its thread began, by kind. */
export interface SourceCounts {
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly transactions: number;
  /** Records of sources that are no databases, or whose connector has transformations. */
  readonly records: number;
  /** Age of the newest commit of the last group with any when it was durable in the log; undefined before the first. */
  readonly behindMs: number | undefined;
  /** Statements that changed the definition of a captured table. */
  readonly schemaChanges: number;
  /** When the last of them was durable: milliseconds since the epoch; undefined before the first. */
  readonly lastSchemaChangeMs: number | undefined;
  /** When the last group with changes was durable: milliseconds since the epoch; undefined before the first. */
  readonly lastChangeMs: number | undefined;
}

export const noSourceCounts: SourceCounts = {
  inserts: 0,
  updates: 0,
  deletes: 0,
  transactions: 0,
  records: 0,
  behindMs: undefined,
  schemaChanges: 0,
  lastSchemaChangeMs: undefined,
  lastChangeMs: undefined,
};

/** The counts with another group. One pass over a byte a row: below a thousandth of what a row costs. */
export function countGroup(counts: SourceCounts, group: CommitGroup, nowMs = Date.now()): SourceCounts {
  const byOp = new Uint32Array(8);
  let { records, schemaChanges } = counts;
  for (const entry of group.entries) {
    if (entry.kind === 'records') records += entry.records.length;
    if (entry.kind === 'schema') schemaChanges++;
    if (entry.kind !== 'changes') continue;
    const { ops, count } = entry.batch;
    for (let at = 0; at < count; at++) {
      const code = (ops[at] ?? 0) & 7;
      byOp[code] = (byOp[code] ?? 0) + 1;
    }
  }
  const [inserts, updates, deletes] = [byOp[op.insert] ?? 0, byOp[op.update] ?? 0, byOp[op.delete] ?? 0];
  const hasChanges = inserts + updates + deletes > 0 || records > counts.records;
  const committedMs = newestCommitMs(group);
  return {
    inserts: counts.inserts + inserts,
    updates: counts.updates + updates,
    deletes: counts.deletes + deletes,
    // The end of a transaction that spans groups is in the group that is not open.
    transactions: counts.transactions + group.transactions.count - (group.open && group.transactions.count > 0 ? 1 : 0),
    records,
    behindMs: hasChanges && committedMs > 0 ? Math.max(0, nowMs - committedMs) : counts.behindMs,
    schemaChanges,
    lastSchemaChangeMs: schemaChanges > counts.schemaChanges ? nowMs : counts.lastSchemaChangeMs,
    lastChangeMs: hasChanges ? nowMs : counts.lastChangeMs,
  };
}
