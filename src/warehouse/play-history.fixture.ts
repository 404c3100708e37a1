/** What a process that a crash test kills does, whatever the warehouse. */
import type { SinkTask } from '../connect/tasks.ts';
import { randomHistory } from './random-history.fixture.ts';

/** Small flushes, of every other seed by bytes. */
export function playedFlush(seed: number): { readonly flushRows: number; readonly flushBytes: number } {
  return { flushRows: 30, flushBytes: seed % 2 === 0 ? 400 : 1 << 20 };
}

/** Plays a random history into a replica, from the offset that the replica has. */
export async function playHistory(
  { task, resync }: { readonly task: SinkTask; readonly resync: readonly unknown[] },
  { seed, groups }: { readonly seed: number; readonly groups: number },
): Promise<void> {
  const { signal } = new AbortController();
  const stored = task.committed()[0]?.seq ?? 0;
  for (const { group } of randomHistory(seed, groups).slice(stored)) {
    await task.put(group, signal);
    if (group.seq % 3 === 0) await task.flush(signal);
  }
  await task.flush(signal);
  if (resync.length > 0) throw new Error(JSON.stringify(resync));
}
