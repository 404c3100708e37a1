import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Replica } from '../warehouse/duckdb/replica.ts';
import type { SinkLoop } from '../worker/sink-loop.ts';

export interface ReplicaKeeper extends Disposable {
  /** The loops whose rest it waits for. */
  watch(loops: ReadonlyMap<string, SinkLoop>): void;
}

const lookMs = 5000;
/** Under steady load there is no rest; the file is looked after as often all the same. */
const longestWithoutMs = 300_000;

/** Looks after a DuckDB file while nothing is written: checkpoints, and rebuilds tables with many deleted rows. */
export function keepReplica(replica: Replica, log: Logger): ReplicaKeeper {
  const abort = new AbortController();
  let loops: ReadonlyMap<string, SinkLoop> = new Map();
  let written = 0;
  let keptAt = -1;
  let keptMs = performance.now();
  let busy = false;
  const look = async (): Promise<void> => {
    const changes = [...loops.values()].map((loop) => loop.metrics()).reduce((sum, each) => sum + each.changes + each.snapshotRows, 0);
    const rests = changes === written;
    written = changes;
    const isDue = rests ? changes !== keptAt : performance.now() - keptMs > longestWithoutMs;
    if (busy || !isDue) return;
    busy = true;
    try {
      await replica.checkpointWhenIdle();
      const rebuilt = await replica.compactWhenIdle(abort.signal);
      if (rebuilt.length > 0) log.info({ tables: rebuilt }, 'tables rebuilt without their deleted rows');
      keptAt = changes;
      keptMs = performance.now();
    } catch (error) {
      // Tried again at the next rest; what lasts, the sinks meet too.
      if (!abort.signal.aborted) log.warn({ error: messageOf(error) }, 'the replica could not be looked after');
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), lookMs);
  return {
    watch(watched) {
      loops = watched;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      abort.abort();
    },
  };
}
