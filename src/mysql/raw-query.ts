import { addAbortListener } from 'node:events';
import { reasonOf } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import { translateDriverError } from '../binlog/driver-errors.ts';

/**
 * Takes the payload of a row packet, `bytes[start, end)`: a view, valid during the call only. Returns true when it has
 * enough for now; rows of the socket's current chunk (64 KiB) still follow.
 */
export type RowConsumer = (bytes: Buffer, start: number, end: number) => boolean;

/** A running SELECT whose rows arrive as the bytes of the text protocol. */
export interface RawQuery {
  /**
   * Lets rows flow into the consumer until it has enough or they end; false: they have ended. Between pulls the socket
   * is paused, so that the server waits. An abort ends the connection.
   * @throws MYSQL_QUERY_FAILED, MYSQL_UNREACHABLE, MYSQL_PRIVILEGE_MISSING, and whatever the consumer throws
   */
  pull(signal: AbortSignal): Promise<boolean>;
}

/** The part of mysql2's packet and command that is used here (lib/packets/packet.js, lib/commands/query.js). */
interface DriverPacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
}

/**
 * Starts a SELECT. The driver's query command does everything but the rows: its `row` step, which would build objects,
 * is replaced by one that hands the packet's bytes to the consumer. One query at a time per connection.
 *
 *   row packet   for each column: length-encoded length, then so many bytes of text; 0xfb alone is NULL
 *
 * Source: manual "Text Resultset Row"; mysql2 3.24, lib/commands/query.js.
 */
export function startRawQuery(connection: ServerConnection, sql: string, consume: RowConsumer): RawQuery {
  const socket = connection.socket();
  let ended = false;
  let full = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;

  const command = connection.driver.query(sql, (error) => {
    if (error === null || error === undefined) ended = true;
    else failure ??= translateDriverError(error, `${connection.address}: ${sql.length > 200 ? `${sql.slice(0, 200)}…` : sql}`);
    wake?.();
  });
  const done: unknown = Reflect.get(command, 'done');
  if (typeof done !== 'function') throw new MillraceError('INTERNAL', 'the MySQL driver ends its queries in another way');
  const row = (packet: DriverPacket): unknown => {
    if (packet.isEOF()) return Reflect.apply(done, command, []);
    if (consume(packet.buffer, packet.offset, packet.end) && !full) {
      full = true;
      socket.pause();
      wake?.();
    }
    return row;
  };
  Object.assign(command, { row });

  return {
    async pull(signal) {
      signal.throwIfAborted();
      using _abort = addAbortListener(signal, () => {
        failure ??= reasonOf(signal);
        connection.destroy();
        wake?.();
      });
      if (full) {
        full = false;
        socket.resume();
      }
      while (!ended && !full && failure === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
      if (failure !== undefined) throw failure;
      // The end may have come in the same chunk as the row that was enough: the socket must not stay paused.
      if (ended && full) {
        full = false;
        socket.resume();
      }
      return !ended;
    },
  };
}
