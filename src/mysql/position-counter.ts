import { randomInt } from 'node:crypto';
import type { ConnectionSettings, ServerConnection } from '../binlog/connection.ts';
import type { BinlogEvent } from '../binlog/events.ts';
import { GtidSet } from '../binlog/gtid-set.ts';
import { openBinlogStream } from '../binlog/stream.ts';
import { comparePositions } from './server-position.ts';
import type { BinlogPlace } from './snapshot-table.ts';

/** Knows which GTIDs MySQL's binlog holds up to a place. */
export interface PositionCounter extends AsyncDisposable {
  /**
   * All transactions that end at or before `end`, which must be a binlog's end that the server named after the counter was
   * opened; ends must not go back.
   * @throws BINLOG_DISCONNECTED (retriable)
   */
  gtidsAt(end: BinlogPlace, signal: AbortSignal): Promise<GtidSet>;
}

/** When the binlog rests, the server says so after this time, and a waiting `gtidsAt` ends. */
const heartbeatMs = 20;
const readTimeoutMs = 30_000;
/** Server ids of counters are drawn from here up, far from those that people choose. */
const leastServerId = 2 ** 31;

/**
 * Counts from the executed set of now: what is in it is in the binlog by now, and the server sends what is not in it. So
 * the binlog need not be read from the start of its file.
 */
export async function openPositionCounter(
  settings: ConnectionSettings,
  control: ServerConnection,
  signal: AbortSignal,
): Promise<PositionCounter> {
  const executed = GtidSet.parse((await control.query('SELECT @@GLOBAL.gtid_executed', signal))[0]?.[0] ?? '');
  const stream = await openBinlogStream(
    {
      connection: settings,
      serverId: randomInt(leastServerId, 2 ** 32 - 1),
      start: { gtids: executed.clone() },
      heartbeatMs,
      readTimeoutMs,
    },
    signal,
  );
  let place: BinlogPlace | undefined;
  let events: readonly BinlogEvent[] = [];
  let next = 0;
  return {
    async gtidsAt(end, abort) {
      while (place === undefined || comparePositions(place, end) < 0) {
        const event = events[next++];
        if (event === undefined) {
          events = await stream.read(abort);
          next = 0;
          continue;
        }
        if (event.type === 'GTID' && !event.anonymous) executed.add(event.source, event.gno);
        if (event.file !== '') place = { file: event.file, pos: event.nextPosition };
      }
      return executed.clone();
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}
