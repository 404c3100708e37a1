import type { ByteWriter } from '../base/byte-writer.ts';

const two32 = 0x1_0000_0000;

/** A canonical datetime: packed date, second of the day, microsecond, 4 bytes each; room must be reserved. */
export function writeCivil(writer: ByteWriter, date: number, seconds: number, micros: number): void {
  const { bytes, length } = writer;
  writeUint32(bytes, length, date);
  writeUint32(bytes, length + 4, seconds);
  writeUint32(bytes, length + 8, micros);
  writer.length = length + 12;
}

/** A signed 64-bit count of microseconds of a safe number; room must be reserved. */
export function writeMicros(writer: ByteWriter, micros: number): void {
  const { bytes, length } = writer;
  const high = Math.floor(micros / two32);
  writeUint32(bytes, length, micros - high * two32);
  writeUint32(bytes, length + 4, high);
  writer.length = length + 8;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  const low = value | 0;
  // `| 0` takes the low 32 bits of values up to 2^53 too.
  bytes[at] = low & 0xff;
  bytes[at + 1] = (low >>> 8) & 0xff;
  bytes[at + 2] = (low >>> 16) & 0xff;
  bytes[at + 3] = low >>> 24;
}

/**
 * TIME2: one number, big-endian, biased so that it sorts: hour << 12 | minute << 6 | second in 24 bits, then the
 * fraction; a negative time is the two's complement of the whole.
 *
 * Source: mysql-server, mysys/my_time.cc, my_time_packed_from_binary.
 */
export function writeTime(writer: ByteWriter, bytes: Uint8Array, at: number, fractionBytes: number): void {
  let clock = (((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)) - 0x80_0000;
  let raw = 0;
  for (let i = 0; i < fractionBytes; i++) raw = raw * 256 + (bytes[at + 3 + i] ?? 0);
  const negative = clock < 0;
  if (negative) {
    const unit = 256 ** fractionBytes;
    // -(clock·unit + raw), split again
    if (raw === 0) {
      clock = -clock;
    } else {
      clock = -clock - 1;
      raw = unit - raw;
    }
  }
  const seconds = ((clock >> 12) & 0x3ff) * 3600 + ((clock >> 6) & 63) * 60 + (clock & 63);
  const micros = seconds * 1e6 + raw * (fractionBytes === 1 ? 10_000 : fractionBytes === 2 ? 100 : 1);
  writeMicros(writer, negative ? -micros : micros);
}

/** TIME of tables made before MySQL 5.6.4: ±hhmmss as a 24-bit integer. */
export function writeOldTime(writer: ByteWriter, bytes: Uint8Array, at: number): void {
  const value = ((((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)) << 8) >> 8) | 0;
  const size = Math.abs(value);
  const seconds = Math.floor(size / 10_000) * 3600 + (Math.floor(size / 100) % 100) * 60 + (size % 100);
  writeMicros(writer, (value < 0 ? -1 : 1) * seconds * 1e6);
}

/** DATETIME of tables made before MySQL 5.6.4: YYYYMMDDhhmmss as a 64-bit integer. */
export function writeOldDatetime(writer: ByteWriter, bytes: Uint8Array, at: number): void {
  let value = 0;
  for (let i = 7; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  const day = Math.floor(value / 1e6);
  const clock = value % 1e6;
  const date = (Math.floor(day / 10_000) << 9) | ((Math.floor(day / 100) % 100) << 5) | (day % 100);
  writeCivil(writer, date, Math.floor(clock / 10_000) * 3600 + (Math.floor(clock / 100) % 100) * 60 + (clock % 100), 0);
}
