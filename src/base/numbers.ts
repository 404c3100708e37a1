import { MillraceError } from './errors.ts';

/** A 64-bit integer that counts or positions something, as a number; throws INTERNAL past 2^53. */
export function toSafeNumber(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw new MillraceError('INTERNAL', `${what} ${value} is beyond 2^53`);
  }
  return Number(value);
}
