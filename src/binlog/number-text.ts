import type { ByteWriter } from '../base/byte-writer.ts';

/** Bytes that the longest number of `writeInt64` and `writeDouble` takes. */
export const longestNumber = 40;

/** Writes a whole number from 0 to 2^53 as decimal digits; room for 17 must be reserved. Gives the place behind it. */
export function writeDigits(bytes: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    bytes[at] = 48 + value;
    return at + 1;
  }
  if (value < 1e9) {
    const end = at + digitCount(value);
    fillDigits(bytes, end, at, value);
    return end;
  }
  const high = Math.floor(value / 1e9);
  const middle = writeDigits(bytes, at, high);
  fillDigits(bytes, middle + 9, middle, value - high * 1e9);
  return middle + 9;
}

/** Writes `value` below 2^31 with leading zeros into `bytes[start, end)`. */
export function fillDigits(bytes: Uint8Array, end: number, start: number, value: number): void {
  let rest = value | 0;
  for (let at = end - 1; at >= start; at--) {
    const next = (rest / 10) | 0;
    bytes[at] = 48 + rest - next * 10;
    rest = next;
  }
}

function digitCount(value: number): number {
  if (value < 1e4) return value < 100 ? 2 : value < 1e3 ? 3 : 4;
  if (value < 1e6) return value < 1e5 ? 5 : 6;
  return value < 1e7 ? 7 : value < 1e8 ? 8 : 9;
}

/** Appends a 64-bit integer, given as its upper half, signed or not, and its lower half, unsigned. */
export function writeInt64(target: ByteWriter, high: number, low: number): void {
  target.reserve(longestNumber);
  const { bytes } = target;
  let at = target.length;
  let value = high * 0x1_0000_0000 + low;
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
    appendAscii(target, ((BigInt(high) << 32n) | BigInt(low)).toString());
    return;
  }
  if (value < 0) {
    bytes[at++] = 0x2d;
    value = -value;
  }
  target.length = writeDigits(bytes, at, value);
}

/** Appends a double as the server prints it in JSON: the shortest digits that read back to it, always with `.` or `e`. */
export function writeDouble(target: ByteWriter, value: number): void {
  target.reserve(longestNumber);
  const magnitude = value < 0 ? -value : value;
  if (magnitude < 1e15 && Math.floor(magnitude) === magnitude) {
    const { bytes } = target;
    let at = target.length;
    if (value < 0 || Object.is(value, -0)) bytes[at++] = 0x2d;
    at = writeDigits(bytes, at, magnitude);
    bytes[at++] = 0x2e;
    bytes[at++] = 0x30;
    target.length = at;
    return;
  }
  appendAscii(target, magnitude >= 1e-6 && magnitude < 1e15 ? `${value}` : formatDouble(value));
}

/**
 * The server prints d digits, the point at p behind the first, without exponent if -14 <= p <= 15 or a digit stands
 * behind the point; JavaScript changes to exponents at other places.
 *
 * Source: mysql-server, strings/dtoa.cc, my_gcvt with a width of 34.
 */
function formatDouble(value: number): string {
  const sign = value < 0 ? '-' : '';
  const text = `${Math.abs(value)}`;
  const e = text.indexOf('e');
  if (e < 0) {
    if (text.includes('.')) return sign + text;
    // Whole, and 16 to 21 digits long.
    const digits = text.replace(/0+$/, '');
    return `${sign}${digits[0] ?? ''}${digits.length > 1 ? '.' : ''}${digits.slice(1)}e${text.length - 1}`;
  }
  const mantissa = text.slice(0, e);
  const exponent = Number(text.slice(e + 1));
  if (exponent < -15 || exponent > 0) return `${sign}${mantissa}e${exponent}`;
  return `${sign}0.${'0'.repeat(-exponent - 1)}${mantissa.replace('.', '')}`;
}

/** Appends ASCII text. */
export function appendAscii(target: ByteWriter, text: string): void {
  target.reserve(text.length);
  const { bytes } = target;
  let at = target.length;
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  target.length = at;
}
