import type { ByteWriter } from '../base/byte-writer.ts';
import { maxDecimal128Precision, maxDecimal64Precision } from '../event/column-type.ts';

/** Bytes that n leftover digits take, n < 9. */
const leftoverBytes = [0, 1, 1, 2, 2, 3, 3, 4, 4] as const;
const powers = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;
/** Limbs of 16 bits of the scaled value under construction, low first; the row decoder is one thread's. */
const limbs = new Uint32Array(8);

/** Bytes of a stored DECIMAL(precision, scale). */
function decimalBytes(precision: number, scale: number): number {
  const whole = precision - scale;
  return Math.floor(whole / 9) * 4 + (leftoverBytes[whole % 9] ?? 0) + Math.floor(scale / 9) * 4 + (leftoverBytes[scale % 9] ?? 0);
}

/**
 * Reads a stored NEWDECIMAL and writes the canonical cell; returns where it ended. Room must be reserved for fixed
 * widths; the text form reserves for itself. `shape` is precision << 8 | scale.
 *
 *   leftover digits of the whole part, then its groups of 9 digits (4 bytes each), then groups of the fraction, then its
 *   leftover digits; every group big-endian; the first bit is flipped, and all bits of a negative value
 *
 * Source: mysql-server, strings/decimal.cc, decimal2bin.
 */
export function writeDecimal(writer: ByteWriter, bytes: Uint8Array, at: number, shape: number): number {
  const precision = shape >> 8;
  const scale = shape & 0xff;
  const whole = precision - scale;
  const negative = ((bytes[at] ?? 0) & 0x80) === 0;
  if (precision > maxDecimal128Precision) return writeDecimalText(writer, bytes, at, shape);
  const end = at + decimalBytes(precision, scale);
  let next = at;
  if (precision <= 15) {
    // The scaled value is a safe integer.
    let value = 0;
    const lead = whole % 9;
    if (lead > 0) {
      value = group(bytes, next, leftoverBytes[lead] ?? 0, flags(negative, true));
      next += leftoverBytes[lead] ?? 0;
    }
    for (let i = whole - lead; i > 0; i -= 9, next += 4) value = value * 1e9 + group(bytes, next, 4, flags(negative, next === at));
    for (let i = scale; i >= 9; i -= 9, next += 4) value = value * 1e9 + group(bytes, next, 4, flags(negative, next === at));
    const rest = scale % 9;
    if (rest > 0) {
      value = value * (powers[rest] ?? 1) + group(bytes, next, leftoverBytes[rest] ?? 0, flags(negative, next === at));
    }
    const signed = negative ? -value : value;
    const high = Math.floor(signed / 0x1_0000_0000);
    const low = (signed - high * 0x1_0000_0000) | 0;
    const { bytes: out, length } = writer;
    for (let i = 0; i < 4; i++) {
      out[length + i] = (low >>> (8 * i)) & 0xff;
      out[length + 4 + i] = (high >> (8 * i)) & 0xff;
    }
    writer.length = length + 8;
    return end;
  }
  limbs.fill(0);
  const lead = whole % 9;
  if (lead > 0) {
    const size = leftoverBytes[lead] ?? 0;
    multiplyAdd(powers[lead] ?? 1, group(bytes, next, size, flags(negative, next === at)));
    next += size;
  }
  for (let i = whole - lead; i > 0; i -= 9, next += 4) multiplyAdd(1e9, group(bytes, next, 4, flags(negative, next === at)));
  for (let i = scale; i >= 9; i -= 9, next += 4) multiplyAdd(1e9, group(bytes, next, 4, flags(negative, next === at)));
  const rest = scale % 9;
  if (rest > 0) multiplyAdd(powers[rest] ?? 1, group(bytes, next, leftoverBytes[rest] ?? 0, flags(negative, next === at)));
  if (negative) negate();
  const { bytes: out, length } = writer;
  const width = precision <= maxDecimal64Precision ? 8 : 16;
  for (let i = 0; i < width; i += 2) {
    const limb = limbs[i >> 1] ?? 0;
    out[length + i] = limb & 0xff;
    out[length + i + 1] = limb >>> 8;
  }
  writer.length = length + width;
  return end;
}

/** What to flip in a group: all bits of a negative value, and the very first bit of every value. */
function flags(negative: boolean, isFirst: boolean): number {
  return (negative ? 0xff : 0) | (isFirst ? 0x8000 : 0);
}

function group(bytes: Uint8Array, at: number, size: number, flip: number): number {
  let value = (bytes[at] ?? 0) ^ (flip & 0xff) ^ (flip >> 8);
  for (let i = 1; i < size; i++) value = value * 256 + ((bytes[at + i] ?? 0) ^ (flip & 0xff));
  return value;
}

function multiplyAdd(factor: number, addend: number): void {
  let carry = addend;
  for (let i = 0; i < limbs.length; i++) {
    // Below 2^16 · 10^9 + 2^34: exact.
    const value = (limbs[i] ?? 0) * factor + carry;
    carry = Math.floor(value / 65_536);
    limbs[i] = value - carry * 65_536;
  }
}

function negate(): void {
  let carry = 1;
  for (let i = 0; i < limbs.length; i++) {
    const value = ((limbs[i] ?? 0) ^ 0xffff) + carry;
    limbs[i] = value & 0xffff;
    carry = value >>> 16;
  }
}

function writeDecimalText(writer: ByteWriter, bytes: Uint8Array, at: number, shape: number): number {
  const precision = shape >> 8;
  const scale = shape & 0xff;
  const whole = precision - scale;
  const negative = ((bytes[at] ?? 0) & 0x80) === 0;
  let next = at;
  let digits = '';
  const take = (count: number): void => {
    const size = count === 9 ? 4 : (leftoverBytes[count] ?? 0);
    digits += String(group(bytes, next, size, flags(negative, next === at))).padStart(count, '0');
    next += size;
  };
  const lead = whole % 9;
  if (lead > 0) take(lead);
  for (let i = whole - lead; i > 0; i -= 9) take(9);
  for (let i = scale; i >= 9; i -= 9) take(9);
  if (scale % 9 > 0) take(scale % 9);
  const integer = digits.slice(0, whole).replace(/^0+(?=\d)/, '') || '0';
  const text = scale === 0 ? integer : `${integer}.${digits.slice(whole)}`;
  const signed = negative && /[1-9]/.test(digits) ? `-${text}` : text;
  writer.reserve(signed.length + 1);
  writer.varint(signed.length);
  for (let i = 0; i < signed.length; i++) writer.bytes[writer.length++] = signed.charCodeAt(i);
  return next;
}
