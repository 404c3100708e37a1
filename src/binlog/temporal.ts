import { lengthAt } from './field-length.ts';
import { uint32At } from './cursor.ts';

/** `2024-02-29`: 3 bytes, 15 bits year, 4 month, 5 day. Any part may be 0. */
export function dateText(bytes: Uint8Array, at: number): string {
  const value = lengthAt(bytes, at, 3);
  return `${pad(value >> 9, 4)}-${pad((value >> 5) & 15, 2)}-${pad(value & 31, 2)}`;
}

/**
 * `-838:59:59.000000`: 3 bytes big-endian, offset by 2^23: 1 bit unused, 10 hour, 6 minute, 6 second; then the fraction,
 * which for negative times counts down from the second that is further from zero.
 *
 * Source: mysql-server, mysys/my_time.cc, my_time_packed_from_binary.
 */
export function time2Text(bytes: Uint8Array, at: number, digits: number): string {
  let whole = bigEndian(bytes, at, 3) - 0x80_0000;
  const size = (digits + 1) >> 1;
  let fraction = bigEndian(bytes, at + 3, size);
  const negative = whole < 0;
  if (negative) {
    // The two are one number in two's complement.
    if (fraction > 0) {
      whole += 1;
      fraction = 256 ** size - fraction;
    }
    whole = -whole;
  }
  const clock = `${pad((whole >> 12) & 0x3ff, 2)}:${pad((whole >> 6) & 63, 2)}:${pad(whole & 63, 2)}`;
  return (negative ? '-' : '') + clock + fractionText(fraction, size, digits);
}

/**
 * `2024-02-29 23:59:59.999999`: 5 bytes big-endian: 1 bit set, 17 year × 13 + month, 5 day, 5 hour, 6 minute, 6 second;
 * then the fraction.
 *
 * Source: mysql-server, mysys/my_time.cc, my_datetime_packed_from_binary.
 */
export function datetime2Text(bytes: Uint8Array, at: number, digits: number): string {
  // The upper 23 bits behind the first, and the lower 17.
  const months = (bigEndian(bytes, at, 3) & 0x7f_ffff) >> 6;
  const rest = bigEndian(bytes, at + 2, 3) & 0x3f_ffff;
  const date = `${pad((months / 13) | 0, 4)}-${pad(months % 13, 2)}-${pad(rest >> 17, 2)}`;
  const clock = `${pad((rest >> 12) & 31, 2)}:${pad((rest >> 6) & 63, 2)}:${pad(rest & 63, 2)}`;
  const size = (digits + 1) >> 1;
  return `${date} ${clock}${fractionText(bigEndian(bytes, at + 5, size), size, digits)}`;
}

/** `2024-02-29 23:59:59.999` in UTC: 4 bytes big-endian, seconds since 1970, 0 for the zero date; then the fraction. */
export function timestamp2Text(bytes: Uint8Array, at: number, digits: number): string {
  const size = (digits + 1) >> 1;
  return utcText(bigEndian(bytes, at, 4)) + fractionText(bigEndian(bytes, at + 4, size), size, digits);
}

/** The TIMESTAMP of MySQL before 5.6: 4 bytes little-endian. */
export function oldTimestampText(bytes: Uint8Array, at: number): string {
  return utcText(uint32At(bytes, at));
}

/** The TIME of MySQL before 5.6: 3 bytes little-endian, signed, the number hhmmss. */
export function oldTimeText(bytes: Uint8Array, at: number): string {
  const value = (lengthAt(bytes, at, 3) << 8) >> 8;
  const digits = Math.abs(value);
  const clock = `${pad((digits / 10_000) | 0, 2)}:${pad(((digits / 100) | 0) % 100, 2)}:${pad(digits % 100, 2)}`;
  return value < 0 ? `-${clock}` : clock;
}

/** The DATETIME of MySQL before 5.6: 8 bytes little-endian, the number YYYYMMDDhhmmss. */
export function oldDatetimeText(bytes: Uint8Array, at: number): string {
  const value = uint32At(bytes, at) + uint32At(bytes, at + 4) * 0x1_0000_0000;
  const text = pad(value, 14);
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)} ${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12, 14)}`;
}

function utcText(seconds: number): string {
  if (seconds === 0) return '0000-00-00 00:00:00';
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** One byte holds two digits, two bytes four, three bytes six. */
function fractionText(value: number, size: number, digits: number): string {
  return digits === 0 ? '' : `.${pad(value, size * 2).slice(0, digits)}`;
}

function bigEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
