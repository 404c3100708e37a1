import { MillraceError } from '../base/errors.ts';
import { columnType, columnTypeName } from './column-types.ts';
import { uint32At } from './cursor.ts';
import { decimalLength } from './decimal.ts';

/** Bytes of the length in front of a CHAR or VARCHAR whose values have at most `most` bytes. */
export function stringPrefix(most: number): number {
  return most > 255 ? 2 : 1;
}

/** The little-endian length of `size` bytes at `bytes[at]`. */
export function lengthAt(bytes: Uint8Array, at: number, size: number): number {
  switch (size) {
    case 1:
      return bytes[at] ?? 0;
    case 2:
      return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    case 3:
      return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    default:
      return uint32At(bytes, at);
  }
}

/** Bytes of the fraction of a second with `digits` digits. */
function fractionLength(digits: number): number {
  return (digits + 1) >> 1;
}

/**
 * How many bytes the field at `bytes[at]` takes in a row image, length prefix included; type and metadata are as in
 * `TableMap`. Nothing is checked against an end: the caller does that once it has added up an image.
 *
 * @throws BINLOG_UNSUPPORTED for a type that no supported server writes
 * Source: mysql-server, log_event.cc, calc_field_size.
 */
export function fieldLength(type: number, metadata: number, bytes: Uint8Array, at: number): number {
  switch (type) {
    case columnType.tiny:
    case columnType.year:
      return 1;
    case columnType.short:
      return 2;
    case columnType.int24:
    case columnType.date:
    case columnType.newdate:
    case columnType.time:
      return 3;
    case columnType.long:
    case columnType.float:
    case columnType.timestamp:
      return 4;
    case columnType.longlong:
    case columnType.double:
    case columnType.datetime:
      return 8;
    case columnType.null:
      return 0;
    case columnType.timestamp2:
      return 4 + fractionLength(metadata);
    case columnType.datetime2:
      return 5 + fractionLength(metadata);
    case columnType.time2:
      return 3 + fractionLength(metadata);
    case columnType.newdecimal:
      return decimalLength(metadata & 0xff, metadata >> 8);
    case columnType.enum:
    case columnType.set:
      return metadata;
    case columnType.bit:
      return (metadata + 7) >> 3;
    case columnType.string:
    case columnType.varchar:
    case columnType.varcharCompressed: {
      const prefix = stringPrefix(metadata);
      return prefix + lengthAt(bytes, at, prefix);
    }
    case columnType.blob:
    case columnType.tinyBlob:
    case columnType.mediumBlob:
    case columnType.longBlob:
    case columnType.blobCompressed:
    case columnType.json:
    case columnType.geometry:
    case columnType.vector:
      return metadata + lengthAt(bytes, at, metadata);
    default:
      throw new MillraceError('BINLOG_UNSUPPORTED', `a column of type ${columnTypeName(type)}`);
  }
}
