import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { ZstdDecompress } from 'node:zlib';
import { MillraceError } from '../base/errors.ts';
import { uint32At } from './cursor.ts';
import type { EventDecoder } from './event-decoder.ts';
import type { BinlogEvent } from './events.ts';
import type { TransactionPayload } from './transaction-payload.ts';

/** Transactions up to this size are unfolded in one go. */
const largestAtOnce = 4 * 1024 * 1024;
/** Of larger ones about so much is unfolded at a time, and the window of the compression beside it. */
const chunkSize = 256 * 1024;
const headerLength = 19;

export function isLargePayload(payload: TransactionPayload): boolean {
  return payload.compressed && payload.uncompressedSize > largestAtOnce;
}

/** Appends the events of a small payload to `events`. */
export function unfoldPayload(payload: TransactionPayload, decoder: EventDecoder, events: BinlogEvent[]): void {
  const bytes = payload.compressed ? inflateAtOnce(payload) : payload.payload;
  let at = 0;
  while (at < bytes.length) {
    const size = eventSize(bytes, at, bytes.length);
    if (size > bytes.length - at) throw corrupt(`an event of ${size} bytes where ${bytes.length - at} are left`);
    events.push(decoder.decodeInner(bytes, at, at + size, at + size === bytes.length));
    at += size;
  }
}

function inflateAtOnce({ payload, uncompressedSize }: TransactionPayload): Buffer {
  try {
    return zstdDecompressSync(payload, { maxOutputLength: Math.max(1, uncompressedSize) });
  } catch (error) {
    throw corrupt('it cannot be decompressed', error);
  }
}

/**
 * Unfolds a large payload piece by piece, so that a transaction of gigabytes needs no more memory than its largest event.
 * The owner disposes it, also in the middle.
 */
export class PayloadReader implements Disposable {
  readonly #payload: TransactionPayload;
  readonly #decoder: EventDecoder;
  readonly #inflater: ZstdDecompress;
  readonly #pieces: AsyncIterator<Buffer>;
  /** What is left of the piece before: the beginning of an event. */
  #rest: Buffer = Buffer.alloc(0);
  /** An event that is longer than a piece, and how much of it is there. */
  #large: Buffer | undefined;
  #filled = 0;
  /** Bytes that came out, and those of them that became events. */
  #total = 0;
  #decoded = 0;

  constructor(payload: TransactionPayload, decoder: EventDecoder) {
    this.#payload = payload;
    this.#decoder = decoder;
    this.#inflater = createZstdDecompress({ chunkSize });
    this.#inflater.end(payload.payload);
    this.#pieces = this.#inflater.iterator({ destroyOnReturn: true });
  }

  /** Some further events; undefined after the last one. */
  async next(): Promise<BinlogEvent[] | undefined> {
    for (;;) {
      const piece = await this.#nextPiece();
      if (piece === undefined) {
        if (this.#rest.length > 0 || this.#large !== undefined) throw corrupt('its last event is cut');
        return undefined;
      }
      this.#total += piece.length;
      if (this.#total > this.#payload.uncompressedSize) {
        throw corrupt(`it is longer than the ${this.#payload.uncompressedSize} bytes announced`);
      }
      const events = this.#take(piece);
      if (events.length > 0) return events;
    }
  }

  async #nextPiece(): Promise<Buffer | undefined> {
    try {
      const step: IteratorResult<Buffer, unknown> = await this.#pieces.next();
      return step.done === true ? undefined : step.value;
    } catch (error) {
      throw corrupt('it cannot be decompressed', error);
    }
  }

  #take(piece: Buffer): BinlogEvent[] {
    const events: BinlogEvent[] = [];
    let bytes = piece;
    if (this.#large !== undefined) {
      const used = this.#fill(this.#large, piece, events);
      bytes = piece.subarray(used);
    } else if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, piece]);
    }
    let at = 0;
    while (bytes.length - at >= headerLength) {
      const size = eventSize(bytes, at, this.#payload.uncompressedSize - this.#decoded);
      if (size > bytes.length - at) {
        if (size > chunkSize) {
          this.#large = Buffer.allocUnsafeSlow(size);
          this.#filled = bytes.copy(this.#large, 0, at);
          at = bytes.length;
        }
        break;
      }
      events.push(this.#decode(bytes, at, at + size));
      at += size;
    }
    this.#rest = bytes.subarray(at);
    return events;
  }

  #fill(large: Buffer, piece: Buffer, events: BinlogEvent[]): number {
    const used = piece.copy(large, this.#filled);
    this.#filled += used;
    if (this.#filled === large.length) {
      this.#large = undefined;
      events.push(this.#decode(large, 0, large.length));
    }
    return used;
  }

  #decode(bytes: Uint8Array, start: number, end: number): BinlogEvent {
    this.#decoded += end - start;
    return this.#decoder.decodeInner(bytes, start, end, this.#decoded === this.#payload.uncompressedSize);
  }

  [Symbol.dispose](): void {
    this.#inflater.destroy();
  }
}

function eventSize(bytes: Uint8Array, at: number, most: number): number {
  const size = bytes.length - at < headerLength ? 0 : uint32At(bytes, at + 9);
  if (size < headerLength || size > most) throw corrupt(`an event of ${size} bytes`);
  return size;
}

function corrupt(message: string, cause?: unknown): MillraceError {
  return new MillraceError('BINLOG_CORRUPT', `a compressed transaction: ${message}`, cause === undefined ? {} : { cause });
}
