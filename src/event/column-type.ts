/** Fraction digits of a temporal column. */
export type Fsp = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/**
 * What a column holds, apart from where it comes from and where it goes. It decides the cell's canonical bytes in a
 * `ChangeBatch` (all integers little-endian; `var` is a LEB128 length and that many bytes):
 *
 *   kind       bytes of a cell
 *   int        bits / 8 (24 bits travel in 4), two's complement or unsigned
 *   bit        8, unsigned
 *   float      4, IEEE 754
 *   double     8, IEEE 754
 *   decimal    value × 10^scale as two's complement: 8 bytes up to precision 18, 16 up to 38; beyond that var, ASCII
 *              text with exactly `scale` fraction digits, no plus sign, no exponent, no leading zeros but one before
 *              the point, never "-0"
 *   year       2, unsigned; 0 is the year 0000
 *   date       4: year << 9 | month << 5 | day, so that zero and partly zero dates are themselves
 *   time       8: signed microseconds
 *   datetime   12: date as above (4), second of the day (4), microsecond (4); civil, without a zone
 *   timestamp  8: microseconds since 1970-01-01 UTC; 0 is MySQL's zero timestamp (the type cannot hold the epoch itself)
 *   text       var, UTF-8
 *   enum, set  var, UTF-8: the label (of a set: the labels, joined with commas, in definition order); an invalid enum
 *              member (number 0) is the empty text
 *   json       var, UTF-8: the document as the server itself prints it
 *   binary     var; a fixed BINARY(n) has all its n bytes
 *   geometry   var: SRID (4 bytes), then WKB in the server's stored axis order (x first)
 *   vector     var: 4-byte floats
 *   uuid, inet4, inet6   var, ASCII: the server's own text
 */
export type ColumnType =
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 24 | 32 | 64; readonly unsigned: boolean }
  | { readonly kind: 'bit'; readonly length: number }
  | { readonly kind: 'float' | 'double'; readonly unsigned: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number; readonly unsigned: boolean }
  | { readonly kind: 'year' }
  | { readonly kind: 'date' }
  | { readonly kind: 'time' | 'datetime' | 'timestamp'; readonly fsp: Fsp }
  | { readonly kind: 'text' }
  | { readonly kind: 'enum' | 'set'; readonly labels: readonly string[] }
  | { readonly kind: 'json' }
  | { readonly kind: 'binary'; /** Of BINARY(n): n. */ readonly fixedLength?: number }
  | { readonly kind: 'geometry' }
  | { readonly kind: 'vector' }
  | { readonly kind: 'uuid' | 'inet4' | 'inet6' };

/** The greatest DECIMAL precision whose cells are 8 and 16 bytes wide; beyond the second they are text. */
export const maxDecimal64Precision = 18;
export const maxDecimal128Precision = 38;

/** Bytes of a cell of this type, or 0 where each cell has a length of its own. */
export function cellWidth(type: ColumnType): number {
  switch (type.kind) {
    case 'int':
      return type.bits === 24 ? 4 : type.bits / 8;
    case 'bit':
    case 'double':
    case 'time':
    case 'timestamp':
      return 8;
    case 'float':
    case 'date':
      return 4;
    case 'decimal':
      if (type.precision <= maxDecimal64Precision) return 8;
      return type.precision <= maxDecimal128Precision ? 16 : 0;
    case 'year':
      return 2;
    case 'datetime':
      return 12;
    case 'text':
    case 'enum':
    case 'set':
    case 'json':
    case 'binary':
    case 'geometry':
    case 'vector':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return 0;
  }
}
