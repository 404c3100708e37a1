import type { Column } from '../../event/table-schema.ts';
import { sqlModeBits } from './read-ddl.ts';

/** Character sets that hold every character of all others. */
const unicode = new Set(['utf8mb4', 'utf16', 'utf16le', 'utf32', 'gb18030']);
/** Those whose characters are all in utf8mb3 and ucs2 as well. */
const basicPlane = new Set([
  'latin1',
  'ascii',
  'utf8mb3',
  'utf8',
  'ucs2',
  'latin2',
  'latin5',
  'latin7',
  'cp1250',
  'cp1251',
  'cp1256',
  'cp1257',
  'greek',
  'hebrew',
  'koi8r',
  'koi8u',
]);

/**
 * Why the values of existing rows under `after` do not follow with certainty from those under `before`; undefined if
 * they do: each value is the same text, number or instant, in a type of the same kind.
 */
export function conversionDoubt(before: Column, after: Column, sqlMode: bigint): string | undefined {
  const doubt = `${before.name}: ${before.nativeType} to ${after.nativeType}`;
  if (before.generated !== after.generated) return `${doubt}, computed`;
  if (after.generated !== undefined) return `${doubt}, computed anew`;
  if (before.versioning !== after.versioning) return `${doubt}, system versioning`;
  if (before.autoIncrement !== true && after.autoIncrement === true && before.nullable) {
    return `${doubt}, AUTO_INCREMENT in place of NULL and 0`;
  }
  const strict = (sqlMode & (sqlModeBits.strictTransTables | sqlModeBits.strictAllTables)) !== 0n;
  if (before.nullable && !after.nullable && !strict) return `${doubt}, NULL becomes the implicit default`;
  return sameValues(before, after) || (strict && failsOverRange(before, after)) ? undefined : doubt;
}

/** In strict mode the statement fails where a number has no place. */
function failsOverRange({ type: from }: Column, { type: to }: Column): boolean {
  if (from.kind === 'int') return to.kind === 'int';
  return from.kind === 'decimal' && to.kind === 'decimal' && from.scale <= to.scale;
}

function sameValues(before: Column, after: Column): boolean {
  const from = before.type;
  const to = after.type;
  switch (to.kind) {
    case 'int':
      if (from.kind !== 'int') return false;
      return from.unsigned === to.unsigned ? from.bits <= to.bits : from.unsigned && from.bits < to.bits;
    case 'decimal':
      if (from.kind !== 'decimal' || (!from.unsigned && to.unsigned)) return false;
      return from.scale <= to.scale && from.precision - from.scale <= to.precision - to.scale;
    case 'float':
    case 'double':
      return from.kind === to.kind && from.unsigned === to.unsigned && before.length === after.length && before.scale === after.scale;
    case 'bit':
      return from.kind === 'bit' && from.length <= to.length;
    case 'time':
    case 'datetime':
    case 'timestamp':
      return from.kind === to.kind && 'fsp' in from && from.fsp <= to.fsp;
    case 'text':
      return from.kind === 'text' && textFits(before, after);
    case 'enum':
      return from.kind === 'enum' && charsetFits(before, after) && from.labels.every((label) => to.labels.includes(label));
    case 'set':
      return from.kind === 'set' && charsetFits(before, after) && inOrder(from.labels, to.labels);
    case 'binary':
      if (from.kind !== 'binary') return false;
      if (to.fixedLength !== undefined) return from.fixedLength === to.fixedLength;
      return sizeOf(before) <= sizeOf(after);
    case 'vector':
      return from.kind === 'vector' && before.length === after.length;
    case 'geometry':
      return from.kind === 'geometry' && (before.nativeType === after.nativeType || after.nativeType === 'GEOMETRY');
    case 'year':
    case 'date':
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return from.kind === to.kind;
  }
}

/** VARCHAR to CHAR loses trailing spaces. */
function textFits(before: Column, after: Column): boolean {
  if (after.nativeType === 'CHAR' && before.nativeType !== 'CHAR') return false;
  return charsetFits(before, after) && sizeOf(before, after) <= sizeOf(after);
}

function charsetFits(before: Column, after: Column): boolean {
  if (before.charset === after.charset || (after.charset !== undefined && unicode.has(after.charset))) return true;
  const wide = after.charset === 'utf8mb3' || after.charset === 'utf8' || after.charset === 'ucs2';
  return wide && before.charset !== undefined && basicPlane.has(before.charset);
}

/** What a set prints follows the order of its labels. */
function inOrder(before: readonly string[], after: readonly string[]): boolean {
  const positions = before.map((label) => after.indexOf(label));
  return positions.every((position, i) => position >= 0 && (i === 0 || position > (positions[i - 1] ?? 0)));
}

const blobBytes: Readonly<Record<string, number>> = { TINY: 255, '': 65535, MEDIUM: 2 ** 24 - 1, LONG: 2 ** 32 - 1 };

/**
 * A bound of the column's values: of VARCHAR and its kin the characters, of TEXT and its kin the bytes. To compare a
 * VARCHAR with a TEXT (`other`), characters count four bytes.
 */
function sizeOf(column: Column, other = column): number {
  const prefix = /^(TINY|MEDIUM|LONG|)(?:TEXT|BLOB)$/.exec(column.nativeType)?.[1];
  if (prefix !== undefined) {
    const grows = other.charset !== undefined && column.charset !== other.charset;
    return (blobBytes[prefix] ?? 0) * (grows ? 4 : 1);
  }
  const toBytes = /(TEXT|BLOB)$/.test(other.nativeType) && column.charset !== undefined;
  return (column.length ?? 0) * (toBytes ? 4 : 1);
}
