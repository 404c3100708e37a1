import { reasonOf } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import type { SinkTask } from '../connect/tasks.ts';
import type { Handlers } from '../worker/rpc.ts';
import type { SinkLoop } from '../worker/sink-loop.ts';
import type { WarehouseMethods } from '../worker/thread-messages.ts';
import type { ReadWarehouse, WarehousePin } from './read-warehouse.ts';

/** What the thread of a warehouse does for one caller; what that has pinned or holds ends with it, and so does `warehouse`. */
export function createWarehouseMethods(
  warehouse: ReadWarehouse,
  loops: ReadonlyMap<string, SinkLoop>,
): Handlers<WarehouseMethods> & AsyncDisposable {
  const pins = new Map<number, WarehousePin>();
  const holds = new Map<number, Disposable>();
  let lastNumber = 0;

  const taskOf = (connector: string): SinkTask => {
    const loop = loops.get(connector);
    if (loop?.task !== undefined) return loop.task;
    throw new MillraceError('WORKER_REFUSED', `The sink "${connector}" is ${loop?.state ?? 'not here'}.`, { retriable: true });
  };

  return {
    query: ({ sql, maxRows }, signal) => warehouse.query(sql, maxRows, signal),
    rowCounts: () => warehouse.rowCounts(),
    tables: async ({ connector }) => Promise.resolve(warehouse.tables(connector)),
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
    async pinAt({ connector, source, position, tables }, signal) {
      const pin = async (): Promise<WarehousePin> => {
        const made = await warehouse.pin(source, tables);
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
      return pins.get(pin)?.table({ connector, source, ...id });
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
      await warehouse[Symbol.asyncDispose]();
    },
  };
}
