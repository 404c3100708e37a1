import { writeHalves } from './text-number.ts';

/**
 * Temporal texts to cells. Every function reads `bytes[from, stop)`, writes at `out[to]` and returns the position after
 * the cell, or -1 when the text is not of its form. Zero and invalid dates pass as they are.
 */

/** `YYYY-MM-DD` */
export function writeDate(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number): number {
  if (stop - from !== 10) return -1;
  const date = readDate(bytes, from);
  if (date < 0) return -1;
  writeUint32(out, to, date);
  return to + 4;
}

/** `YYYY-MM-DD hh:mm:ss[.f]` */
export function writeDatetime(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number): number {
  const date = stop - from < 19 ? -1 : readDate(bytes, from);
  const seconds = readClock(bytes, from + 11);
  const micros = readFraction(bytes, from + 19, stop);
  if (date < 0 || seconds < 0 || micros < 0) return -1;
  writeUint32(out, to, date);
  writeUint32(out, to + 4, seconds);
  writeUint32(out, to + 8, micros);
  return to + 12;
}

/** As a datetime, in UTC. */
export function writeTimestamp(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number): number {
  const date = stop - from < 19 ? -1 : readDate(bytes, from);
  const seconds = readClock(bytes, from + 11);
  const micros = readFraction(bytes, from + 19, stop);
  if (date < 0 || seconds < 0 || micros < 0) return -1;
  // The zero timestamp is the only one with a zero date.
  const since = date === 0 ? 0 : (daysSinceEpoch(date >>> 9, (date >>> 5) & 15, date & 31) * 86_400 + seconds) * 1e6 + micros;
  writeMicros(out, to, since, false);
  return to + 8;
}

/** `[-]h…h:mm:ss[.f]`, up to 838 hours */
export function writeTime(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number): number {
  let at = from;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  let hours = 0;
  for (; at < stop && bytes[at] !== 0x3a; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    hours = hours * 10 + digit;
  }
  if (stop - at < 6) return -1;
  const minutes = twoDigits(bytes, at + 1);
  const seconds = twoDigits(bytes, at + 4);
  const micros = readFraction(bytes, at + 6, stop);
  if (minutes < 0 || seconds < 0 || micros < 0) return -1;
  writeMicros(out, to, ((hours * 60 + minutes) * 60 + seconds) * 1e6 + micros, negative);
  return to + 8;
}

function readDate(bytes: Uint8Array, at: number): number {
  const century = twoDigits(bytes, at);
  const year = twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (century < 0 || year < 0 || month < 0 || day < 0 || bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return -1;
  return ((century * 100 + year) << 9) | (month << 5) | day;
}

function readClock(bytes: Uint8Array, at: number): number {
  const hours = twoDigits(bytes, at);
  const minutes = twoDigits(bytes, at + 3);
  const seconds = twoDigits(bytes, at + 6);
  if (hours < 0 || minutes < 0 || seconds < 0) return -1;
  return (hours * 60 + minutes) * 60 + seconds;
}

/** Microseconds of `.f…`, 0 when nothing is left. */
function readFraction(bytes: Uint8Array, from: number, stop: number): number {
  if (from === stop) return 0;
  if (bytes[from] !== 0x2e || stop - from > 7) return -1;
  let micros = 0;
  for (let i = 1; i <= 6; i++) {
    const digit = from + i < stop ? (bytes[from + i] ?? 0) - 48 : 0;
    if (digit < 0 || digit > 9) return -1;
    micros = micros * 10 + digit;
  }
  return micros;
}

/** A number far below zero when the bytes are no digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 48;
  const ones = (bytes[at + 1] ?? 0) - 48;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar; from 1970 on. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years begin in March here, so that the leap day is a year's last.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

function writeMicros(out: Uint8Array, to: number, micros: number, negative: boolean): void {
  writeHalves(out, to, micros % 0x1_0000_0000, Math.floor(micros / 0x1_0000_0000), negative);
}

function writeUint32(out: Uint8Array, to: number, value: number): void {
  out[to] = value;
  out[to + 1] = value >> 8;
  out[to + 2] = value >> 16;
  out[to + 3] = value >> 24;
}
