import type { ByteWriter } from '../base/byte-writer.ts';

/**
 * JSON tokens as Kafka's JsonConverter (Jackson) writes them, straight from cell bytes into a `ByteWriter`: characters
 * beyond the Basic Multilingual Plane are escaped as two surrogates, control characters with upper-case hex digits,
 * everything else is UTF-8 as it is.
 */

const quote = 0x22;
const backslash = 0x5c;
const hexDigits = Buffer.from('0123456789ABCDEF');
const lowerHexDigits = Buffer.from('0123456789abcdef');
const base64Digits = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const base64UrlDigits = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** 1: the byte stands for itself in JSON text; 0: it is escaped, or leads a character that is. */
const plain = new Uint8Array(256).fill(1);
plain.fill(0, 0, 0x20);
plain[quote] = 0;
plain[backslash] = 0;
plain.fill(0, 0xf0);

/** Second character of a two-character escape by byte; 0: `\u00XX`. */
const shortEscape = new Uint8Array(0x60);
for (const [byte, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)])) {
  shortEscape[byte ?? 0] = letter ?? 0;
}

/** The UTF-8 bytes of a text, for constants. */
export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

/** A text as a JSON string in Jackson's form. */
export function jsonString(text: string): string {
  // an escaped backslash is taken whole, so that what follows it is no escape
  const escaped = JSON.stringify(text).replace(/\\(?:u00([0-9a-f]{2})|.)/g, (match, hex?: string) =>
    hex === undefined ? match : `\\u00${hex.toUpperCase()}`,
  );
  return escaped.replace(/[\u{10000}-\u{10ffff}]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase()}`)
      .join(''),
  );
}

export function writeBytes(out: ByteWriter, bytes: Uint8Array): void {
  const size = bytes.length;
  out.reserve(size);
  const target = out.bytes;
  const at = out.length;
  if (size < 32) for (let i = 0; i < size; i++) target[at + i] = bytes[i] ?? 0;
  else target.set(bytes, at);
  out.length = at + size;
}

/** Text of ASCII characters only, without quotes. */
export function writeAscii(out: ByteWriter, text: string): void {
  const size = text.length;
  out.reserve(size);
  const target = out.bytes;
  const at = out.length;
  for (let i = 0; i < size; i++) target[at + i] = text.charCodeAt(i);
  out.length = at + size;
}

/** The UTF-8 text `source[start, end)` as a JSON string. */
export function writeText(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  out.reserve(end - start + 2);
  let target = out.bytes;
  let at = out.length;
  target[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = source[i] ?? 0;
    if (plain[byte] === 1) {
      target[at++] = byte;
      continue;
    }
    out.length = at;
    out.reserve(end - i + 13);
    if (byte >= 0xf0) {
      writeSurrogates(out, source, i);
      i += 3;
    } else {
      writeEscape(out, byte);
    }
    target = out.bytes;
    at = out.length;
  }
  target[at++] = quote;
  out.length = at;
}

/**
 * The JSON document `source[start, end)`, as the server prints it, as a JSON string; without the blanks that the server
 * puts behind commas and colons.
 */
export function writeCompactDocument(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  // a document has no bare control characters; four bytes become twelve at most
  out.reserve((end - start) * 3 + 2);
  const target = out.bytes;
  let at = out.length;
  let inString = false;
  target[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = source[i] ?? 0;
    if (byte === quote) {
      inString = !inString;
      target[at++] = backslash;
      target[at++] = quote;
    } else if (byte === backslash) {
      // the character behind it, which can be a quote, does not end the string
      const next = source[++i] ?? 0;
      target[at++] = backslash;
      target[at++] = backslash;
      if (next === quote || next === backslash) target[at++] = backslash;
      target[at++] = next;
    } else if (byte >= 0xf0) {
      out.length = at;
      writeSurrogates(out, source, i);
      at = out.length;
      i += 3;
    } else if (byte !== 0x20 || inString) {
      target[at++] = byte;
    }
  }
  target[at++] = quote;
  out.length = at;
}

function writeEscape(out: ByteWriter, byte: number): void {
  const target = out.bytes;
  let at = out.length;
  target[at++] = backslash;
  const letter = shortEscape[byte] ?? 0;
  if (letter !== 0) {
    target[at++] = letter;
  } else {
    target[at++] = 0x75; // u
    target[at++] = 0x30;
    target[at++] = 0x30;
    target[at++] = hexDigits[byte >> 4] ?? 0;
    target[at++] = hexDigits[byte & 15] ?? 0;
  }
  out.length = at;
}

function writeSurrogates(out: ByteWriter, source: Uint8Array, at: number): void {
  const first = source[at] ?? 0;
  const tail = (((source[at + 1] ?? 0) & 63) << 12) | (((source[at + 2] ?? 0) & 63) << 6) | ((source[at + 3] ?? 0) & 63);
  const offset = (((first & 7) << 18) | tail) - 0x10000;
  writeUnit(out, 0xd800 | (offset >> 10));
  writeUnit(out, 0xdc00 | (offset & 0x3ff));
}

function writeUnit(out: ByteWriter, unit: number): void {
  const target = out.bytes;
  let at = out.length;
  target[at++] = backslash;
  target[at++] = 0x75; // u
  for (let shift = 12; shift >= 0; shift -= 4) target[at++] = hexDigits[(unit >> shift) & 15] ?? 0;
  out.length = at;
}

/** An integer up to 2^53. */
export function writeInteger(out: ByteWriter, value: number): void {
  out.reserve(20);
  let rest = value;
  if (rest < 0) {
    out.bytes[out.length++] = 0x2d;
    rest = -rest;
  }
  if (rest < 1_000_000_000) {
    writeSmall(out, rest, 1);
  } else {
    const high = Math.floor(rest / 1e9);
    writeSmall(out, high, 1);
    writeSmall(out, rest - high * 1e9, 9);
  }
}

/** An integer with at least so many digits, zeros in front. */
export function writePadded(out: ByteWriter, value: number, digits: number): void {
  out.reserve(10);
  writeSmall(out, value, digits);
}

/** Of an integer below 10^9. */
function writeSmall(out: ByteWriter, value: number, digits: number): void {
  const size = Math.max(digits, digitsOf(value));
  const target = out.bytes;
  let at = out.length + size;
  out.length = at;
  let rest = value | 0;
  for (let i = 0; i < size; i++) {
    const next = (rest / 10) | 0;
    target[--at] = 0x30 + rest - next * 10;
    rest = next;
  }
}

function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  return value < 100_000_000 ? 8 : 9;
}

/** A signed 64-bit integer of its two halves. */
export function writeInt64(out: ByteWriter, high: number, low: number): void {
  if (high >= -0x200000 && high < 0x200000) writeInteger(out, high * 0x1_0000_0000 + low);
  else writeAscii(out, ((BigInt(high) << 32n) | BigInt(low)).toString());
}

/** Standard (or URL-safe) base64 with padding, in quotes. */
export function writeBase64(out: ByteWriter, source: Uint8Array, start: number, end: number, urlSafe = false): void {
  const digits = urlSafe ? base64UrlDigits : base64Digits;
  out.reserve(Math.ceil((end - start) / 3) * 4 + 2);
  const target = out.bytes;
  let at = out.length;
  target[at++] = quote;
  let i = start;
  for (; i + 2 < end; i += 3) {
    const three = ((source[i] ?? 0) << 16) | ((source[i + 1] ?? 0) << 8) | (source[i + 2] ?? 0);
    target[at++] = digits[three >> 18] ?? 0;
    target[at++] = digits[(three >> 12) & 63] ?? 0;
    target[at++] = digits[(three >> 6) & 63] ?? 0;
    target[at++] = digits[three & 63] ?? 0;
  }
  if (i < end) {
    const two = ((source[i] ?? 0) << 8) | (i + 1 < end ? (source[i + 1] ?? 0) : 0);
    target[at++] = digits[two >> 10] ?? 0;
    target[at++] = digits[(two >> 4) & 63] ?? 0;
    target[at++] = i + 1 < end ? (digits[(two << 2) & 63] ?? 0) : 0x3d;
    target[at++] = 0x3d;
  }
  target[at++] = quote;
  out.length = at;
}

/** Lower-case hexadecimal, in quotes. */
export function writeHex(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  out.reserve((end - start) * 2 + 2);
  const target = out.bytes;
  let at = out.length;
  target[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = source[i] ?? 0;
    target[at++] = lowerHexDigits[byte >> 4] ?? 0;
    target[at++] = lowerHexDigits[byte & 15] ?? 0;
  }
  target[at++] = quote;
  out.length = at;
}
