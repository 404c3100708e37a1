import { columnType, metadataSize } from './column-types.ts';
import type { Cursor } from './cursor.ts';
import { readOptionalMetadata } from './table-metadata.ts';
import type { OptionalMetadata } from './table-metadata.ts';

/**
 * A table as the binlog describes it before its rows; immutable, and the same object for as long as the server
 * describes the table with the same bytes, so that what is compiled for it can hang on its identity.
 * The optional metadata is there as far as `binlog_row_metadata` has it written: MINIMAL, MySQL's default, has
 * `unsigned`, `geometryTypes` and `collations` (without ENUM and SET); NO_LOG, MariaDB's default, has nothing.
 */
export interface TableMap extends OptionalMetadata {
  readonly database: string;
  readonly table: string;
  readonly columnCount: number;
  /** `columnType` of each column; ENUM, SET and CHAR told apart, which are all STRING on the wire. */
  readonly types: Uint8Array;
  /**
   * One number per column, by type: bytes of the length prefix (BLOB, JSON, GEOMETRY, VECTOR), most bytes of the value
   * (VARCHAR, CHAR), bytes of the number (ENUM, SET, FLOAT, DOUBLE), bits (BIT), fraction digits (TIME, DATETIME,
   * TIMESTAMP), precision + 256 × scale (DECIMAL); else 0.
   */
  readonly metadata: Uint16Array;
  /** Bitmap, lowest bit first: the column can be NULL. */
  readonly nullable: Uint8Array;
}

/**
 * TABLE_MAP_EVENT, from behind the table id.
 *
 *   2      flags
 *   1+n+1  database: length, name, 0
 *   1+n+1  table: length, name, 0
 *   1-9    number of columns, length-encoded
 *   n      wire type of each column
 *   1-9    length of the next field, length-encoded
 *   …      metadata, 0 to 2 bytes for each column
 *   n/8    bitmap: can be NULL
 *   …      optional metadata, to the end
 *
 * Source: mysql-server, rows_event.h, Table_map_event.
 */
export function readTableMap(cursor: Cursor, mariadb: boolean): TableMap {
  cursor.skip(2);
  const database = cursor.text(cursor.uint8());
  cursor.skip(1);
  const table = cursor.text(cursor.uint8());
  cursor.skip(1);
  const columnCount = cursor.lengthEncoded();
  const types = cursor.copy(columnCount);
  const metadata = new Uint16Array(columnCount);
  const metadataEnd = cursor.lengthEncoded() + cursor.at;
  for (let i = 0; i < columnCount; i++) readColumn(cursor, types, metadata, i);
  if (cursor.at !== metadataEnd) {
    throw cursor.corrupt(`the column metadata of ${database}.${table} ends at ${cursor.at}, not ${metadataEnd}`);
  }
  const nullable = cursor.copy((columnCount + 7) >> 3);
  return { database, table, columnCount, types, metadata, nullable, ...readOptionalMetadata(cursor, types, mariadb) };
}

function readColumn(cursor: Cursor, types: Uint8Array, metadata: Uint16Array, i: number): void {
  const type = types[i] ?? 0;
  switch (type) {
    case columnType.string:
    case columnType.varString:
    case columnType.enum:
    case columnType.set: {
      const high = cursor.uint8();
      const low = cursor.uint8();
      // The two bits above a CHAR's length byte are kept, inverted, in bits 4 and 5 of the type byte.
      types[i] = (high & 0x30) === 0x30 ? high : high | 0x30;
      metadata[i] = low | (((high & 0x30) ^ 0x30) << 4);
      if (type === columnType.varString) types[i] = columnType.string;
      break;
    }
    case columnType.bit: {
      const bits = cursor.uint8();
      metadata[i] = bits + cursor.uint8() * 8;
      break;
    }
    case columnType.newdecimal:
      metadata[i] = cursor.uint16(); // precision, then scale
      break;
    default: {
      const size = metadataSize(type);
      metadata[i] = size === 2 ? cursor.uint16() : size === 1 ? cursor.uint8() : 0;
    }
  }
}
