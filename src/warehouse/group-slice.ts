import type { CommitGroup, Entry, SourcePosition } from '../connect/commit-group.ts';
import type { SinkGroup } from '../connect/tasks.ts';
import type { ChangeBatch } from '../event/change-batch.ts';

/** Transactions `[from, to)` of a group, by ordinal. */
export interface GroupSlice {
  readonly group: SinkGroup;
  readonly from: number;
  readonly to: number;
  /** Position at which the group begins, if it is known: that after the group before. */
  readonly begin: SourcePosition | undefined;
}

export interface EntryVisitor {
  /** Changes `[from, to)` of the batch belong to the slice. */
  changes(batch: ChangeBatch, from: number, to: number): Promise<void> | void;
  other(entry: Exclude<Entry, { kind: 'changes' }>): Promise<void> | void;
}

/**
 * Visits what belongs to a slice, in order. Entries without an event of their own (those of snapshots) belong to the
 * transaction before them; at the head of a group to its first one; in a group without transactions to every slice.
 */
export async function visitSlice({ group, from, to }: Omit<GroupSlice, 'begin'>, visitor: EntryVisitor): Promise<void> {
  const { transaction } = group.events;
  let seen = 0;
  for (const entry of group.entries) {
    if (entry.kind === 'changes') {
      const { batch } = entry;
      if (batch.count === 0) continue;
      const first = firstOfTransaction(batch, transaction, from);
      const last = firstOfTransaction(batch, transaction, to);
      seen = Math.max(seen, (transaction[batch.events[batch.count - 1] ?? 0] ?? 0) + 1);
      if (first < last) await visitor.changes(batch, first, last);
      continue;
    }
    const at = ordinalOf(entry, transaction, seen);
    seen = Math.max(seen, at + (hasEvent(entry) ? 1 : 0));
    if (group.transactions.count === 0 || (at >= from && at < to)) await visitor.other(entry);
  }
}

/** Ordinals of the slice at which something other than rows comes: it wants a commit before and after. */
export function barriersOf({ group, from, to }: GroupSlice, isBarrier: (entry: Entry) => boolean): readonly number[] {
  const { transaction } = group.events;
  const found = new Set<number>();
  let seen = 0;
  for (const entry of group.entries) {
    if (entry.kind === 'changes') {
      const { batch } = entry;
      if (batch.count > 0) seen = Math.max(seen, (transaction[batch.events[batch.count - 1] ?? 0] ?? 0) + 1);
      continue;
    }
    const at = ordinalOf(entry, transaction, seen);
    seen = Math.max(seen, at + (hasEvent(entry) ? 1 : 0));
    if (at >= from && at < to && isBarrier(entry)) found.add(at);
  }
  return [...found].toSorted((a, b) => a - b);
}

function hasEvent(entry: Entry): boolean {
  return entry.kind === 'schema' && entry.event >= 0;
}

function ordinalOf(entry: Exclude<Entry, { kind: 'changes' }>, transaction: Uint32Array, seen: number): number {
  return entry.kind === 'schema' && entry.event >= 0 ? (transaction[entry.event] ?? 0) : Math.max(seen, 1) - 1;
}

/** The first change of a transaction that is not before `ordinal`. */
function firstOfTransaction({ events, count }: ChangeBatch, transaction: Uint32Array, ordinal: number): number {
  if (ordinal === 0) return 0;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((transaction[events[middle] ?? 0] ?? 0) < ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How many transactions of the group end at or before the position, which lies between two transactions: those whose
 * events begin before it.
 */
export function transactionsUpTo(group: CommitGroup, position: SourcePosition): number {
  const order = compareFiles(group.file, position.file);
  if (order !== 0) return order < 0 ? group.transactions.count : 0;
  const { pos, transaction, count } = group.events;
  for (let event = 0; event < count; event++) if ((pos[event] ?? 0) >= position.pos) return transaction[event] ?? 0;
  return group.transactions.count;
}

/** Place of the last event of the transactions before `ordinal`. */
export function lastEventBefore(group: CommitGroup, ordinal: number): { readonly file: string; readonly pos: number } | undefined {
  const { pos, transaction, count } = group.events;
  for (let event = count - 1; event >= 0; event--) {
    if ((transaction[event] ?? 0) < ordinal) return { file: group.file, pos: pos[event] ?? 0 };
  }
  return undefined;
}

/** Order of two places of one binlog: below 0 when `a` is before `b`. */
export function comparePositions(a: Pick<SourcePosition, 'file' | 'pos'>, b: Pick<SourcePosition, 'file' | 'pos'>): number {
  return compareFiles(a.file, b.file) || a.pos - b.pos;
}

/** Binlog files are numbered at their end; the number may grow a digit. */
function compareFiles(a: string, b: string): number {
  const numbers = fileNumber(a) - fileNumber(b);
  return numbers !== 0 ? numbers : a < b ? -1 : a > b ? 1 : 0;
}

function fileNumber(file: string): number {
  return Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
}
