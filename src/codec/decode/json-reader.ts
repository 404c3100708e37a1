import type { ByteWriter } from '../../base/byte-writer.ts';
import { MillraceError } from '../../base/errors.ts';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * A cursor over the bytes of a JSON text. Numbers keep all their digits and texts stay bytes: nothing becomes a JavaScript
 * value that need not. Callers ask for one value after another; `at` stands before the next one.
 */
export class JsonReader {
  bytes: Uint8Array;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  reset(bytes: Uint8Array, at = 0, end = bytes.length): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** First byte of the next value: `"`, `{`, `[`, `-`, a digit, `t`, `f` or `n`. @throws CONVERSION_FAILED at the end */
  peek(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at] ?? 0;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at] ?? 0;
    if (at >= this.end) throw this.fault('it ends where a value is due');
    this.at = at;
    return byte;
  }

  /** Whether the next value is null; the cursor moves behind it if it is. */
  takeNull(): boolean {
    if (this.peek() !== 0x6e) return false;
    this.at += 4;
    return true;
  }

  /** Moves into an object or array. False: it is empty, and the cursor behind it. */
  enter(open: typeof openBrace | typeof openBracket): boolean {
    if (this.peek() !== open) throw this.fault(open === openBrace ? 'an object is due' : 'an array is due');
    this.at++;
    if (this.peek() !== open + 2) return true;
    this.at++;
    return false;
  }

  enterObject(): boolean {
    return this.enter(openBrace);
  }

  enterArray(): boolean {
    return this.enter(openBracket);
  }

  /** Behind a member or element: whether another one follows. */
  next(): boolean {
    const byte = this.peek();
    this.at++;
    if (byte === comma) return true;
    if (byte === closeBrace || byte === closeBracket) return false;
    this.at--;
    throw this.fault('a comma or a closing bracket is due');
  }

  /** Moves behind `"name":` if it is the next member's; `label` has quotes and colon. */
  takeLabel(label: Uint8Array): boolean {
    const { bytes, at } = this;
    const { length } = label;
    if (at + length > this.end) return false;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== label[i]) return false;
    this.at = at + length;
    return true;
  }

  /** The next member's name. */
  name(): string {
    const name = this.text();
    if (this.peek() !== colon) throw this.fault('a colon is due');
    this.at++;
    return name;
  }

  /** The next value, which is a text. */
  text(): string {
    if (this.peek() !== quote) throw this.fault('a text is due');
    const { bytes } = this;
    const start = this.at;
    const escaped = this.#skipText();
    const token = Buffer.from(bytes.buffer, bytes.byteOffset + start, this.at - start);
    if (!escaped) return token.toString('utf8', 1, token.length - 1);
    const value: unknown = this.#parse(token.toString('utf8'));
    return String(value);
  }

  /**
   * Appends the next value, which is a text, as UTF-8 with its LEB128 length before it.
   */
  copyText(to: ByteWriter): void {
    if (this.peek() !== quote) throw this.fault('a text is due');
    const start = this.at;
    if (this.#skipText()) {
      this.at = start;
      const bytes = Buffer.from(this.text(), 'utf8');
      to.varint(bytes.length);
      to.raw(bytes, 0, bytes.length);
      return;
    }
    to.varint(this.at - start - 2);
    to.raw(this.bytes, start + 1, this.at - 1);
  }

  /** The next value's text as it stands, of a number, boolean or null. */
  token(): string {
    this.peek();
    const start = this.at;
    this.skip();
    const { bytes } = this;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, this.at - start).toString('latin1');
  }

  /** The next value, whatever it is, as its bytes are. */
  raw(): Uint8Array {
    this.peek();
    const start = this.at;
    this.skip();
    return this.bytes.subarray(start, this.at);
  }

  /**
   * The next value, an integer within 2^53; undefined and not moved where it is another number, or larger.
   */
  integer(): number | undefined {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at] ?? 0;
    const negative = byte === 0x2d;
    if (negative) byte = bytes[++at] ?? 0;
    const first = at;
    let value = 0;
    while (byte >= 0x30 && byte <= 0x39) {
      value = value * 10 + (byte - 0x30);
      byte = bytes[++at] ?? 0;
    }
    if (at === first || at - first > 16 || value > Number.MAX_SAFE_INTEGER || byte === 0x2e || byte === 0x65 || byte === 0x45) {
      return undefined;
    }
    this.at = at;
    return negative ? -value : value;
  }

  /** Moves behind the next value. */
  skip(): void {
    const byte = this.peek();
    if (byte === quote) {
      this.#skipText();
    } else if (byte === openBrace || byte === openBracket) {
      this.#skipNested();
    } else {
      const { bytes, end } = this;
      let at = this.at;
      for (; at < end; at++) {
        const each = bytes[at] ?? 0;
        if (each === comma || each === closeBrace || each === closeBracket || each <= 0x20) break;
      }
      this.at = at;
    }
  }

  fault(what: string): MillraceError {
    const { bytes, at, end } = this;
    const near = Buffer.from(bytes.subarray(Math.max(0, at - 20), Math.min(end, at + 20))).toString('utf8');
    return new MillraceError('CONVERSION_FAILED', `the text is no JSON as expected: at byte ${at} (… ${near} …) ${what}`);
  }

  /** Whether it has escapes. */
  #skipText(): boolean {
    const { bytes, end } = this;
    let at = this.at + 1;
    let escaped = false;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === quote) {
        this.at = at + 1;
        return escaped;
      }
      if (byte === backslash) {
        escaped = true;
        at++;
      }
    }
    throw this.fault('a text does not end');
  }

  #skipNested(): void {
    const { bytes, end } = this;
    let depth = 0;
    for (let at = this.at; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === quote) {
        for (at++; at < end && bytes[at] !== quote; at++) if (bytes[at] === backslash) at++;
      } else if (byte === openBrace || byte === openBracket) {
        depth++;
      } else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) {
        this.at = at + 1;
        return;
      }
    }
    throw this.fault('an object or array does not end');
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.fault('a text has a wrong escape');
    }
  }
}

/** A member's name as it stands before its value: `"name":`. */
export function jsonLabel(name: string): Uint8Array {
  return Buffer.from(`${JSON.stringify(name)}:`, 'utf8');
}
