import type { TableRecord } from '../warehouse/table-record.ts';

/** Asks the source of a table (`database.table`) for a new snapshot of it. */
type Ask = (source: string, table: string, reason: string) => void;

const firstMs = 1000;
/** Long enough for a snapshot that was asked for to begin: asked for twice, a table is copied twice. */
const againMs = 10_000;

/**
 * Asks again for the tables that wait for a snapshot. They are asked for when they break, but that is a message: the source
 * may not run at that moment, or this process may die before the snapshot begins. What lasts is the replica's own record.
 */
export function remindOfResyncs(replica: { tables(): readonly TableRecord[] }, ask: Ask): Disposable {
  const remind = (): void => {
    for (const { source, database, table, broken, aside } of replica.tables()) {
      if (broken !== undefined && aside === undefined) ask(source, `${database}.${table}`, broken);
    }
  };
  const first = setTimeout(remind, firstMs);
  const again = setInterval(remind, againMs);
  return {
    [Symbol.dispose]() {
      clearTimeout(first);
      clearInterval(again);
    },
  };
}
