import { addAbortListener } from 'node:events';
import { setImmediate as turnEnd } from 'node:timers/promises';
import { reasonOf } from '../base/abort.ts';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import { openConnection } from './connection.ts';
import type { ConnectionSettings, ServerConnection } from './connection.ts';
import { translateDriverError } from './driver-errors.ts';
import { errorOf, startDump } from './dump.ts';
import type { Dump, StreamStart } from './dump.ts';
import { EventDecoder } from './event-decoder.ts';
import type { BinlogEvent } from './events.ts';
import { PayloadReader, isLargePayload, unfoldPayload } from './payload-reader.ts';
import type { ServerVersion } from './server-version.ts';

export interface BinlogStreamOptions {
  readonly connection: ConnectionSettings;
  /** Must differ from the id of every other replica of the server. */
  readonly serverId: number;
  readonly start: StreamStart;
  /** How often the server says that it is there while nothing happens; default 5 s. */
  readonly heartbeatMs?: number;
  /** The stream counts as broken after so long without a byte; default three heartbeats. */
  readonly readTimeoutMs?: number;
  /** About so many bytes may wait unread before the socket is paused; default 4 MiB. */
  readonly maxUnreadBytes?: number;
  /** MariaDB: also send the statements (ROWS_QUERY events). */
  readonly annotateRows?: boolean;
}

/** A binlog that is being read; the owner disposes it. One read at a time. */
export interface BinlogStream extends AsyncDisposable {
  readonly version: ServerVersion;
  /**
   * The events that have arrived, in order, at least one; waits for it. Nothing is decoded ahead: who does not read holds
   * the server back, by TCP. Views in the events stay valid, and hold the bytes around them, as long as they are
   * referenced. After an error every further read gives the same error.
   *
   * @throws BINLOG_DISCONNECTED (retriable), BINLOG_PURGED, BINLOG_CORRUPT, BINLOG_UNSUPPORTED, SERVER_ID_IN_USE
   */
  read(signal: AbortSignal): Promise<readonly BinlogEvent[]>;
}

/** A read gives at most about so much, so that a batch has a bounded size however much is unfolded from its bytes. */
const batchEvents = 8192;
const batchBytes = 4 * 1024 * 1024;

/**
 * Opens a stream that ends with its connection; `openReconnectingStream` goes on.
 *
 * @throws what `openConnection` and `startDump` throw
 */
export async function openBinlogStream(options: BinlogStreamOptions, signal: AbortSignal): Promise<BinlogStream> {
  const { start, serverId, heartbeatMs = 5000, annotateRows = false } = options;
  const connection = await openConnection(options.connection, signal);
  try {
    const dump = await startDump(connection, { serverId, start, heartbeatMs, annotateRows }, signal);
    return new SocketStream(connection, dump, options);
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

class SocketStream implements BinlogStream {
  readonly version: ServerVersion;
  readonly #connection: ServerConnection;
  readonly #dump: Dump;
  readonly #decoder: EventDecoder;
  readonly #maxUnreadBytes: number;
  readonly #readTimeoutMs: number;
  #payload: PayloadReader | undefined;
  /** What ended the connection; packets that came before it are still read. */
  #closed: Error | undefined;
  /** What was wrong with a packet; nothing behind it is read. */
  #fault: Error | undefined;
  #paused = false;
  #reading = false;
  #wake: (() => void) | undefined;

  constructor(connection: ServerConnection, dump: Dump, options: BinlogStreamOptions) {
    const { start, heartbeatMs = 5000 } = options;
    this.version = connection.version;
    this.#connection = connection;
    this.#dump = dump;
    this.#readTimeoutMs = options.readTimeoutMs ?? 3 * heartbeatMs;
    this.#maxUnreadBytes = options.maxUnreadBytes ?? 4 * 1024 * 1024;
    const { file, position } = 'position' in start ? start.position : { file: '', position: 4 };
    this.#decoder = new EventDecoder({ file, position, mariadb: connection.version.flavor === 'mariadb' });
    const { socket } = dump;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#close(this.#disconnected(translateDriverError(error, connection.address).message, error)));
    socket.on('close', () => this.#close(this.#disconnected('the server closed the connection')));
    socket.resume();
  }

  async read(signal: AbortSignal): Promise<readonly BinlogEvent[]> {
    if (this.#reading) throw new MillraceError('INTERNAL', 'two reads of one binlog stream at a time');
    this.#reading = true;
    try {
      for (;;) {
        signal.throwIfAborted();
        const events = this.#payload === undefined ? this.#drain() : await this.#unfold(this.#payload);
        if (events.length > 0) return events;
        if (this.#payload !== undefined) continue;
        if (this.#fault !== undefined) throw this.#fault;
        if (this.#closed !== undefined) throw this.#closed;
        await this.#arrival(signal);
        // One wake per TLS record or chunk: what else has come in this turn of the event loop belongs into the same batch.
        await turnEnd();
      }
    } finally {
      this.#reading = false;
    }
  }

  /** Decodes what is there. What was decoded before a fault is given first, the fault by the next read. */
  #drain(): BinlogEvent[] {
    const events: BinlogEvent[] = [];
    const { packets, socket } = this.#dump;
    if (this.#fault !== undefined) return events;
    try {
      let bytes = 0;
      while (bytes < batchBytes && events.length < batchEvents && this.#payload === undefined && packets.next()) {
        bytes += this.#decodePacket(events);
      }
    } catch (error) {
      this.#fault = isMillraceError(error) ? error : new MillraceError('INTERNAL', 'decoding a binlog event', { cause: error });
      this.#connection.destroy();
    }
    if (this.#paused && packets.unread <= this.#maxUnreadBytes / 2) {
      this.#paused = false;
      socket.resume();
    }
    return events;
  }

  /**
   * One packet: a byte 0 and an event; else the end of the stream or an error. Gives the bytes that the events hold.
   */
  #decodePacket(events: BinlogEvent[]): number {
    const { bytes, start, end } = this.#dump.packets;
    if (bytes[start] !== 0 || start === end) throw this.#notAnEvent(bytes, start, end);
    const event = this.#decoder.decode(bytes, start + 1, end);
    if (event.type !== 'TRANSACTION_PAYLOAD') {
      events.push(event);
      return event.type === 'ROWS' ? event.end - event.start : end - start;
    }
    if (isLargePayload(event)) this.#payload = new PayloadReader(event, this.#decoder);
    else unfoldPayload(event, this.#decoder, events);
    return event.uncompressedSize;
  }

  async #unfold(payload: PayloadReader): Promise<BinlogEvent[]> {
    try {
      const events = await payload.next();
      if (events !== undefined) return events;
    } catch (error) {
      this.#fault = isMillraceError(error) ? error : new MillraceError('INTERNAL', 'decoding a binlog event', { cause: error });
      this.#connection.destroy();
    }
    payload[Symbol.dispose]();
    this.#payload = undefined;
    return [];
  }

  #notAnEvent(bytes: Uint8Array, start: number, end: number): MillraceError {
    const where = `reading the binlog of ${this.#connection.address} after ${this.#decoder.file}:${this.#decoder.position}`;
    const error = errorOf(bytes, start, end, where);
    if (error !== undefined) return error;
    if (bytes[start] === 0xfe) return this.#disconnected('the server ended the stream');
    return new MillraceError('BINLOG_CORRUPT', `${where}: a packet that is no event`);
  }

  #onData(chunk: Buffer): void {
    const { packets, socket } = this.#dump;
    packets.push(chunk);
    if (packets.unread > this.#maxUnreadBytes) {
      this.#paused = true;
      socket.pause();
    }
    this.#wake?.();
  }

  #close(error: Error): void {
    this.#closed ??= error;
    this.#wake?.();
  }

  /** Waits for bytes, or for the connection's end. */
  #arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        abort[Symbol.dispose]();
        this.#wake = undefined;
      };
      const abort = addAbortListener(signal, () => {
        done();
        reject(reasonOf(signal));
      });
      const timer = setTimeout(() => {
        this.#close(this.#disconnected(`nothing came for ${this.#readTimeoutMs} ms`));
        this.#connection.destroy();
      }, this.#readTimeoutMs);
      this.#wake = () => {
        done();
        resolve();
      };
    });
  }

  #disconnected(why: string, cause?: unknown): MillraceError {
    const { file, position } = this.#decoder;
    return new MillraceError('BINLOG_DISCONNECTED', `the binlog stream broke after ${file}:${position}: ${why}`, {
      cause,
      retriable: true,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#disconnected('it was closed');
    this.#payload?.[Symbol.dispose]();
    this.#connection.destroy();
    this.#wake?.();
  }
}
