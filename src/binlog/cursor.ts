import { MillraceError } from '../base/errors.ts';

/**
 * A reader of little-endian fields that checks every bound and throws TRUNCATED. For headers, control events and
 * everything else that is not per row; rows have readers of their own.
 */
export class Cursor {
  bytes: Uint8Array;
  /** The next byte to read. */
  at: number;
  /** One past the last byte that may be read. */
  end: number;
  #what: string;

  /** `what` names the structure in error messages. */
  constructor(bytes: Uint8Array, at: number, end: number, what: string) {
    this.bytes = bytes;
    this.at = at;
    this.end = end > bytes.length ? bytes.length : end;
    this.#what = what;
  }

  /** Goes to other bytes: one cursor serves for many events. */
  reset(bytes: Uint8Array, at: number, end: number, what: string): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end > bytes.length ? bytes.length : end;
    this.#what = what;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  uint8(): number {
    return this.#byte(this.#take(1));
  }

  uint16(): number {
    const at = this.#take(2);
    return this.#byte(at) | (this.#byte(at + 1) << 8);
  }

  uint24(): number {
    const at = this.#take(3);
    return this.#byte(at) | (this.#byte(at + 1) << 8) | (this.#byte(at + 2) << 16);
  }

  uint32(): number {
    return uint32At(this.bytes, this.#take(4));
  }

  uint48(): number {
    const at = this.#take(6);
    return uint32At(this.bytes, at) + (this.#byte(at + 4) + this.#byte(at + 5) * 256) * 0x1_0000_0000;
  }

  /** 56 bits; exact only below 2^53, which the microseconds of commit timestamps never reach. */
  uint56(): number {
    const at = this.#take(7);
    return uint32At(this.bytes, at) + ((this.#byte(at + 4) | (this.#byte(at + 5) << 8) | (this.#byte(at + 6) << 16)) >>> 0) * 0x1_0000_0000;
  }

  /** A 64-bit count or position as a number; past 2^53 it is BINLOG_UNSUPPORTED. */
  uint64(): number {
    const at = this.#take(8);
    const high = uint32At(this.bytes, at + 4);
    if (high >= 0x20_0000) {
      throw new MillraceError('BINLOG_UNSUPPORTED', `${this.#what}: a 64-bit number past 2^53 at byte ${at}`);
    }
    return uint32At(this.bytes, at) + high * 0x1_0000_0000;
  }

  uint64BigInt(): bigint {
    const at = this.#take(8);
    return BigInt(uint32At(this.bytes, at)) | (BigInt(uint32At(this.bytes, at + 4)) << 32n);
  }

  /** The length-encoded integer of the client protocol (1, 3, 4 or 9 bytes). */
  lengthEncoded(): number {
    const first = this.uint8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint16();
    if (first === 0xfd) return this.uint24();
    if (first === 0xfe) return this.uint64();
    throw this.corrupt(`a length starts with byte 0x${first.toString(16)}`);
  }

  /** A view of the next `length` bytes. */
  view(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A copy of the next `length` bytes. */
  copy(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(length);
    return copyOf(this.bytes, at, at + length);
  }

  /** The next `length` bytes as UTF-8 text. */
  text(length: number): string {
    const at = this.#take(length);
    return textOf(this.bytes, at, at + length);
  }

  /** All that is left as UTF-8 text. */
  restAsText(): string {
    return this.text(this.end - this.at);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** A BINLOG_CORRUPT error that names the structure. */
  corrupt(message: string): MillraceError {
    return new MillraceError('BINLOG_CORRUPT', `${this.#what}: ${message}`);
  }

  #take(length: number): number {
    const at = this.at;
    if (!(length >= 0 && length <= this.end - at)) {
      throw new MillraceError('TRUNCATED', `${this.#what} ends at byte ${this.end}, ${length} bytes are needed at ${at}`);
    }
    this.at = at + length;
    return at;
  }

  #byte(at: number): number {
    return this.bytes[at] ?? 0;
  }
}

/** Unchecked little-endian 32 bits, unsigned. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

/** A copy of `bytes[start, end)`; `slice` of a Buffer would give a view. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** `bytes[start, end)` as UTF-8 text. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return bufferOf(bytes).toString('utf8', start, end);
}

/** The same bytes as a Buffer, without a copy. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
