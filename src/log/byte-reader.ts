import { MillraceError } from '../base/errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads what a `ByteWriter` wrote, never past `end`. @throws LOG_CORRUPT */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at === this.#end;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** LEB128 below 2^32. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.uint8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw damaged('a number is too long');
  }

  /** How many things of at least one byte each follow. */
  count(): number {
    const count = this.varint();
    if (count > this.#end - this.#at) throw damaged('a count passes the end');
    return count;
  }

  /** A length, then so many bytes of UTF-8. */
  text(): string {
    const length = this.varint();
    const start = this.#take(length);
    try {
      return utf8.decode(this.#bytes.subarray(start, start + length));
    } catch (cause) {
      throw new MillraceError('LOG_CORRUPT', 'A commit group is damaged: a text is not UTF-8', { cause });
    }
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw damaged('it ends too early');
    this.#at = start + length;
    return start;
  }
}

export function damaged(what: string): MillraceError {
  return new MillraceError('LOG_CORRUPT', `A commit group is damaged: ${what}`);
}
