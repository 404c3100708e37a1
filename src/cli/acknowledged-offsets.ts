import type { SinkOffset } from '../connect/tasks.ts';
import type { Log } from '../log/log.ts';

/** How far a sink is by what it has acknowledged to the log: for sinks that store no offsets with their data. */
export function acknowledgedOffsets(log: Log, connector: string): readonly SinkOffset[] {
  return log
    .consumers()
    .filter(({ consumer, seq }) => consumer === connector && seq > 0)
    .map(({ source, seq }) => ({ source, logId: log.id, seq, applied: 0, position: undefined, committedMs: 0 }));
}
