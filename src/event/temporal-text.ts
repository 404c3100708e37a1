import { MillraceError } from '../base/errors.ts';
import type { Fsp } from './column-type.ts';

/** Temporal cells as the text that MySQL prints, and back. */

/** Packs `2021-00-10` as date cells do: year << 9 | month << 5 | day. @throws SCHEMA_MISMATCH */
export function packDate(text: string): number {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (parts === null) throw wrong(text);
  return (Number(parts[1]) << 9) | (Number(parts[2]) << 5) | Number(parts[3]);
}

/** `2021-00-10` of a packed date. */
export function dateText(packed: number): string {
  return `${pad(packed >>> 9, 4)}-${pad((packed >>> 5) & 15, 2)}-${pad(packed & 31, 2)}`;
}

/** `-838:59:59.000000` of signed microseconds, with `fsp` fraction digits. */
export function timeText(micros: bigint, fsp: Fsp): string {
  const size = micros < 0n ? -micros : micros;
  const seconds = Number(size / 1_000_000n);
  const fraction = pad(Number(size % 1_000_000n), 6).slice(0, fsp);
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return `${micros < 0n ? '-' : ''}${clock}${fsp === 0 ? '' : `.${fraction}`}`;
}

/** The inverse of `timeText`. @throws SCHEMA_MISMATCH */
export function timeOfDayMicros(text: string): bigint {
  const parts = /^(-?)(\d{2,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text);
  if (parts === null) throw wrong(text);
  const seconds = Number(parts[2]) * 3600 + Number(parts[3]) * 60 + Number(parts[4]);
  const micros = BigInt(seconds) * 1_000_000n + BigInt((parts[5] ?? '').padEnd(6, '0'));
  return parts[1] === '-' ? -micros : micros;
}

/** `2021-03-04 05:06:07.123` of microseconds since the epoch, in UTC; 0 is the zero timestamp. */
export function utcText(micros: bigint, fsp: Fsp): string {
  if (micros === 0n) return `0000-00-00 ${timeText(0n, fsp)}`;
  const seconds = micros / 1_000_000n;
  const date = new Date(Number(seconds) * 1000);
  const packed = (date.getUTCFullYear() << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  return `${dateText(packed)} ${timeText(micros % 86_400_000_000n, fsp)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

function wrong(text: string): MillraceError {
  return new MillraceError('SCHEMA_MISMATCH', `'${text}' is not a temporal value as the server prints it`);
}
