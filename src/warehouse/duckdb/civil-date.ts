/** What a date that does not exist yields instead of days. */
export const noDay = 0x7fff_ffff;

const daysBeforeMonth = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const daysInMonth = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Days since 1970-01-01 of a date cell (`year << 9 | month << 5 | day`), proleptic Gregorian; `noDay` for dates with a
 * zero part or a day that their month does not have.
 */
export function daysOf(packed: number): number {
  const year = packed >>> 9;
  const month = (packed >>> 5) & 15;
  const day = packed & 31;
  if (month < 1 || month > 12 || day < 1) return noDay;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > (daysInMonth[month] ?? 0) + (leap && month === 2 ? 1 : 0)) return noDay;
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  // 719162 days lie between 0001-01-01 and the epoch
  return before * 365 + leapDays + (daysBeforeMonth[month] ?? 0) + (leap && month > 2 ? 1 : 0) + day - 1 - 719162;
}
