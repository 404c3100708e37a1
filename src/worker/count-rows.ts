import type { CommitGroup } from '../connect/commit-group.ts';

/** Rows in a group: changes of the stream, and rows that snapshots read. */
export function countRows(group: CommitGroup): { readonly changes: number; readonly snapshotRows: number } {
  let changes = 0;
  let snapshotRows = 0;
  for (const entry of group.entries) {
    if (entry.kind === 'changes') changes += entry.batch.count;
    else if (entry.kind === 'chunk') snapshotRows += entry.batch.count;
  }
  return { changes, snapshotRows };
}
