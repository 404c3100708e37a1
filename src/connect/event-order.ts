import { sliceBatch } from '../event/change-batch.ts';
import type { Entry } from './commit-group.ts';

/** Changes of one event. */
interface EventRows {
  readonly event: number;
  /** Index in the stretch. */
  readonly entry: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A group's entries as the source's events made them. Between two entries that are no changes, a group has one batch per
 * table; the rows of all tables have their order by the events that they are of. Each stretch is entries between two such
 * entries, in that order, or one of them.
 *
 * It costs an object per event: for those who must tell the order of rows across tables. Sinks of tables need not.
 */
export function* stretchesInEventOrder(entries: readonly Entry[]): Generator<readonly Entry[], void, undefined> {
  let from = 0;
  while (from < entries.length) {
    let to = from + 1;
    if (isOfEvents(entries[from])) while (isOfEvents(entries[to])) to++;
    yield to === from + 1 ? entries.slice(from, to) : inEventOrder(entries.slice(from, to));
    from = to;
  }
}

function isOfEvents(entry: Entry | undefined): entry is Extract<Entry, { kind: 'changes' | 'told' }> {
  return entry?.kind === 'changes' || entry?.kind === 'told';
}

function inEventOrder(stretch: readonly Entry[]): readonly Entry[] {
  const rows: EventRows[] = [];
  for (const [entry, each] of stretch.entries()) if (isOfEvents(each)) addEvents(rows, each.batch.events, entry);
  // entries are sorted in themselves, so that this merges them; the sort is stable
  rows.sort((a, b) => a.event - b.event || a.entry - b.entry);
  const ordered: Entry[] = [];
  for (let at = 0; at < rows.length;) {
    const first = rows[at];
    if (first === undefined) break;
    let { to } = first;
    at++;
    for (let next = rows[at]; next?.entry === first.entry && next.from === to; next = rows[++at]) ({ to } = next);
    const of = stretch[first.entry];
    if (isOfEvents(of)) ordered.push({ ...of, batch: sliceBatch(of.batch, first.from, to) });
  }
  return ordered;
}

function addEvents(rows: EventRows[], events: Uint32Array, entry: number): void {
  let from = 0;
  while (from < events.length) {
    const event = events[from] ?? 0;
    let to = from + 1;
    while (to < events.length && events[to] === event) to++;
    rows.push({ event, entry, from, to });
    from = to;
  }
}
