import type { ByteWriter } from '../../base/byte-writer.ts';
import { MillraceError } from '../../base/errors.ts';
import { civilOfDays, daysOfCivil } from '../civil.ts';
import type { JsonReader } from './json-reader.ts';
import type { TemporalUnit } from './value-form.ts';

/*
 * Temporal values of records as cells. Integers count days, milli-, micro- or nanoseconds since the epoch (of TIME: since
 * midnight); texts are ISO 8601, as ZonedTimestamp, IsoDate, IsoTime and IsoTimestamp are.
 */

export type ReadCell = (from: JsonReader, to: ByteWriter) => void;

const secondsPerDay = 86_400;
const quote = 0x22;

/** Seconds and microseconds; the seconds are floored. */
interface Instant {
  seconds: number;
  micros: number;
}

/** The one result of the readers below, which are called once per value. */
const instant: Instant = { seconds: 0, micros: 0 };

const perSecond = { day: 0, milli: 1000, micro: 1_000_000, nano: 1_000_000_000 } as const;

function readInstant(from: JsonReader, unit: TemporalUnit): Instant {
  if (from.peek() === quote) return readIso(from);
  const value = from.integer();
  if (unit === 'day') {
    instant.seconds = (value ?? Number(from.token())) * secondsPerDay;
    instant.micros = 0;
  } else if (value === undefined) {
    const big = BigInt(integerToken(from));
    const each = BigInt(perSecond[unit]);
    const rest = ((big % each) + each) % each;
    instant.seconds = Number((big - rest) / each);
    instant.micros = Math.floor(Number(rest) / (perSecond[unit] / 1_000_000));
  } else {
    const each = perSecond[unit];
    const seconds = Math.floor(value / each);
    instant.seconds = seconds;
    instant.micros = Math.floor(((value - seconds * each) * 1_000_000) / each);
  }
  return instant;
}

function integerToken(from: JsonReader): string {
  const token = from.token();
  if (!/^-?\d+$/.test(token)) throw new MillraceError('CONVERSION_FAILED', `${token} where a date or time is due`);
  return token;
}

const isoForm = /^(?:([+-]?\d{4,})-(\d\d)-(\d\d))?[T ]?(?:(-?\d{2,3}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/;

/** `"2021-03-04T05:06:07.123Z"` byte by byte: nearly all are so. */
function readPlainIso(from: JsonReader): boolean {
  const { bytes, at } = from;
  const isPlain =
    bytes[at + 5] === 0x2d && bytes[at + 8] === 0x2d && bytes[at + 11] === 0x54 && bytes[at + 14] === 0x3a && bytes[at + 17] === 0x3a;
  if (!isPlain) return false;
  const year = two(bytes, at + 1) * 100 + two(bytes, at + 3);
  const days = daysOfCivil(year, two(bytes, at + 6), two(bytes, at + 9));
  const clock = two(bytes, at + 12) * 3600 + two(bytes, at + 15) * 60 + two(bytes, at + 18);
  let end = at + 20;
  let micros = 0;
  if (bytes[end] === 0x2e) {
    let unit = 100_000;
    for (end++; unit >= 1; end++, unit /= 10) {
      const digit = (bytes[end] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      micros += digit * unit;
    }
  }
  if (days === undefined || Number.isNaN(days + clock) || bytes[end] !== 0x5a || bytes[end + 1] !== quote) return false;
  instant.seconds = days * secondsPerDay + clock;
  instant.micros = micros;
  from.at = end + 2;
  return true;
}

/** Two digits; what is none makes a number that is no day, or NaN. */
function two(bytes: Uint8Array, at: number): number {
  const high = (bytes[at] ?? 0) - 0x30;
  const low = (bytes[at + 1] ?? 0) - 0x30;
  return high < 0 || high > 9 || low < 0 || low > 9 ? Number.NaN : high * 10 + low;
}

function readIso(from: JsonReader): Instant {
  if (readPlainIso(from)) return instant;
  const text = from.text();
  const parts = isoForm.exec(text);
  if (parts === null) throw new MillraceError('CONVERSION_FAILED', `"${text}" where a date or time is due`);
  const [, year, month, day, hours = '0', minutes = '0', seconds = '0', fraction = '', zone = 'Z'] = parts;
  const days = year === undefined ? 0 : daysOfCivil(Number(year), Number(month), Number(day));
  if (days === undefined) throw new MillraceError('CONVERSION_FAILED', `"${text}" is no day of the calendar`);
  const clock = (Math.abs(Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  const micros = Number(fraction.padEnd(6, '0').slice(0, 6));
  instant.seconds = days * secondsPerDay + clock - zoneSeconds(zone);
  instant.micros = micros;
  if (hours.startsWith('-')) {
    instant.seconds = micros > 0 ? -clock - 1 : -clock;
    instant.micros = micros > 0 ? 1_000_000 - micros : 0;
  }
  return instant;
}

function zoneSeconds(zone: string): number {
  if (zone === 'Z') return 0;
  const digits = zone.replace(':', '');
  const seconds = Number(digits.slice(1, 3)) * 3600 + Number(digits.slice(3, 5)) * 60;
  return zone.startsWith('-') ? -seconds : seconds;
}

export function dateReader(unit: TemporalUnit): ReadCell {
  return (from, to) => {
    const { seconds } = readInstant(from, unit);
    to.reserve(4);
    to.view.setUint32(to.length, civilOfDays(Math.floor(seconds / secondsPerDay)), true);
    to.length += 4;
  };
}

export function timeReader(unit: TemporalUnit): ReadCell {
  return (from, to) => {
    const { seconds, micros } = readInstant(from, unit);
    writeInt64(to, seconds * 1_000_000 + micros);
  };
}

export function datetimeReader(unit: TemporalUnit): ReadCell {
  return (from, to) => {
    const { seconds, micros } = readInstant(from, unit);
    const days = Math.floor(seconds / secondsPerDay);
    to.reserve(12);
    const { view, length } = to;
    view.setUint32(length, civilOfDays(days), true);
    view.setUint32(length + 4, seconds - days * secondsPerDay, true);
    view.setUint32(length + 8, micros, true);
    to.length += 12;
  };
}

export function timestampReader(unit: TemporalUnit): ReadCell {
  return (from, to) => {
    const { seconds, micros } = readInstant(from, unit);
    writeInt64(to, seconds * 1_000_000 + micros);
  };
}

/** Of an integer within 2^53. */
export function writeInt64(to: ByteWriter, value: number): void {
  to.reserve(8);
  const high = Math.floor(value / 0x1_0000_0000);
  to.view.setUint32(to.length, value - high * 0x1_0000_0000, true);
  to.view.setInt32(to.length + 4, high, true);
  to.length += 8;
}
