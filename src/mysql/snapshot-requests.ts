import type { StateRecord } from '../connect/tasks.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId } from '../event/table-schema.ts';

/**
 * The compacted topic of tables that the stream could not go on with: key JSON `[connector, database, table]`, value `{}`.
 * A record is durable with the group that left the table uncertain, and removed with the `snapshotBegin` of the table.
 */
export const resyncTopic = 'millrace-resync';

/** Tables that are to be read anew, until a snapshot takes them. */
export interface SnapshotRequests {
  /** What a user asks for: `database.table`; empty: all tables. */
  add(tables: readonly string[]): void;
  /**
   * The stream is not certain of a table from here on; the record belongs into the same append. `canWait`: of its rows, not
   * of its columns, so that only who keeps tables needs it read anew.
   */
  doubt(table: TableId, canWait: boolean): StateRecord;
  /** All that was asked for, once; `tables` absent: all of them. Those that can wait stay unless somebody keeps tables. */
  take(keepsTables: () => boolean): { readonly tables?: readonly TableId[] } | undefined;
  /** Snapshots of these tables begin, or they need none; the records belong into the same append. */
  settle(tables: readonly TableId[]): readonly StateRecord[];
}

export function createSnapshotRequests(connector: string, state: ReadonlyMap<string, string>): SnapshotRequests {
  let all = false;
  const wanted = new Map<string, TableId>();
  const doubted = new Set<string>();
  const waiting = new Set<string>();
  for (const key of state.keys()) {
    const path: unknown = JSON.parse(key);
    if (!Array.isArray(path) || path[0] !== connector) continue;
    const table = { database: String(path[1]), table: String(path[2]) };
    wanted.set(tableName(table), table);
    doubted.add(tableName(table));
    // Rows under columns that are not known put it in doubt again.
    waiting.add(tableName(table));
  }
  const record = ({ database, table }: TableId, value: string | null): StateRecord => ({
    topic: resyncTopic,
    key: JSON.stringify([connector, database, table]),
    value,
  });
  return {
    add(tables) {
      if (tables.length === 0) all = true;
      for (const name of tables) {
        const dot = name.indexOf('.');
        wanted.set(name, { database: name.slice(0, dot), table: name.slice(dot + 1) });
        waiting.delete(name);
      }
    },
    doubt({ database, table }, canWait) {
      const name = tableName({ database, table });
      if (!canWait) waiting.delete(name);
      else if (!wanted.has(name)) waiting.add(name);
      wanted.set(name, { database, table });
      doubted.add(name);
      return record({ database, table }, '{}');
    },
    take(keepsTables) {
      if (!all && wanted.size === 0) return undefined;
      if (all || (waiting.size > 0 && keepsTables())) waiting.clear();
      const now = [...wanted].filter(([name]) => !waiting.has(name));
      if (!all && now.length === 0) return undefined;
      const taken = all ? {} : { tables: now.map(([, table]) => table) };
      all = false;
      for (const [name] of now) wanted.delete(name);
      return taken;
    },
    settle(tables) {
      for (const table of tables) {
        wanted.delete(tableName(table));
        waiting.delete(tableName(table));
      }
      const settled = tables.filter((table) => doubted.has(tableName(table)));
      for (const table of settled) doubted.delete(tableName(table));
      return settled.map((table) => record(table, null));
    },
  };
}
