import { unknownForm } from '../snowflake-error.ts';
import { invalidArguments } from './operators.ts';
import { quoteText, type Typed } from './typed.ts';

/** Snowflake's elements of a format, the longest first, as strftime's. */
const elements: readonly (readonly [string, string])[] = [
  ['YYYY', '%Y'],
  ['HH24', '%H'],
  ['MM', '%m'],
  ['DD', '%d'],
  ['MI', '%M'],
  ['SS', '%S'],
  ['FF9', '%n'],
  ['FF6', '%f'],
  ['FF3', '%g'],
  ['FF0', ''],
];

/** A date or time in a format: what the emulator does not know of formats it refuses. */
export function formatted(value: Typed, format: string): string {
  const { kind } = value.type;
  const parts = readFormat(format);
  switch (kind) {
    case 'date':
      return `strftime(CAST(${value.sql} AS TIMESTAMP), ${quoteText(parts.join(''))})`;
    case 'time':
      return `strftime(DATE '1970-01-01' + ${value.sql}, ${quoteText(parts.join(''))})`;
    case 'timestamp_ntz':
    case 'timestamp_ltz':
      if (kind === 'timestamp_ntz' && parts.some((part) => part.startsWith('TZ'))) {
        throw unknownForm('TZH in the format of a TIMESTAMP_NTZ');
      }
      return pieces(parts, value.sql, '0');
    case 'timestamp_tz':
      return pieces(parts, `((${value.sql}).u + to_minutes(CAST((${value.sql}).o AS BIGINT)))`, `(${value.sql}).o`);
    default:
      throw invalidArguments('TO_VARCHAR', value);
  }
}

function pieces(parts: readonly string[], local: string, minutes: string): string {
  const sign = `CASE WHEN ${minutes} < 0 THEN '-' ELSE '+' END`;
  const sql = parts.map((part) => {
    if (part === 'TZH') return `${sign} || lpad(CAST(abs(${minutes}) // 60 AS VARCHAR), 2, '0')`;
    if (part === 'TZM') return `lpad(CAST(abs(${minutes}) % 60 AS VARCHAR), 2, '0')`;
    return part.startsWith('%') ? `strftime(${local}, ${quoteText(part)})` : quoteText(part);
  });
  return `(${sql.join(' || ')})`;
}

function readFormat(format: string): readonly string[] {
  const parts: string[] = [];
  let at = 0;
  while (at < format.length) {
    const rest = format.slice(at);
    const upper = rest.toUpperCase();
    const element = elements.find(([name]) => upper.startsWith(name));
    const zone = ['TZH', 'TZM'].find((name) => upper.startsWith(name));
    const quoted = /^"([^"]*)"/.exec(rest);
    if (element !== undefined) {
      parts.push(element[1]);
      at += element[0].length;
    } else if (zone !== undefined) {
      parts.push(zone);
      at += 3;
    } else if (quoted !== null) {
      parts.push(quoted[1] ?? '');
      at += quoted[0].length;
    } else if (/[-:. /T,]/.test(rest.charAt(0))) {
      parts.push(rest.charAt(0));
      at += 1;
    } else {
      throw unknownForm(`the format '${format}'`);
    }
  }
  return parts;
}
