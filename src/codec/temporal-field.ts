import type { ByteWriter } from '../base/byte-writer.ts';
import type { CellCursor } from '../event/cell.ts';
import type { ColumnType, Fsp } from '../event/column-type.ts';
import { civilOfDays, daysOfCivil } from './civil.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import type { FieldShape, WriteCell } from './field.ts';
import { writeAscii, writeBytes, writeInteger, writePadded } from './json-writer.ts';

type Temporal = Extract<ColumnType, { kind: 'year' | 'date' | 'time' | 'datetime' | 'timestamp' }>;

const secondsPerDay = 86_400;
const microsPerDay = 86_400_000_000;

/** DATE, TIME, DATETIME, TIMESTAMP and YEAR by `time.precision.mode`. */
export function temporalShape(type: Temporal, options: DebeziumOptions): FieldShape {
  switch (type.kind) {
    case 'year':
      return { type: 'int32', name: 'io.debezium.time.Year', zero: '0', writer: () => writeYear };
    case 'date':
      return dateShape(options);
    case 'time':
      return timeShape(options);
    case 'datetime':
      return datetimeShape(type.fsp, options);
    case 'timestamp':
      return {
        type: 'string',
        name: 'io.debezium.time.ZonedTimestamp',
        zero: '"1970-01-01T00:00:00Z"',
        writer: (missing) => timestampWriter(missing, (out, micros) => writeFraction(out, micros, type.fsp)),
        // a snapshot's text has no trailing zeros
        snapshotWriter: (missing) => timestampWriter(missing, writeTrimmedFraction),
      };
  }
}

function writeYear(cell: CellCursor, out: ByteWriter): void {
  writeInteger(out, cell.view.getUint16(cell.at, true));
  cell.at += 2;
}

function dateShape({ timeMode, timeAdjuster }: DebeziumOptions): FieldShape {
  if (timeMode === 'isostring') {
    return {
      type: 'string',
      name: 'io.debezium.time.IsoDate',
      zero: '"1970-01-01Z"',
      writer: (missing) => (cell, out) => {
        const days = readDays(cell, timeAdjuster);
        cell.at += 4;
        if (days === undefined) writeBytes(out, missing);
        else {
          writeAscii(out, '"');
          writeDay(out, days);
          writeAscii(out, 'Z"');
        }
      },
    };
  }
  return {
    type: 'int32',
    name: timeMode === 'connect' ? 'org.apache.kafka.connect.data.Date' : 'io.debezium.time.Date',
    zero: '0',
    writer: (missing) => (cell, out) => {
      const days = readDays(cell, timeAdjuster);
      cell.at += 4;
      if (days === undefined) writeBytes(out, missing);
      else writeInteger(out, days);
    },
  };
}

function timeShape({ timeMode }: DebeziumOptions): FieldShape {
  switch (timeMode) {
    case 'connect':
      return {
        type: 'int32',
        name: 'org.apache.kafka.connect.data.Time',
        zero: '0',
        writer: (missing) => (cell, out) => {
          const micros = readInt64(cell);
          if (isWithinDay(micros)) writeInteger(out, Math.floor(micros / 1000));
          else writeBytes(out, missing);
        },
      };
    case 'isostring':
      return { type: 'string', name: 'io.debezium.time.IsoTime', zero: '"00:00:00Z"', writer: isoTimeWriter };
    case 'nanoseconds':
      return {
        type: 'int64',
        name: 'io.debezium.time.NanoTime',
        zero: '0',
        writer: () => (cell, out) => writeInteger(out, readInt64(cell) * 1000),
      };
    case 'adaptive_time_microseconds':
    case 'microseconds':
      return {
        type: 'int64',
        name: 'io.debezium.time.MicroTime',
        zero: '0',
        writer: () => (cell, out) => writeInteger(out, readInt64(cell)),
      };
  }
}

/** A day's end is within it, as Debezium has it. */
function isWithinDay(micros: number): boolean {
  return micros >= 0 && micros <= microsPerDay;
}

function isoTimeWriter(missing: Uint8Array): WriteCell {
  return (cell, out) => {
    const micros = readInt64(cell);
    if (!isWithinDay(micros)) {
      writeBytes(out, missing);
      return;
    }
    writeAscii(out, '"');
    writeClock(out, Math.floor(micros / 1e6) % secondsPerDay);
    writeTrimmedFraction(out, micros % 1e6);
    writeAscii(out, 'Z"');
  };
}

/** Writes a civil date and time: days since the epoch, second of the day, microsecond. */
type WriteInstant = (out: ByteWriter, days: number, second: number, micros: number) => void;

function datetimeShape(fsp: Fsp, options: DebeziumOptions): FieldShape {
  const { timeMode } = options;
  const shape = (type: string, name: string, zero: string, write: WriteInstant): FieldShape => ({
    type,
    name,
    zero,
    writer: (missing) => datetimeWriter(missing, options, write),
  });
  if (timeMode === 'connect') return shape('int64', 'org.apache.kafka.connect.data.Timestamp', '0', writeMillis);
  if (timeMode === 'isostring') return shape('string', 'io.debezium.time.IsoTimestamp', '"1970-01-01T00:00:00Z"', writeIso);
  if (timeMode === 'nanoseconds') return shape('int64', 'io.debezium.time.NanoTimestamp', '0', writeNanos);
  if (timeMode === 'microseconds' || fsp > 3) return shape('int64', 'io.debezium.time.MicroTimestamp', '0', writeMicros);
  return shape('int64', 'io.debezium.time.Timestamp', '0', writeMillis);
}

/** First and last day whose nanoseconds since the epoch fit 64 bits wholly. */
const firstNanoDay = -106_751;
const lastNanoDay = 106_751;

function datetimeWriter(missing: Uint8Array, { timeMode, timeAdjuster }: DebeziumOptions, write: WriteInstant): WriteCell {
  const nanos = timeMode === 'nanoseconds';
  return (cell, out) => {
    const days = readDays(cell, timeAdjuster);
    const second = cell.view.getUint32(cell.at + 4, true);
    const micros = cell.view.getUint32(cell.at + 8, true);
    cell.at += 12;
    const fits = days !== undefined && (!nanos || fitsNanos(days, second));
    if (fits) write(out, days, second, micros);
    else writeBytes(out, missing);
  };
}

/** 1677-09-21T00:12:43.145224192Z to 2262-04-11T23:47:16.854775807Z, to the second within. */
function fitsNanos(days: number, second: number): boolean {
  if (days > firstNanoDay - 1 && days < lastNanoDay) return true;
  return days === lastNanoDay && second <= 85_636;
}

function writeMillis(out: ByteWriter, days: number, second: number, micros: number): void {
  writeInteger(out, (days * secondsPerDay + second) * 1000 + Math.floor(micros / 1000));
}

function writeMicros(out: ByteWriter, days: number, second: number, micros: number): void {
  let seconds = days * secondsPerDay + second;
  let rest = micros;
  if (seconds < 0) {
    // -1 second and 999,999 microseconds is -1 microsecond; the whole can be beyond 2^53
    seconds = -seconds;
    if (rest > 0) {
      seconds--;
      rest = 1_000_000 - rest;
    }
    if (seconds > 0 || rest > 0) writeAscii(out, '-');
  }
  if (seconds === 0) {
    writeInteger(out, rest);
  } else {
    writeInteger(out, seconds);
    writePadded(out, rest, 6);
  }
}

function writeNanos(out: ByteWriter, days: number, second: number, micros: number): void {
  writeMicros(out, days, second, micros);
  if (days !== 0 || second !== 0 || micros !== 0) writeAscii(out, '000');
}

function writeIso(out: ByteWriter, days: number, second: number, micros: number): void {
  writeAscii(out, '"');
  writeDay(out, days);
  writeAscii(out, 'T');
  writeClock(out, second);
  writeTrimmedFraction(out, micros);
  writeAscii(out, 'Z"');
}

function timestampWriter(missing: Uint8Array, fraction: (out: ByteWriter, micros: number) => void): WriteCell {
  return (cell, out) => {
    const micros = readInt64(cell);
    if (micros === 0) {
      writeBytes(out, missing);
      return;
    }
    const seconds = Math.floor(micros / 1e6);
    const days = Math.floor(seconds / secondsPerDay);
    writeAscii(out, '"');
    writeDay(out, days);
    writeAscii(out, 'T');
    writeClock(out, seconds - days * secondsPerDay);
    fraction(out, micros - seconds * 1e6);
    writeAscii(out, 'Z"');
  };
}

/** Reads the date at the cursor, which stays; undefined for zero, partly zero and impossible dates. */
function readDays(cell: CellCursor, adjust: boolean): number | undefined {
  const packed = cell.view.getUint32(cell.at, true);
  let year = packed >>> 9;
  if (adjust && year < 100) year += year < 70 ? 2000 : 1900;
  return daysOfCivil(year, (packed >>> 5) & 15, packed & 31);
}

/** A signed 64-bit integer within 2^53; the cursor moves behind it. */
function readInt64(cell: CellCursor): number {
  const value = cell.view.getInt32(cell.at + 4, true) * 0x1_0000_0000 + cell.view.getUint32(cell.at, true);
  cell.at += 8;
  return value;
}

/** `2021-03-04`. */
function writeDay(out: ByteWriter, days: number): void {
  const packed = civilOfDays(days);
  writePadded(out, packed >> 9, 4);
  writeAscii(out, '-');
  writePadded(out, (packed >> 5) & 15, 2);
  writeAscii(out, '-');
  writePadded(out, packed & 31, 2);
}

/** `05:06:07`. */
function writeClock(out: ByteWriter, second: number): void {
  const minutes = Math.floor(second / 60);
  const hours = Math.floor(minutes / 60);
  writePadded(out, hours, 2);
  writeAscii(out, ':');
  writePadded(out, minutes - hours * 60, 2);
  writeAscii(out, ':');
  writePadded(out, second - minutes * 60, 2);
}

function writeFraction(out: ByteWriter, micros: number, fsp: Fsp): void {
  if (fsp === 0) return;
  writeAscii(out, '.');
  writePadded(out, Math.floor(micros / 10 ** (6 - fsp)), fsp);
}

function writeTrimmedFraction(out: ByteWriter, micros: number): void {
  if (micros === 0) return;
  writeAscii(out, '.');
  writePadded(out, micros, 6);
  while (out.bytes[out.length - 1] === 0x30) out.length--;
}
