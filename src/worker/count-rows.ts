import type { CommitGroup } from '../connect/commit-group.ts';

export interface GroupCounts {
  /** Changes of the stream. */
  readonly changes: number;
  /** Rows that snapshots read. */
  readonly snapshotRows: number;
  /** Bytes of all their row images. */
  readonly bytes: number;
}

/** What is in a group. */
export function countRows(group: CommitGroup): GroupCounts {
  let changes = 0;
  let snapshotRows = 0;
  let bytes = 0;
  for (const entry of group.entries) {
    if (entry.kind !== 'changes' && entry.kind !== 'chunk') continue;
    if (entry.kind === 'changes') changes += entry.batch.count;
    else snapshotRows += entry.batch.count;
    bytes += entry.batch.bytes.length;
  }
  return { changes, snapshotRows, bytes };
}
