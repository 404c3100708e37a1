/**
 * Number texts to little-endian cells. Every function reads `bytes[from, stop)`, writes at `out[to]` and returns the
 * position after the cell, or -1 when the text is no number of the kind. No BigInt, no string: two 32-bit halves.
 */

/** An integer of 1, 2 or 4 bytes; leading zeros (ZEROFILL) are allowed. */
export function writeInteger(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number, width: number): number {
  let at = from;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  if (at === stop) return -1;
  let value = 0;
  for (; at < stop; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  let rest = negative ? -value : value;
  if (width === 4) {
    out[to] = rest;
    rest >>= 8;
    out[to + 1] = rest;
    rest >>= 8;
    out[to + 2] = rest;
    out[to + 3] = rest >> 8;
    return to + 4;
  }
  out[to] = rest;
  if (width === 1) return to + 1;
  out[to + 1] = rest >> 8;
  return to + 2;
}

export function writeInteger64(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number): number {
  return writeDecimal64(bytes, from, stop, out, to, 0);
}

/** A decimal with exactly `scale` fraction digits, as value × 10^scale. */
export function writeDecimal64(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number, scale: number): number {
  let at = from;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  const point = scale === 0 ? stop : stop - scale - 1;
  if (point < at || at === stop || (scale > 0 && bytes[point] !== 0x2e)) return -1;
  // The last nine digits apart from the ones before them: both halves stay exact as doubles.
  let head = 0;
  let tail = 0;
  let left = stop - at - (scale === 0 ? 0 : 1);
  for (; at < stop; at++) {
    if (at === point) continue;
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    if (left > 9) head = head * 10 + digit;
    else tail = tail * 10 + digit;
    left--;
  }
  let low = tail;
  let high = 0;
  if (head > 0) {
    // head × 10^9 + tail, in 16-bit steps of head: no product reaches 2^53.
    const first = (head % 65536) * 1e9 + tail;
    const second = Math.floor(head / 65536) * 1e9 + Math.floor(first / 65536);
    low = (second % 65536) * 65536 + (first % 65536);
    high = Math.floor(second / 65536);
  }
  writeHalves(out, to, low, high, negative);
  return to + 8;
}

/** `high × 2^32 + low`, negated if asked for, as eight bytes. */
export function writeHalves(out: Uint8Array, to: number, low: number, high: number, negative: boolean): void {
  let a = low | 0;
  let b = high | 0;
  if (negative) {
    a = -a | 0;
    b = a === 0 ? -b | 0 : ~b;
  }
  out[to] = a;
  out[to + 1] = a >> 8;
  out[to + 2] = a >> 16;
  out[to + 3] = a >> 24;
  out[to + 4] = b;
  out[to + 5] = b >> 8;
  out[to + 6] = b >> 16;
  out[to + 7] = b >> 24;
}

/** As `writeDecimal64`, 16 bytes wide: up to 38 digits. */
export function writeDecimal128(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number, scale: number): number {
  let at = from;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  const point = scale === 0 ? stop : stop - scale - 1;
  if (point < at || at === stop || (scale > 0 && bytes[point] !== 0x2e)) return -1;
  // Four 32-bit limbs, six digits a step: limb × 10^6 stays below 2^53.
  let l0 = 0;
  let l1 = 0;
  let l2 = 0;
  let l3 = 0;
  while (at < stop) {
    let factor = 1;
    let group = 0;
    for (; at < stop && factor < 1_000_000; at++) {
      if (at === point) continue;
      const digit = (bytes[at] ?? 0) - 48;
      if (digit < 0 || digit > 9) return -1;
      group = group * 10 + digit;
      factor *= 10;
    }
    l0 = l0 * factor + group;
    l1 = l1 * factor + Math.floor(l0 / 0x1_0000_0000);
    l2 = l2 * factor + Math.floor(l1 / 0x1_0000_0000);
    l3 = l3 * factor + Math.floor(l2 / 0x1_0000_0000);
    l0 %= 0x1_0000_0000;
    l1 %= 0x1_0000_0000;
    l2 %= 0x1_0000_0000;
  }
  writeHalves(out, to, l0, l1, negative);
  if (!negative) writeHalves(out, to + 8, l2, l3, false);
  else if (l0 === 0 && l1 === 0) writeHalves(out, to + 8, l2, l3, true);
  else writeHalves(out, to + 8, ~l2, ~l3, false);
  return to + 16;
}

/** The canonical text of a decimal of more than 38 digits: var length, then the text without needless zeros. */
export function writeDecimalText(bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number, scale: number): number {
  let at = from;
  let negative = bytes[at] === 0x2d;
  if (negative) at++;
  const point = scale === 0 ? stop : stop - scale - 1;
  if (point < at || at === stop || (scale > 0 && bytes[point] !== 0x2e)) return -1;
  while (at < point - 1 && bytes[at] === 0x30) at++;
  let isZero = true;
  for (let i = at; i < stop; i++) {
    if (i === point) continue;
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    if (digit !== 0) isZero = false;
  }
  if (isZero) negative = false;
  // ".5" has no digit before its point, the canonical form has one.
  const lead = at === point ? 1 : 0;
  let next = to;
  // At most 65 digits, a sign and a point: one length byte.
  out[next++] = stop - at + lead + (negative ? 1 : 0);
  if (negative) out[next++] = 0x2d;
  if (lead === 1) out[next++] = 0x30;
  for (let i = at; i < stop; i++) out[next++] = bytes[i] ?? 0;
  return next;
}
