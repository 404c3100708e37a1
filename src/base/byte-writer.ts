/**
 * A growing byte buffer for encoders. Hot code calls `reserve(n)` once for the most that it will write, then
 * stores into `bytes` at `length` by hand and advances `length`; `bytes` may be another array after `reserve`.
 */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` further bytes; existing content is kept. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    let capacity = this.bytes.length * 2;
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  uint8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** LEB128, for lengths below 2^32: seven bits a byte, low bits first, the high bit says "more". */
  varint(value: number): void {
    this.reserve(5);
    const bytes = this.bytes;
    let at = this.length;
    let rest = value;
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.length = at;
  }

  /** Appends a copy of `source[start, end)`. */
  raw(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size);
    const bytes = this.bytes;
    let at = this.length;
    if (size <= 24) {
      for (let i = start; i < end; i++) bytes[at++] = source[i] ?? 0;
    } else {
      bytes.set(source.subarray(start, end), at);
    }
    this.length += size;
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** Forgets the content, keeps the memory. */
  clear(): void {
    this.length = 0;
  }
}
