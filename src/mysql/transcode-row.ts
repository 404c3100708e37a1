import type { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import { writeJsonText, writeMarkedJsonText } from '../binlog/json.ts';
import { cellState } from '../event/change-batch.ts';
import { tableName } from '../event/table-schema.ts';
import { writeCharset } from './charset.ts';
import { decompressColumn } from './compressed-column.ts';
import { writeDecimal } from './transcode-decimal.ts';
import { code } from './transcode-program.ts';
import type { TranscodeProgram } from './transcode-program.ts';
import { writeCivil, writeMicros, writeOldDatetime, writeOldTime, writeTime } from './transcode-temporal.ts';

/**
 * Copies one row image of a binlog event into canonical cells (see `ColumnType`), and returns where the image ended.
 *
 *   null bitmap   one bit per column that is present in the image
 *   fields        of the present columns that are not NULL, in column order
 *
 * `present` is the event's bitmap of present columns. Runs once per row image: no closure, object or string is made
 * but for character sets that are not UTF-8.
 *
 * Source: mysql-server, sql/rpl_record.cc, unpack_row.
 */
export function transcodeImage(program: TranscodeProgram, image: ImageBytes, writer: ByteWriter): number {
  const { columns, codes, first, second, targets, states } = program;
  const { bytes, end, present } = image;
  const nulls = image.start;
  let presentCount = 0;
  for (let c = 0; c < columns; c++) presentCount += ((present[c >> 3] ?? 0) >> (c & 7)) & 1;
  let at = nulls + ((presentCount + 7) >> 3);
  // The most that fixed-size cells and untouched text can take; what grows in translation reserves for itself.
  writer.reserve(states + columns * 24 + Math.max(0, end - at));
  const stateAt = writer.length;
  let out = writer.bytes;
  for (let i = 0; i < states; i++) out[stateAt + i] = 0;
  writer.length = stateAt + states;
  let bit = 0;
  for (let c = 0; c < columns; c++) {
    const target = targets[c] ?? -1;
    if ((((present[c >> 3] ?? 0) >> (c & 7)) & 1) === 0) {
      if (target >= 0) setState(writer.bytes, stateAt, target, cellState.absent);
      continue;
    }
    const isNull = ((bytes[nulls + (bit >> 3)] ?? 0) >> (bit & 7)) & 1;
    bit++;
    if (isNull === 1) {
      if (target >= 0) setState(writer.bytes, stateAt, target, cellState.null);
      continue;
    }
    const before = writer.length;
    const a = first[c] ?? 0;
    const b = second[c] ?? 0;
    switch (codes[c] ?? code.copy) {
      case code.copy: {
        out = writer.bytes;
        let o = writer.length;
        for (const stop = at + a; at < stop; at++) out[o++] = bytes[at] ?? 0;
        writer.length = o;
        break;
      }
      case code.int24: {
        out = writer.bytes;
        const o = writer.length;
        const top = bytes[at + 2] ?? 0;
        out[o] = bytes[at] ?? 0;
        out[o + 1] = bytes[at + 1] ?? 0;
        out[o + 2] = top;
        out[o + 3] = a === 1 || top < 0x80 ? 0 : 0xff;
        writer.length = o + 4;
        at += 3;
        break;
      }
      case code.year: {
        const year = bytes[at++] ?? 0;
        const value = year === 0 ? 0 : 1900 + year;
        out = writer.bytes;
        out[writer.length++] = value & 0xff;
        out[writer.length++] = value >> 8;
        break;
      }
      case code.date: {
        out = writer.bytes;
        const o = writer.length;
        // The server packs a date just as our canonical form does.
        out[o] = bytes[at] ?? 0;
        out[o + 1] = bytes[at + 1] ?? 0;
        out[o + 2] = bytes[at + 2] ?? 0;
        out[o + 3] = 0;
        writer.length = o + 4;
        at += 3;
        break;
      }
      case code.datetime: {
        const high = ((bytes[at] ?? 0) & 0x7f) * 32768 + (((bytes[at + 1] ?? 0) << 7) | ((bytes[at + 2] ?? 0) >> 1));
        const low = (((bytes[at + 2] ?? 0) & 1) << 16) | ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
        const yearMonth = high >> 5;
        const date = (((yearMonth / 13) | 0) << 9) | ((yearMonth % 13) << 5) | (high & 31);
        const seconds = (low >> 12) * 3600 + ((low >> 6) & 63) * 60 + (low & 63);
        writeCivil(writer, date, seconds, fraction(bytes, at + 5, a));
        at += 5 + a;
        break;
      }
      case code.timestamp: {
        writeMicros(writer, uint32BigEndian(bytes, at) * 1e6 + fraction(bytes, at + 4, a));
        at += 4 + a;
        break;
      }
      case code.time:
        writeTime(writer, bytes, at, a);
        at += 3 + a;
        break;
      case code.oldTimestamp:
        writeMicros(writer, uint32LittleEndian(bytes, at) * 1e6);
        at += 4;
        break;
      case code.oldDatetime:
        writeOldDatetime(writer, bytes, at);
        at += 8;
        break;
      case code.oldTime:
        writeOldTime(writer, bytes, at);
        at += 3;
        break;
      case code.decimal:
        at = writeDecimal(writer, bytes, at, a);
        break;
      case code.bit: {
        out = writer.bytes;
        const o = writer.length;
        for (let i = 0; i < 8; i++) out[o + i] = i < a ? (bytes[at + a - 1 - i] ?? 0) : 0;
        writer.length = o + 8;
        at += a;
        break;
      }
      case code.text: {
        const length = lengthAt(bytes, at, a);
        at += a;
        check(at + length <= end, program);
        writer.varint(length);
        writer.raw(bytes, at, at + length);
        at += length;
        break;
      }
      case code.charset: {
        const length = lengthAt(bytes, at, a);
        at += a;
        check(at + length <= end, program);
        writeCharset(writer, program.charsets[c], bytes.subarray(at, at + length));
        at += length;
        break;
      }
      case code.compressed: {
        const length = lengthAt(bytes, at, a);
        at += a;
        check(at + length <= end, program);
        writeCharset(writer, program.charsets[c], decompressColumn(bytes.subarray(at, at + length)));
        at += length;
        break;
      }
      case code.padded: {
        const length = lengthAt(bytes, at, a);
        at += a;
        check(at + length <= end, program);
        writer.reserve(b + 5);
        writer.varint(b);
        writer.raw(bytes, at, at + length);
        out = writer.bytes;
        for (let i = length; i < b; i++) out[writer.length++] = 0;
        at += length;
        break;
      }
      case code.formatted: {
        const length = lengthAt(bytes, at, a);
        at += a;
        check(at + length <= end, program);
        program.formats[c]?.(writer, bytes.subarray(at, at + length));
        at += length;
        break;
      }
      case code.enum: {
        const number = lengthAt(bytes, at, a);
        at += a;
        writeLabel(writer, program.labels[c]?.[number - 1]);
        break;
      }
      case code.set: {
        writeSet(writer, { bytes, at, size: a, labels: program.labels[c] ?? [] });
        at += a;
        break;
      }
      case code.json: {
        const length = lengthAt(bytes, at, a);
        at += a;
        check(at + length <= end, program);
        writeJson(writer, bytes, at, at + length, b === 1);
        at += length;
        break;
      }
    }
    if (target < 0) writer.length = before;
  }
  check(at <= end, program);
  return at;
}

/** Where a row image lies, and which columns it has. */
export interface ImageBytes {
  readonly bytes: Uint8Array;
  start: number;
  /** One past the last byte that may belong to the image. */
  readonly end: number;
  present: Uint8Array;
}

function setState(bytes: Uint8Array, stateAt: number, column: number, state: number): void {
  const at = stateAt + (column >> 2);
  bytes[at] = (bytes[at] ?? 0) | (state << ((column & 3) << 1));
}

function check(holds: boolean, program: TranscodeProgram): void {
  if (!holds) throw new MillraceError('BINLOG_CORRUPT', `a row of ${tableName(program.schema)} is longer than its event`);
}

function lengthAt(bytes: Uint8Array, at: number, size: number): number {
  switch (size) {
    case 1:
      return bytes[at] ?? 0;
    case 2:
      return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    case 3:
      return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    default:
      return uint32LittleEndian(bytes, at);
  }
}

function uint32LittleEndian(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

function uint32BigEndian(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/** Microseconds of a fraction stored in `size` bytes: hundredths, ten-thousandths or millionths. */
function fraction(bytes: Uint8Array, at: number, size: number): number {
  switch (size) {
    case 0:
      return 0;
    case 1:
      return (bytes[at] ?? 0) * 10_000;
    case 2:
      return (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) * 100;
    default:
      return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  }
}

function writeLabel(writer: ByteWriter, label: Uint8Array | undefined): void {
  const size = label?.length ?? 0;
  writer.reserve(size + 5);
  writer.varint(size);
  if (label !== undefined) writer.raw(label, 0, size);
}

interface SetBytes {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly size: number;
  readonly labels: readonly Uint8Array[];
}

const comma = 0x2c;

function writeSet(writer: ByteWriter, { bytes, at, size, labels }: SetBytes): void {
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    if (isMember(bytes, at, size, i)) total += (labels[i]?.length ?? 0) + 1;
  }
  writer.reserve(total + 5);
  writer.varint(total === 0 ? 0 : total - 1);
  let isFirst = true;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === undefined || !isMember(bytes, at, size, i)) continue;
    if (!isFirst) writer.uint8(comma);
    isFirst = false;
    writer.raw(label, 0, label.length);
  }
}

function isMember(bytes: Uint8Array, at: number, size: number, label: number): boolean {
  const byte = label >> 3;
  return byte < size && (((bytes[at + byte] ?? 0) >> (label & 7)) & 1) === 1;
}

/** The document's text is as long as it turns out; its length goes before it, in as few bytes as it takes. */
function writeJson(writer: ByteWriter, bytes: Uint8Array, start: number, end: number, isMarked: boolean): void {
  const prefixAt = writer.length;
  const guess = end - start < 100 ? 1 : end - start < 13_000 ? 2 : 5;
  writer.reserve(guess);
  writer.length += guess;
  // A document of no bytes is what an interrupted ALTER can leave: the server reads it as the JSON null.
  if (isMarked) writeMarkedJsonText(bytes, start, end, writer);
  else writeJsonText(bytes, start, end, writer);
  const textAt = prefixAt + guess;
  const length = writer.length - textAt;
  const needed = length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5;
  if (needed > guess) writer.reserve(needed - guess);
  if (needed !== guess) writer.bytes.copyWithin(prefixAt + needed, textAt, textAt + length);
  writer.length = prefixAt;
  writer.varint(length);
  writer.length += length;
}
