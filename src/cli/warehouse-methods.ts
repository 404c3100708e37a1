import { reasonOf } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import type { SinkTask } from '../connect/tasks.ts';
import type { PinnedReader } from '../warehouse/duckdb/reader.ts';
import { isGuessed } from '../event/guessed.ts';
import type { Replica } from '../warehouse/duckdb/replica.ts';
import type { TableRecord } from '../warehouse/table-record.ts';
import type { Handlers } from '../worker/rpc.ts';
import type { SinkLoop } from '../worker/sink-loop.ts';
import type { ReplicaTable, WarehouseMethods } from '../worker/thread-messages.ts';

/** What the thread of a DuckDB file does for one caller; what that has pinned or holds ends with it. */
export function createWarehouseMethods(
  replica: Replica,
  loops: ReadonlyMap<string, SinkLoop>,
): Handlers<WarehouseMethods> & AsyncDisposable {
  const pins = new Map<number, PinnedReader>();
  const holds = new Map<number, Disposable>();
  let lastNumber = 0;

  const taskOf = (connector: string): SinkTask => {
    const loop = loops.get(connector);
    if (loop?.task !== undefined) return loop.task;
    throw new MillraceError('WORKER_REFUSED', `The sink "${connector}" is ${loop?.state ?? 'not here'}.`, { retriable: true });
  };

  return {
    query: ({ sql, maxRows }, signal) => replica.query(sql, { maxRows }, signal),
    async rowCounts() {
      const tables = await replica.status();
      return tables.map(({ record: { connector: sink, replica: name }, rows, loading }) => {
        return { sink, table: `${name.schema}.${name.table}`, rows, loading };
      });
    },
    tables: ({ connector }) =>
      Promise.resolve(
        replica
          .tables(connector)
          .map(asReplicaTable)
          .filter((table) => table !== undefined),
      ),
    hold({ connector, source }) {
      const hold = taskOf(connector).hold?.(source);
      const number = ++lastNumber;
      if (hold !== undefined) holds.set(number, hold);
      return Promise.resolve(number);
    },
    release({ hold }) {
      holds.get(hold)?.[Symbol.dispose]();
      holds.delete(hold);
      return Promise.resolve(null);
    },
    async pinAt({ connector, source, position }, signal) {
      const pin = async (): Promise<PinnedReader> => {
        const made = await replica.pin();
        if (!signal.aborted) return made;
        // the caller has gone meanwhile: a reader of nobody would keep the file from its checkpoints
        await made[Symbol.asyncDispose]();
        throw reasonOf(signal);
      };
      const reader = await taskOf(connector).cutAt({ source, position }, pin, signal);
      const number = ++lastNumber;
      pins.set(number, reader);
      return number;
    },
    pinnedQuery({ pin, sql }, signal) {
      const reader = pins.get(pin);
      if (reader === undefined) return Promise.reject(new MillraceError('INTERNAL', `There is no pin ${pin}`));
      return reader.query(sql, signal);
    },
    async pinnedTable({ pin, connector, source, id }) {
      const record = await pins.get(pin)?.record({ connector, source, ...id });
      return record === undefined ? undefined : asReplicaTable(record);
    },
    async unpin({ pin }) {
      const reader = pins.get(pin);
      pins.delete(pin);
      await reader?.[Symbol.asyncDispose]();
      return null;
    },
    async [Symbol.asyncDispose]() {
      for (const hold of holds.values()) hold[Symbol.dispose]();
      holds.clear();
      for (const reader of pins.values()) await reader[Symbol.asyncDispose]();
      pins.clear();
    },
  };
}

/** What readers see of a table; a table whose first snapshot is still loaded shows nothing yet. */
function asReplicaTable({ source, database, table, replica, live }: TableRecord): ReplicaTable | undefined {
  if (live === undefined) return undefined;
  return {
    source,
    id: { database, table },
    columns: live.columns.map((column) => column.name),
    replicaSchema: replica.schema,
    replicaName: replica.table,
    guessed: live.columns.filter(isGuessed).map((column) => column.name),
  };
}
