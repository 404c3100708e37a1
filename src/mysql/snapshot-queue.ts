import { addAbortListener } from 'node:events';
import { reasonOf } from '../base/abort.ts';
import { ChangeBatchBuilder } from '../event/change-batch.ts';
import type { TableSchema } from '../event/table-schema.ts';
import type { SnapshotStep } from './snapshot-contract.ts';

/** Makes a step when it is taken; undefined: it has become void. */
export type MakeStep = () => SnapshotStep | undefined;

/**
 * Between the workers that fill chunks and the one who takes steps: a worker waits while all builders are filled or
 * in the taker's hands, which is the snapshot's back-pressure.
 */
export interface ChunkQueue {
  /** An empty builder; waits for one. */
  acquire(schema: TableSchema, signal: AbortSignal): Promise<ChangeBatchBuilder>;
  release(builder: ChangeBatchBuilder): void;
  /** Adds a step; the builder, if any, is released after the step was used. */
  push(make: MakeStep, builder?: ChangeBatchBuilder): void;
  /** The next step; ends the use of the one before. */
  next(signal: AbortSignal): Promise<SnapshotStep>;
  /** Waits until every step was taken and used. */
  drained(signal: AbortSignal): Promise<void>;
  /** Waits until `wake` finds the condition true. */
  woken(condition: () => boolean, signal: AbortSignal): Promise<void>;
  wake(): void;
  /** The taker gets this error once the steps before it are taken. */
  fail(error: unknown): void;
}

interface Item {
  readonly make: MakeStep;
  readonly builder: ChangeBatchBuilder | undefined;
}

/** Most tables are small; builders of large ones grow once and are used again. */
const firstBytes = 128 * 1024;

export function createChunkQueue(builders: number, builderBytes: number): ChunkQueue {
  const items: Item[] = [];
  /** Memory of released builders; a builder is bound to a schema, its memory is not worth keeping beyond that. */
  const free: ChangeBatchBuilder[] = [];
  let inUse = 0;
  let failure: { readonly error: unknown } | undefined;
  let taken: Item | undefined;
  let idle = true;
  const waiters = new Set<() => void>();

  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  const until = async (condition: () => boolean, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        const finish = (): void => {
          waiters.delete(finish);
          abort[Symbol.dispose]();
          resolve();
        };
        const abort = addAbortListener(signal, () => {
          waiters.delete(finish);
          reject(reasonOf(signal));
        });
        waiters.add(finish);
      });
    }
  };
  const release = (builder: ChangeBatchBuilder): void => {
    inUse--;
    builder.clear();
    // A builder that one great row has blown up is not kept.
    if (free.length < builders && builder.writer.bytes.length <= 4 * builderBytes) free.push(builder);
    wake();
  };

  return {
    async acquire(schema, signal) {
      await until(() => inUse < builders, signal);
      inUse++;
      const index = free.findIndex((candidate) => candidate.schema === schema);
      if (index >= 0) return free.splice(index, 1)[0] ?? new ChangeBatchBuilder(schema, firstBytes);
      free.pop();
      return new ChangeBatchBuilder(schema, firstBytes);
    },
    release,
    push(make, builder) {
      items.push({ make, builder });
      wake();
    },
    async next(signal) {
      if (taken?.builder !== undefined) release(taken.builder);
      taken = undefined;
      idle = true;
      wake();
      for (;;) {
        await until(() => items.length > 0 || failure !== undefined, signal);
        const item = items.shift();
        if (item === undefined) throw failure?.error;
        idle = false;
        const step = item.make();
        if (step === undefined) {
          if (item.builder !== undefined) release(item.builder);
          idle = true;
          continue;
        }
        taken = item;
        return step;
      }
    },
    drained: (signal) => until(() => idle && items.length === 0, signal),
    woken: until,
    wake,
    fail(error) {
      failure ??= { error };
      wake();
    },
  };
}
