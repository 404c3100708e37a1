import type { StateRecord } from '../connect/tasks.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId } from '../event/table-schema.ts';

/**
 * The compacted topic of tables that are to be read anew: key JSON `[connector, database, table]`, or `[connector]` for all.
 * Value `{}`: the stream could not go on with it; durable with the group that left the table uncertain. `{"asked":true}`:
 * someone has asked for it. Removed with the `snapshotBegin` of the table, or of all.
 */
export const resyncTopic = 'millrace-resync';

/** Tables that are to be read anew, until a snapshot takes them. */
export interface SnapshotRequests {
  /** What a user asks for: `database.table`; empty: all tables. The records are to be durable before the answer. */
  add(tables: readonly string[]): readonly StateRecord[];
  /**
   * The stream is not certain of a table from here on; the record belongs into the same append. `canWait`: of its rows, not
   * of its columns, so that only who keeps tables needs it read anew.
   */
  doubt(table: TableId, canWait: boolean): StateRecord;
  /** All that was asked for, once; `tables` absent: all of them. Those that can wait stay unless somebody keeps tables. */
  take(keepsTables: () => boolean): { readonly tables?: readonly TableId[] } | undefined;
  /** Snapshots of these tables begin, or they need none; the records belong into the same append. */
  settle(tables: readonly TableId[], whole?: boolean): readonly StateRecord[];
}

const asked = '{"asked":true}';

/** What stands for a request of these tables (`database.table`; none: all) to a source that does not run. */
export function requestRecords(connector: string, tables: readonly string[]): readonly StateRecord[] {
  if (tables.length === 0) return [{ topic: resyncTopic, key: JSON.stringify([connector]), value: asked }];
  return tables.map((name) => {
    const { database, table } = idOf(name);
    return { topic: resyncTopic, key: JSON.stringify([connector, database, table]), value: asked };
  });
}

/** Whether someone has asked for all tables, of the records of `resyncTopic`. */
export function asksForAll(connector: string, state: ReadonlyMap<string, string>): boolean {
  return state.has(JSON.stringify([connector]));
}

function idOf(name: string): TableId {
  const dot = name.indexOf('.');
  return { database: name.slice(0, dot), table: name.slice(dot + 1) };
}

export function createSnapshotRequests(connector: string, state: ReadonlyMap<string, string>): SnapshotRequests {
  let all = asksForAll(connector, state);
  let allStored = all;
  const wanted = new Map<string, TableId>();
  const doubted = new Set<string>();
  const waiting = new Set<string>();
  for (const [key, value] of state) {
    const path: unknown = JSON.parse(key);
    if (!Array.isArray(path) || path[0] !== connector || path.length === 1) continue;
    const table = { database: String(path[1]), table: String(path[2]) };
    wanted.set(tableName(table), table);
    doubted.add(tableName(table));
    // Rows under columns that are not known put it in doubt again.
    if (value !== asked) waiting.add(tableName(table));
  }
  const record = ({ database, table }: TableId, value: string | null): StateRecord => ({
    topic: resyncTopic,
    key: JSON.stringify([connector, database, table]),
    value,
  });
  return {
    add(tables) {
      if (tables.length === 0) {
        all = true;
        allStored = true;
      }
      for (const name of tables) {
        wanted.set(name, idOf(name));
        waiting.delete(name);
        doubted.add(name);
      }
      return requestRecords(connector, tables);
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
    settle(tables, whole = false) {
      const settledAll = whole && allStored ? [{ topic: resyncTopic, key: JSON.stringify([connector]), value: null }] : [];
      if (whole) {
        all = false;
        allStored = false;
      }
      for (const table of tables) {
        wanted.delete(tableName(table));
        waiting.delete(tableName(table));
      }
      const settled = tables.filter((table) => doubted.has(tableName(table)));
      for (const table of settled) doubted.delete(tableName(table));
      return [...settledAll, ...settled.map((table) => record(table, null))];
    },
  };
}
