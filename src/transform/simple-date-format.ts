import { MillraceError } from '../base/errors.ts';

/** The subset of Java's SimpleDateFormat that is the same everywhere: English names, UTC. */
export interface SimpleDateFormat {
  readonly pattern: string;
  format(ms: number): string;
  /** Milliseconds since the epoch; undefined for another text. Lenient as Java: trailing text, the 32nd of a month. */
  parse(text: string): number | undefined;
}

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const dayMs = 86_400_000;

/** A run of one letter, or literal text. */
type Part = { readonly letter: string; readonly width: number } | { readonly text: string };

/** What parsing has found so far. */
interface Found {
  year: number;
  /** From 0. */
  month: number;
  day: number;
  hour: number;
  pm: boolean | undefined;
  minute: number;
  second: number;
  ms: number;
  offsetMs: number;
  dayOfYear: number | undefined;
}

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED for letters of the pattern that the subset lacks */
export function compileDateFormat(pattern: string): SimpleDateFormat {
  const parts = partsOf(pattern);
  const regex = new RegExp(`^${parts.map((part, at) => regexOf(part, parts[at + 1])).join('')}`, 'i');
  const letters = parts.flatMap((part) => ('letter' in part ? part : []));
  return {
    pattern,
    format: (ms) => parts.map((part) => ('text' in part ? part.text : formatPart(part.letter, part.width, new Date(ms)))).join(''),
    parse(text) {
      const match = regex.exec(text);
      if (match === null) return undefined;
      const found: Found = {
        year: 1970,
        month: 0,
        day: 1,
        hour: 0,
        pm: undefined,
        minute: 0,
        second: 0,
        ms: 0,
        offsetMs: 0,
        dayOfYear: undefined,
      };
      for (const [at, { letter, width }] of letters.entries()) take(found, letter, width, match[at + 1] ?? '');
      return instantOf(found);
    },
  };
}

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at] ?? '';
    if (char === "'") {
      const quoted = /^'((?:[^']|'')*)'/.exec(pattern.slice(at));
      if (quoted === null) throw new MillraceError('CONFIG_INVALID', `The date pattern "${pattern}" has a quote that does not end`);
      parts.push({ text: quoted[0] === "''" ? "'" : (quoted[1] ?? '').replaceAll("''", "'") });
      at += quoted[0].length;
    } else if (/[A-Za-z]/.test(char)) {
      const width = /^(.)\1*/s.exec(pattern.slice(at))?.[0].length ?? 1;
      if (!'yMdDHhkKmsSEauXZz'.includes(char)) {
        throw new MillraceError('CONFIG_UNSUPPORTED', `The date pattern "${pattern}" uses ${char}, which Millrace does not have`);
      }
      parts.push({ letter: char, width });
      at += width;
    } else {
      parts.push({ text: char });
      at++;
    }
  }
  return parts;
}

function formatPart(letter: string, width: number, date: Date): string {
  const padded = (value: number): string => String(value).padStart(width, '0');
  switch (letter) {
    case 'y': {
      const year = date.getUTCFullYear();
      return width === 2 ? String(year % 100).padStart(2, '0') : padded(year);
    }
    case 'M':
      return named(months, date.getUTCMonth(), width) ?? padded(date.getUTCMonth() + 1);
    case 'd':
      return padded(date.getUTCDate());
    case 'D':
      return padded(
        (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs + 1,
      );
    case 'H':
      return padded(date.getUTCHours());
    case 'k':
      return padded(date.getUTCHours() || 24);
    case 'K':
      return padded(date.getUTCHours() % 12);
    case 'h':
      return padded(date.getUTCHours() % 12 || 12);
    case 'm':
      return padded(date.getUTCMinutes());
    case 's':
      return padded(date.getUTCSeconds());
    case 'S':
      return padded(date.getUTCMilliseconds());
    case 'E':
      return width > 3 ? (days[date.getUTCDay()] ?? '') : (days[date.getUTCDay()] ?? '').slice(0, 3);
    case 'u':
      return padded(date.getUTCDay() || 7);
    case 'a':
      return date.getUTCHours() < 12 ? 'AM' : 'PM';
    case 'Z':
      return '+0000';
    case 'z':
      return width > 3 ? 'Coordinated Universal Time' : 'UTC';
    default:
      return 'Z';
  }
}

function named(names: readonly string[], index: number, width: number): string | undefined {
  if (width < 3) return undefined;
  return width === 3 ? names[index]?.slice(0, 3) : names[index];
}

function regexOf(part: Part, next: Part | undefined): string {
  if ('text' in part) return part.text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const { letter, width } = part;
  if (letter === 'E') return `(${days.flatMap((day) => [day, day.slice(0, 3)]).join('|')})`;
  if (letter === 'M' && width > 2) return `(${months.flatMap((month) => [month, month.slice(0, 3)]).join('|')})`;
  if (letter === 'a') return '(AM|PM)';
  if (letter === 'X') return '(Z|[+-]\\d\\d(?::?\\d\\d)?)';
  if (letter === 'Z' || letter === 'z') return '((?:GMT|UTC|Coordinated Universal Time)(?:[+-]\\d\\d?:\\d\\d)?|[+-]\\d{4})';
  // two numbers that touch each other have as many digits as the pattern has letters
  const touches = next !== undefined && 'letter' in next && isNumber(next.letter, next.width);
  return touches ? `(\\d{${width}})` : '\\s*(-?\\d+)';
}

function isNumber(letter: string, width: number): boolean {
  return letter === 'M' ? width <= 2 : !'EaXZz'.includes(letter);
}

function take(found: Found, letter: string, width: number, text: string): void {
  const value = Number(text);
  switch (letter) {
    case 'y':
      found.year = width <= 2 && text.length === 2 ? yearOf(value) : value;
      break;
    case 'M':
      found.month = width > 2 ? months.findIndex((month) => month.slice(0, 3).toLowerCase() === text.slice(0, 3).toLowerCase()) : value - 1;
      break;
    case 'd':
      found.day = value;
      break;
    case 'D':
      found.dayOfYear = value;
      break;
    case 'H':
    case 'K':
      found.hour = value;
      break;
    case 'k':
      found.hour = value % 24;
      break;
    case 'h':
      found.hour = value % 12;
      break;
    case 'm':
      found.minute = value;
      break;
    case 's':
      found.second = value;
      break;
    case 'S':
      found.ms = value;
      break;
    case 'a':
      found.pm = text.toUpperCase() === 'PM';
      break;
    case 'X':
    case 'Z':
    case 'z':
      found.offsetMs = offsetOf(text);
      break;
    default:
  }
}

/** Two digits are within 80 years before and 20 years after now. */
function yearOf(twoDigits: number): number {
  const first = new Date().getUTCFullYear() - 80;
  const year = Math.floor(first / 100) * 100 + twoDigits;
  return year < first ? year + 100 : year;
}

function offsetOf(text: string): number {
  const parts = /([+-])(\d\d?):?(\d\d)?$/.exec(text);
  if (parts === null) return 0;
  const minutes = Number(parts[2]) * 60 + Number(parts[3] ?? 0);
  return (parts[1] === '-' ? -minutes : minutes) * 60_000;
}

function instantOf({ year, month, day, hour, pm, minute, second, ms, offsetMs, dayOfYear }: Found): number {
  const date = new Date(0);
  date.setUTCFullYear(year, dayOfYear === undefined ? month : 0, dayOfYear ?? day);
  date.setUTCHours(hour + (pm === true ? 12 : 0), minute, second, ms);
  return date.getTime() - offsetMs;
}
