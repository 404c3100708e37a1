import type { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import { columnType } from './column-types.ts';
import { uint32At } from './cursor.ts';
import { decimalLength, writeDecimal } from './decimal.ts';
import { appendAscii, fillDigits } from './number-text.ts';

/**
 * Appends a value of an SQL type that JSON does not have: a column type byte, a variable length, the value. DECIMAL
 * (precision, scale, digits as in rows) is printed as a number, DATE, TIME and DATETIME (packed, 8 bytes) as strings, all
 * others as "base64:type15:…".
 *
 * Source: mysql-server, sql-common/json_dom.cc, wrapper_to_string.
 */
export function writeOpaque(source: Uint8Array, at: number, end: number, target: ByteWriter): void {
  if (at + 2 > end) throw damagedJson('it ends in the middle of a value');
  const type = source[at] ?? 0;
  const length = variableLength(source, at + 1, end);
  const from = at + 1 + variableLengthSize(length);
  if (from + length > end) throw damagedJson('a value is longer than the document');
  switch (type) {
    case columnType.newdecimal: {
      const shape = { precision: source[from] ?? 0, scale: source[from + 1] ?? 0 };
      if (shape.scale > shape.precision || decimalLength(shape.precision, shape.scale) + 2 > length) {
        throw damagedJson('a DECIMAL of a wrong length');
      }
      writeDecimal(source, from + 2, shape, target);
      return;
    }
    case columnType.date:
    case columnType.datetime:
    case columnType.timestamp:
      if (length !== 8) throw damagedJson('a date of a wrong length');
      writePackedDatetime(source, from, type === columnType.date, target);
      return;
    case columnType.time:
      if (length !== 8) throw damagedJson('a time of a wrong length');
      writePackedTime(source, from, target);
      return;
    default:
      writeBase64(source, from, length, target, type);
  }
}

/** The encoder of the server breaks the line after 76 characters, and the break is escaped. */
function writeBase64(source: Uint8Array, from: number, length: number, target: ByteWriter, type: number): void {
  appendAscii(target, `"base64:type${type}:`);
  for (let done = 0; done < length; done += 57) {
    const line = Buffer.from(source.buffer, source.byteOffset + from + done, Math.min(57, length - done)).toString('base64');
    appendAscii(target, done === 0 ? line : `\\n${line}`);
  }
  appendAscii(target, '"');
}

/**
 * Packed DATETIME, 64 bits: year × 13 + month, 5 bits day, 5 hour, 6 minute, 6 second, 24 microseconds.
 * Source: mysql-server, mysys/my_time.cc, TIME_to_longlong_datetime_packed.
 */
function writePackedDatetime(source: Uint8Array, from: number, dateOnly: boolean, target: ByteWriter): void {
  const low = uint32At(source, from);
  // The upper 40 bits.
  const seconds = uint32At(source, from + 4) * 256 + (low >>> 24);
  const date = Math.floor(seconds / 0x2_0000);
  const time = seconds % 0x2_0000;
  const months = date >>> 5;
  const year = Math.floor(months / 13);
  if (year > 9999) throw damagedJson(`year ${year}`);
  target.reserve(32);
  const { bytes } = target;
  let to = target.length;
  bytes[to++] = 0x22;
  to = padded(bytes, to, 4, year);
  bytes[to++] = 0x2d;
  to = padded(bytes, to, 2, months % 13);
  bytes[to++] = 0x2d;
  to = padded(bytes, to, 2, date & 0x1f);
  if (!dateOnly) {
    bytes[to++] = 0x20;
    to = writeClock(bytes, to, time >> 12, time & 0xfff);
    to = writeMicros(bytes, to, low & 0xff_ffff);
  }
  bytes[to++] = 0x22;
  target.length = to;
}

/** Packed TIME, 64 bits signed: 10 bits hour, 6 minute, 6 second, 24 microseconds. Source: TIME_to_longlong_time_packed. */
function writePackedTime(source: Uint8Array, from: number, target: ByteWriter): void {
  let low = uint32At(source, from);
  let high = uint32At(source, from + 4) | 0;
  target.reserve(32);
  const { bytes } = target;
  let to = target.length;
  bytes[to++] = 0x22;
  if (high < 0) {
    bytes[to++] = 0x2d;
    high = low === 0 ? -high : ~high;
    low = -low >>> 0;
  }
  const seconds = high * 256 + (low >>> 24);
  to = writeClock(bytes, to, Math.floor(seconds / 0x1000) & 0x3ff, seconds & 0xfff);
  to = writeMicros(bytes, to, low & 0xff_ffff);
  bytes[to++] = 0x22;
  target.length = to;
}

function writeClock(bytes: Uint8Array, at: number, hour: number, rest: number): number {
  let to = padded(bytes, at, hour > 99 ? 3 : 2, hour);
  bytes[to++] = 0x3a;
  to = padded(bytes, to, 2, rest >> 6);
  bytes[to++] = 0x3a;
  return padded(bytes, to, 2, rest & 0x3f);
}

function writeMicros(bytes: Uint8Array, at: number, micros: number): number {
  bytes[at] = 0x2e;
  return padded(bytes, at + 1, 6, micros);
}

function padded(bytes: Uint8Array, at: number, width: number, value: number): number {
  fillDigits(bytes, at + width, at, value);
  return at + width;
}

/** A length in groups of seven bits, lowest first; the high bit of a byte says that another follows. */
export function variableLength(source: Uint8Array, at: number, end: number): number {
  let length = 0;
  for (let i = 0; i < 5 && at + i < end; i++) {
    const byte = source[at + i] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw damagedJson('a length has no end');
}

export function variableLengthSize(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5;
}

export function damagedJson(why: string): MillraceError {
  return new MillraceError('BINLOG_CORRUPT', `a JSON document is damaged: ${why}`);
}
