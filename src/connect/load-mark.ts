import type { Entry } from './commit-group.ts';

/*
 * The rows of a snapshot, as records: nobody can tell which tables they become, behind transformations. What is known is
 * where they begin, and where all of them, with the changes between, are a state that the source had. So the snapshot's
 * entries stay, without their tables.
 */

/** What stays of an entry in a group of records; undefined: nothing. */
export function loadMarkOf(entry: Entry): Entry | undefined {
  return entry.kind === 'snapshotBegin' || entry.kind === 'snapshotEnd' ? { ...entry, tables: [] } : undefined;
}

/** Whether the entry is such a mark. */
export function isLoadMark(entry: Entry): entry is Extract<Entry, { kind: 'snapshotBegin' | 'snapshotEnd' }> {
  return (entry.kind === 'snapshotBegin' || entry.kind === 'snapshotEnd') && entry.tables.length === 0;
}
