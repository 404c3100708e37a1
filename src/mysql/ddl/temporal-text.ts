/** Texts of temporal literals as the server prints them; undefined for forms that it may read otherwise than expected. */

export interface TemporalRules {
  /** The session's zone as an offset, in which TIMESTAMP literals are meant. */
  readonly timeZone: string;
  /** What becomes of more fraction digits than the column has. */
  readonly fractions: 'round' | 'truncate';
}

interface Digits {
  readonly fsp: number;
  readonly fractions: 'round' | 'truncate';
}

const datePattern = /^(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,2})$/;
const datetimePattern = /^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,2})(?:[T ]+(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{0,6}))?)?)?)?$/;
const timePattern = /^(-?)(\d{1,3}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{0,6}))?)?$/;

/** A year of two digits is of 1970 to 2069. */
function fullYear(digits: string): string {
  if (digits.length !== 2) return digits.padStart(4, '0');
  return `${Number(digits) < 70 ? '20' : '19'}${digits}`;
}

/** Of a YEAR column: the number 0 is 0000, the text '0' is 2000. */
export function yearText({ kind, value }: { readonly kind: string; readonly value: string }): string | undefined {
  if ((kind !== 'number' && kind !== 'text') || !/^\d{1,4}$/.test(value)) return undefined;
  const year = Number(value);
  if (value.length === 4 || year > 99) return value.padStart(4, '0');
  if (year === 0 && kind === 'number') return '0000';
  return fullYear(String(year).padStart(2, '0'));
}

export function dateText(literal: string): string | undefined {
  const text = dashed(literal);
  const [, year, month, day] = datePattern.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined || year.length === 1 || year.length === 3) return undefined;
  return `${fullYear(year)}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

/** `20200102` and `20200102101112`. */
function dashed(literal: string): string {
  const text = literal.trim();
  if (/^\d{8}$/.test(text)) return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
  if (!/^\d{14}$/.test(text)) return text;
  return `${dashed(text.slice(0, 8))} ${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12)}`;
}

export function timeText(literal: string, digits: Digits): string | undefined {
  const text = /^\d{6}$/.test(literal) ? `${literal.slice(0, 2)}:${literal.slice(2, 4)}:${literal.slice(4)}` : literal;
  const [, sign = '', hours, minutes, seconds = '0', fraction = ''] = timePattern.exec(text.trim()) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const shown = fractionText(fraction, digits);
  if (shown === undefined || Number(hours) > 838) return undefined;
  return `${sign}${hours.padStart(2, '0')}:${minutes.padStart(2, '0')}:${seconds.padStart(2, '0')}${shown}`;
}

/** With `timeZone` (an offset, `+02:00`) the text of the same instant in UTC. */
export function datetimeText(literal: string, { timeZone, ...digits }: Digits & { readonly timeZone?: string }): string | undefined {
  const [, day, hours = '0', minutes = '0', seconds = '0', fraction = ''] = datetimePattern.exec(dashed(literal)) ?? [];
  const date = day === undefined ? undefined : dateText(day);
  const shown = fractionText(fraction, digits);
  if (date === undefined || shown === undefined) return undefined;
  const time = [hours, minutes, seconds].map((part) => part.padStart(2, '0')).join(':');
  const moved = timeZone === undefined ? `${date} ${time}` : inUtc(`${date} ${time}`, timeZone);
  return moved === undefined ? undefined : moved + shown;
}

/** Digits beyond the column's are rounded, which may carry into the seconds: then it is not certain. */
function fractionText(digits: string, { fsp, fractions }: Digits): string | undefined {
  const kept = digits.slice(0, fsp).padEnd(fsp, '0');
  const rest = digits.slice(fsp);
  if (fractions === 'truncate' || rest.replaceAll('0', '') === '') return fsp === 0 ? '' : `.${kept}`;
  const rounded = String(Number(kept || '0') + (Number(rest[0]) >= 5 ? 1 : 0));
  if (fsp === 0 ? rounded !== '0' : rounded.length > fsp) return undefined;
  return fsp === 0 ? '' : `.${rounded.padStart(fsp, '0')}`;
}

function inUtc(text: string, timeZone: string): string | undefined {
  if (text.startsWith('0000-00-00')) return text;
  const [, sign, hours, minutes] = /^([+-])(\d{1,2}):(\d{2})$/.exec(timeZone === 'UTC' ? '+00:00' : timeZone) ?? [];
  const instant = Date.parse(`${text.replace(' ', 'T')}Z`);
  if (sign === undefined || Number.isNaN(instant)) return undefined;
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return new Date(instant - offsetMs).toISOString().slice(0, 19).replace('T', ' ');
}
