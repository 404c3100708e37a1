/**
 * Column types in TABLE_MAP events.
 * Source: mysql-server, include/field_types.h; MariaDB, include/mysql_com.h (the two compressed ones).
 */
export const columnType = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newdate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  typedArray: 20,
  blobCompressed: 140,
  varcharCompressed: 141,
  vector: 242,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

const names = new Map<number, string>(Object.entries(columnType).map(([name, code]) => [code, name.toUpperCase()]));

export function columnTypeName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}

/** How many bytes of metadata a column of this type has in TABLE_MAP. */
export function metadataSize(type: number): number {
  switch (type) {
    case columnType.float:
    case columnType.double:
    case columnType.timestamp2:
    case columnType.datetime2:
    case columnType.time2:
    case columnType.blobCompressed:
    case columnType.vector:
    case columnType.json:
    case columnType.tinyBlob:
    case columnType.mediumBlob:
    case columnType.longBlob:
    case columnType.blob:
    case columnType.geometry:
      return 1;
    case columnType.varchar:
    case columnType.varcharCompressed:
    case columnType.bit:
    case columnType.newdecimal:
    case columnType.enum:
    case columnType.set:
    case columnType.varString:
    case columnType.string:
      return 2;
    default:
      return 0;
  }
}

/** What the server counts as numeric for the signedness bits; YEAR is, BIT is not. */
export function hasSignedness(type: number): boolean {
  switch (type) {
    case columnType.tiny:
    case columnType.short:
    case columnType.int24:
    case columnType.long:
    case columnType.longlong:
    case columnType.newdecimal:
    case columnType.float:
    case columnType.double:
    case columnType.year:
      return true;
    default:
      return false;
  }
}

/**
 * What the server counts as text or bytes for the character set metadata; ENUM and SET have metadata of their own.
 * MariaDB counts GEOMETRY too.
 */
export function hasCharset(type: number, mariadb: boolean): boolean {
  switch (type) {
    case columnType.string:
    case columnType.varString:
    case columnType.varchar:
    case columnType.varcharCompressed:
    case columnType.blob:
    case columnType.tinyBlob:
    case columnType.mediumBlob:
    case columnType.longBlob:
    case columnType.blobCompressed:
      return true;
    case columnType.geometry:
      return mariadb;
    default:
      return false;
  }
}
