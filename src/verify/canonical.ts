/**
 * The canonical texts in which the two sides meet. They are chosen so that the replica can print them in SQL and the
 * source's own text needs as little treatment as can be.
 */

/**
 * A double with 17 significant digits, which tell every double apart: `-1.0000000000000001e-01`; zeros keep their sign.
 * Half-way cases are rounded to even, as the replica's printer does; JavaScript rounds them up.
 */
export function canonicalDouble(value: number): string {
  if (Object.is(value, -0)) return `-${canonicalDouble(0)}`;
  const text = isHalfWay(value) ? roundedToEven(value) : value.toExponential(16);
  // The replica's printer gives two digits of exponent at least.
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Whether the exact value has 18 significant digits, the last of them a 5. */
function isHalfWay(value: number): boolean {
  const digits = value.toExponential(17);
  const exponentAt = digits.indexOf('e');
  // oxlint-disable-next-line oxc/number-arg-out-of-range -- up to 100 digits since ES2018
  return digits[exponentAt - 1] === '5' && /^-?\d\.\d{17}0{40}e/.test(value.toExponential(57));
}

function roundedToEven(value: number): string {
  const digits = value.toExponential(17);
  const exponentAt = digits.indexOf('e');
  const isEven = Number(digits[exponentAt - 2]) % 2 === 0;
  return isEven ? digits.slice(0, exponentAt - 1) + digits.slice(exponentAt) : value.toExponential(16);
}

/** `2024-01-02 03:04:05[.1…]` with six fraction digits. */
export function canonicalDatetime(text: string): string {
  const dot = text.indexOf('.');
  if (dot < 0) return `${text}.000000`;
  return text.slice(0, dot + 1) + text.slice(dot + 1).padEnd(6, '0');
}

/** `-838:59:59[.1…]` as signed microseconds. */
export function canonicalTime(text: string): string {
  const match = /^(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign = '', hours, minutes, seconds, fraction = ''] = match;
  const micros = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
  return micros === 0 ? '0' : `${sign}${micros}`;
}

const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Whether the date in `YYYY-MM-DD…` is none of the calendar: zero or partly zero, or as ALLOW_INVALID_DATES lets in. */
export function isInvalidDate(text: string): boolean {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8, 10));
  if (month === 0 || day === 0) return true;
  if (day > (monthDays[month - 1] ?? 0)) return true;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && day === 29 && !isLeap;
}
