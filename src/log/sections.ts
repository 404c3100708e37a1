import { damaged } from './byte-reader.ts';

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Bytes that `length` bytes take with the gap to the next multiple of 8. */
export function sectionSize(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Writes columns one after the other, each from a multiple of 8 on. The target starts zeroed, the gaps stay so. */
export class SectionWriter {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = sectionSize(start);
  }

  /** The elements from `start` to `end`. */
  write(column: Column, start: number, end: number): void {
    const size = column.BYTES_PER_ELEMENT;
    const length = (end - start) * size;
    this.#bytes.set(new Uint8Array(column.buffer, column.byteOffset + start * size, length), this.#at);
    this.#at += sectionSize(length);
  }
}

/** Hands out views of the columns that a `SectionWriter` wrote; `bytes` must begin at a multiple of 8 in its buffer. */
export class SectionReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = sectionSize(start);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  uint8(count: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#take(count), count);
  }

  uint16(count: number): Uint16Array {
    return new Uint16Array(this.#bytes.buffer, this.#take(2 * count), count);
  }

  uint32(count: number): Uint32Array {
    return new Uint32Array(this.#bytes.buffer, this.#take(4 * count), count);
  }

  float64(count: number): Float64Array {
    return new Float64Array(this.#bytes.buffer, this.#take(8 * count), count);
  }

  #take(length: number): number {
    const start = this.#at;
    if (sectionSize(length) > this.#bytes.length - start) throw damaged('a column passes the end');
    this.#at = start + sectionSize(length);
    return this.#bytes.byteOffset + start;
  }
}
