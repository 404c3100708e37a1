import type { SinkOffset } from '../connect/tasks.ts';

/** Whether two offsets of one source say the same. */
export function sameOffset(a: SinkOffset | undefined, b: SinkOffset | undefined): boolean {
  return a?.logId === b?.logId && a?.seq === b?.seq && a?.applied === b?.applied;
}
