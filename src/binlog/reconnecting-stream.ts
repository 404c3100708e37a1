import { createBackoff } from '../base/backoff.ts';
import { isMillraceError } from '../base/errors.ts';
import type { MillraceError } from '../base/errors.ts';
import type { BinlogEvent, ReconnectedEvent } from './events.ts';
import { openBinlogStream } from './stream.ts';
import type { BinlogStream, BinlogStreamOptions } from './stream.ts';
import { TransactionTracker } from './transaction-tracker.ts';

export interface ReconnectingStreamOptions extends BinlogStreamOptions {
  /** The waits before further tries; default 250 ms, doubled up to 30 s. */
  readonly retryFirstMs?: number;
  readonly retryMaxMs?: number;
  /** Gives up, with the last error, after so many tries in a row; default never. */
  readonly maxAttempts?: number;
  /** Told of each failure that will be retried, before the wait. */
  readonly onRetry?: (error: MillraceError, attempt: number) => void;
}

/**
 * As `openBinlogStream`, and when the connection breaks it opens another one behind the last complete transaction. Then
 * the first event is RECONNECTED: of the transaction that was open the consumer forgets all; it comes again, whole.
 * No complete transaction comes twice or is left out.
 *
 * @throws from here and from `read`: only what no retry can mend (BINLOG_PURGED, SERVER_ID_IN_USE, …)
 */
export async function openReconnectingStream(options: ReconnectingStreamOptions, signal: AbortSignal): Promise<BinlogStream> {
  const { retryFirstMs = 250, retryMaxMs = 30_000, maxAttempts = Infinity } = options;
  const tracker = new TransactionTracker(options.start);
  const backoff = createBackoff({ firstMs: retryFirstMs, maxMs: retryMaxMs });
  let stream = await openBinlogStream(options, signal);
  const { version } = stream;
  let disposed = false;

  /** Opens anew, as often as it takes, and gives what came first. */
  async function reconnect(cause: MillraceError, readSignal: AbortSignal): Promise<readonly BinlogEvent[]> {
    let error = cause;
    for (;;) {
      if (!error.retriable || disposed || backoff.attempts >= maxAttempts) throw error;
      options.onRetry?.(error, backoff.attempts + 1);
      await stream[Symbol.asyncDispose]();
      await backoff.wait(readSignal);
      try {
        stream = await openBinlogStream({ ...options, start: tracker.resume }, readSignal);
        const events = await stream.read(readSignal);
        const first = events[0];
        return first === undefined ? events : [reconnected(first, backoff.attempts, cause.message), ...events];
      } catch (failure) {
        readSignal.throwIfAborted();
        if (!isMillraceError(failure)) throw failure;
        error = failure;
      }
    }
  }

  return {
    version,
    async read(readSignal) {
      let events: readonly BinlogEvent[];
      try {
        events = await stream.read(readSignal);
      } catch (error) {
        readSignal.throwIfAborted();
        if (!isMillraceError(error)) throw error;
        events = await reconnect(error, readSignal);
      }
      for (const event of events) tracker.take(event);
      if (events.some(comesFromTheBinlog)) backoff.reset();
      return events;
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      await stream[Symbol.asyncDispose]();
    },
  };
}

function reconnected(first: BinlogEvent, attempts: number, reason: string): ReconnectedEvent {
  const { file, nextPosition, timestamp, serverId, flags } = first;
  return { type: 'RECONNECTED', file, nextPosition, timestamp, serverId, size: 0, flags, attempts, reason };
}

/** A server that drops us after its greeting, each time, must not reset the waits. */
function comesFromTheBinlog({ type }: BinlogEvent): boolean {
  return type !== 'ROTATE' && type !== 'FORMAT_DESCRIPTION' && type !== 'RECONNECTED' && type !== 'PREVIOUS_GTIDS';
}
