import type { ByteWriter } from '../../base/byte-writer.ts';

/** `YYYY-MM-DD` of a date cell, zero parts as they are. */
export function writeDate(out: ByteWriter, packed: number): void {
  writeDigits(out, packed >>> 9, 4);
  out.uint8(0x2d);
  writeDigits(out, (packed >>> 5) & 15, 2);
  out.uint8(0x2d);
  writeDigits(out, packed & 31, 2);
}

/** `YYYY-MM-DD hh:mm:ss`, with `fsp` fraction digits. */
export function writeDatetime(out: ByteWriter, packed: number, second: number, micro: number, fsp: number): void {
  writeDate(out, packed);
  out.uint8(0x20);
  writeClock(out, second, micro, fsp);
}

/** `-838:59:59`, with `fsp` fraction digits, of signed microseconds. */
export function writeTime(out: ByteWriter, micros: number, fsp: number): void {
  if (micros < 0) out.uint8(0x2d);
  const size = Math.abs(micros);
  const second = Math.floor(size / 1_000_000);
  writeClock(out, second, size - second * 1_000_000, fsp);
}

function writeClock(out: ByteWriter, second: number, micro: number, fsp: number): void {
  const hour = Math.floor(second / 3600);
  writeDigits(out, hour, hour < 100 ? 2 : 3);
  out.uint8(0x3a);
  writeDigits(out, Math.floor(second / 60) % 60, 2);
  out.uint8(0x3a);
  writeDigits(out, second % 60, 2);
  if (fsp === 0) return;
  out.uint8(0x2e);
  writeDigits(out, Math.floor(micro / 10 ** (6 - fsp)), fsp);
}

/** As `writeDatetime`, in UTC, of microseconds since the epoch; 0 is the zero timestamp. */
export function writeTimestamp(out: ByteWriter, micros: number, fsp: number): void {
  if (micros === 0) {
    writeDatetime(out, 0, 0, 0, fsp);
    return;
  }
  const seconds = Math.floor(micros / 1_000_000);
  const date = new Date(seconds * 1000);
  const packed = (date.getUTCFullYear() << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  writeDatetime(out, packed, ((seconds % 86400) + 86400) % 86400, micros - seconds * 1_000_000, fsp);
}

function writeDigits(out: ByteWriter, value: number, digits: number): void {
  out.reserve(digits);
  let rest = value;
  for (let i = digits - 1; i >= 0; i--) {
    out.bytes[out.length + i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  out.length += digits;
}
