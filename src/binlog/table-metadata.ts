import { charsetOfCollation, decodeText } from './charsets.ts';
import { columnType, hasCharset, hasSignedness } from './column-types.ts';
import { Cursor, textOf } from './cursor.ts';

export interface PrimaryKeyPart {
  /** Ordinal of the column, from 0. */
  readonly column: number;
  /** Characters of the column that are in the key; 0: the whole column. */
  readonly prefixLength: number;
}

/** What TABLE_MAP says beyond the layout; each is undefined where the server did not write it. */
export interface OptionalMetadata {
  /** 1 for each numeric column that is UNSIGNED. */
  readonly unsigned: Uint8Array | undefined;
  /** Collation id of each text column, ENUM and SET included (63: bytes); 0 for others. */
  readonly collations: Uint16Array | undefined;
  readonly columnNames: readonly string[] | undefined;
  /** The names of each ENUM and SET column, in order; undefined for others. */
  readonly members: readonly (readonly string[] | undefined)[] | undefined;
  /** The OGC type of each GEOMETRY column: 0 geometry, 1 point, 2 linestring, 3 polygon, 4-6 multi…, 7 collection. */
  readonly geometryTypes: Uint8Array | undefined;
  readonly primaryKey: readonly PrimaryKeyPart[] | undefined;
  /** 0 for each INVISIBLE column. */
  readonly visible: Uint8Array | undefined;
  /** Numbers in each VECTOR column; 0 for others. */
  readonly vectorDimensions: Uint16Array | undefined;
}

type Draft = { -readonly [K in keyof OptionalMetadata]: OptionalMetadata[K] };

/** Bytes of a field, kept until the character sets of the columns are known. */
interface Members {
  readonly cursor: Cursor;
  readonly type: number;
}

/**
 * Optional metadata: fields of a type byte, a length-encoded length and a value.
 *
 *   1   signedness: a bit for each numeric column, highest bit first
 *   2   default collation of the text columns, then pairs: which text column differs, its collation
 *   3   collation of each text column
 *   4   name of each column
 *   5   for each SET column its number of members and their names; 6 likewise for ENUM
 *   7   geometry type of each GEOMETRY column
 *   8   columns of the primary key; 9 the same with prefix lengths
 *   10  as 2 for ENUM and SET columns; 11 as 3
 *   12  visibility: a bit for each column, highest bit first
 *   13  dimensions of each VECTOR column
 *
 * All numbers are length-encoded.
 * Source: mysql-server, rows_event.h, Table_map_event::Optional_metadata_field_type.
 */
export function readOptionalMetadata(cursor: Cursor, types: Uint8Array, mariadb: boolean): OptionalMetadata {
  const draft: Draft = {
    unsigned: undefined,
    collations: undefined,
    columnNames: undefined,
    members: undefined,
    geometryTypes: undefined,
    primaryKey: undefined,
    visible: undefined,
    vectorDimensions: undefined,
  };
  const members: Members[] = [];
  const isText = (type: number): boolean => hasCharset(type, mariadb);
  while (cursor.remaining > 0) {
    const field = cursor.uint8();
    const length = cursor.lengthEncoded();
    const start = cursor.at;
    cursor.skip(length);
    const value = new Cursor(cursor.bytes, start, start + length, 'TABLE_MAP metadata');
    switch (field) {
      case 1:
        draft.unsigned = readBits(value, types, hasSignedness);
        break;
      case 2:
        readDefaultCollation(value, types, isText, (draft.collations ??= new Uint16Array(types.length)));
        break;
      case 3:
        readCollations(value, types, isText, (draft.collations ??= new Uint16Array(types.length)));
        break;
      case 4:
        draft.columnNames = readNames(value, types.length);
        break;
      case 5:
        members.push({ cursor: value, type: columnType.set });
        break;
      case 6:
        members.push({ cursor: value, type: columnType.enum });
        break;
      case 7:
        draft.geometryTypes = Uint8Array.from(readPerColumn(value, types, columnType.geometry));
        break;
      case 8:
      case 9:
        draft.primaryKey = readPrimaryKey(value, field === 9);
        break;
      case 10:
        readDefaultCollation(value, types, isEnumOrSet, (draft.collations ??= new Uint16Array(types.length)));
        break;
      case 11:
        readCollations(value, types, isEnumOrSet, (draft.collations ??= new Uint16Array(types.length)));
        break;
      case 12:
        draft.visible = readBits(value, types, () => true);
        break;
      case 13:
        draft.vectorDimensions = Uint16Array.from(readPerColumn(value, types, columnType.vector));
        break;
      default: // of a newer server
    }
  }
  if (members.length > 0) draft.members = readMembers(members, types, draft.collations);
  return draft;
}

function isEnumOrSet(type: number): boolean {
  return type === columnType.enum || type === columnType.set;
}

/** A bit for each column that `counts`, highest bit of each byte first. */
function readBits(cursor: Cursor, types: Uint8Array, counts: (type: number) => boolean): Uint8Array {
  const result = new Uint8Array(types.length);
  let bit = 0;
  let byte = 0;
  for (let i = 0; i < types.length; i++) {
    if (!counts(types[i] ?? 0)) continue;
    if ((bit & 7) === 0) byte = cursor.uint8();
    result[i] = (byte >> (7 - (bit & 7))) & 1;
    bit++;
  }
  return result;
}

function readDefaultCollation(cursor: Cursor, types: Uint8Array, counts: (type: number) => boolean, collations: Uint16Array): void {
  const common = cursor.lengthEncoded();
  const columns: number[] = [];
  for (let i = 0; i < types.length; i++) {
    if (!counts(types[i] ?? 0)) continue;
    collations[i] = common;
    columns.push(i);
  }
  while (cursor.remaining > 0) {
    const column = columns[cursor.lengthEncoded()];
    const collation = cursor.lengthEncoded();
    if (column === undefined) throw cursor.corrupt('a collation of a column that does not exist');
    collations[column] = collation;
  }
}

function readCollations(cursor: Cursor, types: Uint8Array, counts: (type: number) => boolean, collations: Uint16Array): void {
  for (let i = 0; i < types.length; i++) if (counts(types[i] ?? 0)) collations[i] = cursor.lengthEncoded();
}

function readNames(cursor: Cursor, count: number): string[] {
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(cursor.text(cursor.lengthEncoded()));
  return names;
}

function readPerColumn(cursor: Cursor, types: Uint8Array, which: number): number[] {
  return Array.from(types, (type) => (type === which && cursor.remaining > 0 ? cursor.lengthEncoded() : 0));
}

function readPrimaryKey(cursor: Cursor, withPrefix: boolean): PrimaryKeyPart[] {
  const parts: PrimaryKeyPart[] = [];
  while (cursor.remaining > 0) {
    const column = cursor.lengthEncoded();
    parts.push({ column, prefixLength: withPrefix ? cursor.lengthEncoded() : 0 });
  }
  return parts;
}

/** The names of members are in the character set of their column. */
function readMembers(
  fields: readonly Members[],
  types: Uint8Array,
  collations: Uint16Array | undefined,
): (readonly string[] | undefined)[] {
  const result: (readonly string[] | undefined)[] = Array.from(types, () => undefined);
  for (const { cursor, type } of fields) {
    for (let i = 0; i < types.length; i++) {
      if (types[i] !== type) continue;
      const charset = charsetOfCollation(collations?.[i] ?? 0) ?? 'utf8mb4';
      const names: string[] = [];
      for (let left = cursor.lengthEncoded(); left > 0; left--) {
        const length = cursor.lengthEncoded();
        const { bytes, at } = cursor;
        cursor.skip(length);
        names.push(decodeText(bytes, at, at + length, charset) ?? textOf(bytes, at, at + length));
      }
      result[i] = names;
    }
  }
  return result;
}
