import type { LogFull } from '../log/embedded/open-embedded-log.ts';
import { formatBytes } from './table-text.ts';

/** Why a source waits for room, for people: who holds the log up and by how much. */
export function logFullText({ usedBytes, maxBytes, lags }: LogFull): string {
  const behind = lags.filter((lag) => lag.groups > 0).map((lag) => `${lag.consumer} has ${formatBytes(lag.bytes)} of it to commit`);
  const who = behind.length === 0 ? 'no sink has registered' : behind.join(', ');
  return `the log is full (${formatBytes(usedBytes)} of log.max.bytes ${formatBytes(maxBytes)}) and waits for its sinks: ${who}`;
}
