import type { TableId } from '../event/table-schema.ts';

/** Tables that somebody wants read anew, until a snapshot takes them. */
export interface SnapshotRequests {
  /** `database.table`; empty: all tables. */
  add(tables: readonly string[]): void;
  /** All that was asked for, once; `tables` absent: all of them. */
  take(): { readonly tables?: readonly TableId[] } | undefined;
}

export function createSnapshotRequests(): SnapshotRequests {
  let all = false;
  const wanted = new Map<string, TableId>();
  return {
    add(tables) {
      if (tables.length === 0) all = true;
      for (const name of tables) {
        const dot = name.indexOf('.');
        wanted.set(name, { database: name.slice(0, dot), table: name.slice(dot + 1) });
      }
    },
    take() {
      if (!all && wanted.size === 0) return undefined;
      const taken = all ? {} : { tables: [...wanted.values()] };
      all = false;
      wanted.clear();
      return taken;
    },
  };
}
