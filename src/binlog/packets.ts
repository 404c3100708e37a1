import { MillraceError } from '../base/errors.ts';
import { uint32At } from './cursor.ts';

const largestPayload = 0xff_ffff;
/** The server's own limit of an event is 1 GiB; a little more leaves room for what surrounds it. */
const largestEvent = 1024 * 1024 * 1024 + 1024 * 1024;
const noBytes = Buffer.alloc(0);

/**
 * Cuts the bytes that come from a socket into the packets of the client protocol. A packet that lies in one chunk is
 * given as a view of it; one that is spread over chunks, or over several packets of 16 MiB, is copied together.
 * Chunks are not kept longer than needed, so that their sum (`unread`) is a measure for back-pressure even while one
 * packet of 1 GiB arrives.
 *
 *   3  length of the payload; 0xffffff: the payload goes on in the next packet
 *   1  sequence number, one more than that of the packet before, modulo 256
 *   …  payload
 *
 * Source: mysql-server, "MySQL Packets"; the views stay valid as long as they are referenced.
 */
export class PacketReader {
  /** After `next()` gave true: the payload is `bytes[start, end)`. */
  bytes: Uint8Array = noBytes;
  start = 0;
  end = 0;

  #chunks: Buffer[] = [];
  #chunk: Buffer = noBytes;
  #at = 0;
  #waiting = 0;
  #sequence: number;

  // A payload that is being copied together: how much of `#parts` is there, and how much the current packet still brings.
  #parts: Buffer | undefined;
  #filled = 0;
  #packetLeft = 0;
  #continues = false;

  /** `sequence` is the number that the first packet must have: 1 for the answer to a command. */
  constructor(sequence: number) {
    this.#sequence = sequence;
  }

  /** Bytes that came and were not yet given out. */
  get unread(): number {
    return this.#waiting + (this.#chunk.length - this.#at);
  }

  push(chunk: Buffer): void {
    if (this.#at === this.#chunk.length && this.#chunks.length === 0) {
      this.#chunk = chunk;
      this.#at = 0;
    } else {
      this.#chunks.push(chunk);
      this.#waiting += chunk.length;
    }
  }

  /**
   * Goes to the next packet; false if it is not there completely.
   * @throws BINLOG_CORRUPT when the framing is broken
   */
  next(): boolean {
    if (this.#parts !== undefined) return this.#assemble(this.#parts);
    const chunk = this.#chunk;
    const at = this.#at;
    if (chunk.length - at >= 4) {
      const length = (chunk[at] ?? 0) | ((chunk[at + 1] ?? 0) << 8) | ((chunk[at + 2] ?? 0) << 16);
      const end = at + 4 + length;
      if (end <= chunk.length && length !== largestPayload) {
        this.#checkSequence(chunk[at + 3] ?? 0);
        this.bytes = chunk;
        this.start = at + 4;
        this.end = end;
        this.#at = end;
        return true;
      }
    }
    return this.#begin();
  }

  /** Starts to copy a payload together, if at least its header is there. */
  #begin(): boolean {
    if (this.unread < 4) return false;
    const length = this.#takeHeader();
    this.#packetLeft = length;
    this.#continues = length === largestPayload;
    this.#filled = 0;
    this.#parts = Buffer.allocUnsafeSlow(length);
    return this.#assemble(this.#parts);
  }

  #assemble(into: Buffer): boolean {
    let parts = into;
    for (;;) {
      this.#copyTo(parts);
      if (this.#packetLeft > 0) return false;
      if (!this.#continues) break;
      if (this.unread < 4) return false;
      const length = this.#takeHeader();
      this.#continues = length === largestPayload;
      this.#packetLeft = length;
      parts = this.#grow(parts, this.#filled + length);
    }
    this.#parts = undefined;
    this.bytes = parts;
    this.start = 0;
    this.end = this.#filled;
    return true;
  }

  /** Room for `needed` bytes; the first time, for the whole event, whose header says its size behind the OK byte. */
  #grow(parts: Buffer, needed: number): Buffer {
    const announced = 1 + uint32At(parts, 1 + 9);
    const size = Math.max(needed, parts.length, announced > largestEvent ? 0 : announced);
    if (size > largestEvent) throw new MillraceError('BINLOG_CORRUPT', `a packet of more than ${largestEvent} bytes`);
    if (size === parts.length) return parts;
    const grown = Buffer.allocUnsafeSlow(size);
    parts.copy(grown, 0, 0, this.#filled);
    this.#parts = grown;
    return grown;
  }

  #copyTo(parts: Buffer): void {
    while (this.#packetLeft > 0 && this.unread > 0) {
      if (this.#at === this.#chunk.length) this.#nextChunk();
      const count = Math.min(this.#packetLeft, this.#chunk.length - this.#at);
      this.#chunk.copy(parts, this.#filled, this.#at, this.#at + count);
      this.#at += count;
      this.#filled += count;
      this.#packetLeft -= count;
    }
  }

  /** Consumes the four bytes of a header; gives the payload's length. */
  #takeHeader(): number {
    const length = this.#takeByte() | (this.#takeByte() << 8) | (this.#takeByte() << 16);
    this.#checkSequence(this.#takeByte());
    return length;
  }

  #takeByte(): number {
    while (this.#at === this.#chunk.length) this.#nextChunk();
    return this.#chunk[this.#at++] ?? 0;
  }

  #nextChunk(): void {
    this.#chunk = this.#chunks.shift() ?? noBytes;
    this.#waiting -= this.#chunk.length;
    this.#at = 0;
  }

  #checkSequence(sequence: number): void {
    if (sequence !== this.#sequence) {
      throw new MillraceError('BINLOG_CORRUPT', `packet ${sequence} came where ${this.#sequence} was due`, { retriable: true });
    }
    this.#sequence = (sequence + 1) & 0xff;
  }
}
