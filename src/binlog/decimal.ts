import type { ByteWriter } from '../base/byte-writer.ts';
import { fillDigits, writeDigits } from './number-text.ts';

/** Bytes that hold the digits left over from groups of nine. */
const bytesOfDigits = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

/** Bytes of a DECIMAL(precision, scale) in a row image. */
export function decimalLength(precision: number, scale: number): number {
  const whole = precision - scale;
  return ((whole / 9) | 0) * 4 + (bytesOfDigits[whole % 9] ?? 0) + ((scale / 9) | 0) * 4 + (bytesOfDigits[scale % 9] ?? 0);
}

/**
 * Appends the DECIMAL(precision, scale) at `bytes[at, …)` as text: no leading zeros, all `scale` digits.
 *
 * Digits before and behind the point are stored in groups of nine, each a big-endian number of four bytes; what is left
 * over stands first before the point and last behind it, in as few bytes as hold it. The first bit is inverted, and all
 * bits of a negative number.
 *
 * Source: mysql-server, strings/decimal.cc, decimal2bin.
 */
export function writeDecimal(
  bytes: Uint8Array,
  at: number,
  shape: { readonly precision: number; readonly scale: number },
  target: ByteWriter,
): void {
  const { precision, scale } = shape;
  const whole = precision - scale;
  const first = bytes[at] ?? 0;
  const negative = (first & 0x80) === 0;
  const mask = negative ? 0xff : 0;
  target.reserve(precision + 16);
  const out = target.bytes;
  const start = target.length;
  let to = start;
  if (negative) out[to++] = 0x2d;
  const digits = to;
  let from = at;
  const rest = whole % 9;
  if (rest > 0) {
    const size = bytesOfDigits[rest] ?? 0;
    const value = readGroup(bytes, from, size, mask, from === at);
    if (value !== 0) to = writeDigits(out, to, value);
    from += size;
  }
  for (let left = whole - rest; left > 0; left -= 9) {
    const value = readGroup(bytes, from, 4, mask, from === at);
    if (to > digits) {
      fillDigits(out, to + 9, to, value);
      to += 9;
    } else if (value !== 0) {
      to = writeDigits(out, to, value);
    }
    from += 4;
  }
  if (to === digits) out[to++] = 0x30;
  if (scale > 0) {
    out[to++] = 0x2e;
    for (let left = scale; left > 0; left -= 9) {
      const count = left < 9 ? left : 9;
      const size = bytesOfDigits[count] ?? 0;
      fillDigits(out, to + count, to, readGroup(bytes, from, size, mask, from === at));
      to += count;
      from += size;
    }
  }
  target.length = to;
}

function readGroup(bytes: Uint8Array, at: number, size: number, mask: number, isFirst: boolean): number {
  let value = ((bytes[at] ?? 0) ^ mask ^ (isFirst ? 0x80 : 0)) & 0xff;
  for (let i = 1; i < size; i++) value = value * 256 + (((bytes[at + i] ?? 0) ^ mask) & 0xff);
  return value;
}
