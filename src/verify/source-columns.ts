import { MillraceError } from '../base/errors.ts';
import type { TableId } from '../event/table-schema.ts';
import { canonicalDouble } from './canonical.ts';
import type { SourceReader } from './source-reader.ts';

/** A column of the source, as `information_schema` tells it to `verify` alone: no other part's reading is trusted here. */
export interface SourceColumn {
  readonly name: string;
  /** DATA_TYPE, lower case: `int`, `varchar`, `point` … */
  readonly dataType: string;
  /** COLUMN_TYPE, lower case: `bit(3)`, `float unsigned` … */
  readonly columnType: string;
  /** Select expression: the server's own text of the value, or its hex digits. */
  readonly sql: string;
  /** From that text (never null) to the canonical text that both sides are compared by. */
  readonly canonical: (text: string) => string;
  /** Date parts that the replica may have replaced by NULL: see `isInvalidDate`. */
  readonly isTemporal: boolean;
}

export interface SourceTable {
  readonly id: TableId;
  readonly columns: readonly SourceColumn[];
  /** Names of its other columns. */
  readonly others: readonly string[];
  /** Positions of the primary key's columns; empty: rows are told apart by all their values. */
  readonly key: readonly number[];
  /** MariaDB's system versioning: history rows are rows of the replica too. */
  readonly isVersioned: boolean;
}

/**
 * Reads what `verify` needs to know of a table: the named columns and the primary key.
 * @throws VERIFY_UNDECIDED for a column type that it cannot compare
 */
export async function readSourceTable(reader: SourceReader, id: TableId, names: readonly string[]): Promise<SourceTable | undefined> {
  const where = `TABLE_SCHEMA = ${quoteText(id.database)} AND TABLE_NAME = ${quoteText(id.table)}`;
  const rows = await reader.rows(
    `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, GENERATION_EXPRESSION FROM information_schema.COLUMNS WHERE ${where} ORDER BY ORDINAL_POSITION`,
  );
  if (rows.length === 0) return undefined;
  const byName = new Map(
    rows.map(([name, dataType, columnType]) => [name ?? '', { dataType: dataType ?? '', columnType: columnType ?? '' }]),
  );
  const [[tableType] = []] = await reader.rows(`SELECT TABLE_TYPE FROM information_schema.TABLES WHERE ${where}`);
  const isVersioned = tableType === 'SYSTEM VERSIONED';
  // Columns that versioning adds where none are named for the period can be read, and are not listed.
  if (isVersioned && !rows.some(([, , , generation]) => generation === 'ROW START')) {
    for (const name of ['row_start', 'row_end']) byName.set(name, { dataType: 'timestamp', columnType: 'timestamp(6)' });
  }
  const columns = names.flatMap((name) => {
    const found = byName.get(name);
    return found === undefined ? [] : [sourceColumn({ name, ...found }, reader.flavor)];
  });
  const keyRows = await reader.rows(
    `SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE ${where} AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
  );
  const key = keyRows.map(([name]) => columns.findIndex((column) => column.name === name));
  // History rows repeat the key: such a table's rows are told apart by all their values.
  const others = [...byName.keys()].filter((name) => !names.includes(name));
  return { id, columns, others, key: isVersioned || key.includes(-1) ? [] : key, isVersioned };
}

interface ColumnText {
  readonly name: string;
  readonly dataType: string;
  readonly columnType: string;
}

const same = (text: string): string => text;

function sourceColumn({ name, dataType, columnType }: ColumnText, flavor: 'mysql' | 'mariadb'): SourceColumn {
  const type = dataType.toLowerCase();
  const quoted = quoteName(name);
  const column = (sql: string, canonical: (text: string) => string, isTemporal = false): SourceColumn => ({
    name,
    dataType: type,
    columnType: columnType.toLowerCase(),
    sql,
    canonical,
    isTemporal,
  });
  switch (type) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
    case 'integer':
    case 'bigint':
      return column(`CAST(${quoted} AS CHAR)`, withoutZerofill);
    case 'year':
      return column(`CAST(${quoted} AS CHAR)`, withoutZerofill);
    case 'bit':
      return column(`CAST(${quoted} + 0 AS CHAR)`, same);
    case 'decimal':
    case 'numeric':
      return column(`CAST(${quoted} AS CHAR)`, withoutZerofill);
    case 'float':
    case 'double':
    case 'real':
      return column(`CAST(${quoted} AS DOUBLE)`, (text) => canonicalDouble(Number(text)));
    case 'date':
      return column(`CAST(${quoted} AS CHAR)`, same, true);
    case 'datetime':
    case 'timestamp':
      return column(`CAST(${quoted} AS CHAR)`, same, true);
    case 'time':
      return column(`CAST(${quoted} AS CHAR)`, same);
    case 'char':
    case 'varchar':
    case 'tinytext':
    case 'text':
    case 'mediumtext':
    case 'longtext':
    case 'enum':
    case 'set':
      return column(quoted, same);
    case 'json':
      return column(`CAST(${quoted} AS CHAR)`, same);
    case 'binary':
    case 'varbinary':
    case 'tinyblob':
    case 'blob':
    case 'mediumblob':
    case 'longblob':
      return column(`HEX(${quoted})`, same);
    case 'point':
    case 'linestring':
    case 'polygon':
    case 'geometry':
    case 'multipoint':
    case 'multilinestring':
    case 'multipolygon':
    case 'geometrycollection':
    case 'geomcollection': {
      const wkb = flavor === 'mysql' ? `ST_AsBinary(${quoted}, 'axis-order=long-lat')` : `ST_AsBinary(${quoted})`;
      return column(`CONCAT(ST_SRID(${quoted}), ';', HEX(${wkb}))`, canonicalGeometry);
    }
    case 'vector':
      return column(`HEX(${quoted})`, canonicalVector);
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return column(`CAST(${quoted} AS CHAR)`, same);
    default:
      throw new MillraceError('VERIFY_UNDECIDED', `column ${name}: type ${columnType} cannot be compared`);
  }
}

/** `-00042.50` of a ZEROFILL column is the number -42.50. */
function withoutZerofill(text: string): string {
  return text.replace(/^(-?)0+(?=\d)/, '$1');
}

/** `srid;wkb` in hex becomes EWKB in hex: the SRID, where it is not 0, goes into the header. */
function canonicalGeometry(text: string): string {
  const [srid = '0', wkb = ''] = text.split(';');
  if (srid === '0') return wkb;
  const bytes = Buffer.from(wkb, 'hex');
  const header = Buffer.alloc(9);
  header[0] = 1;
  header.writeUInt32LE((bytes.readUInt32LE(1) | 0x2000_0000) >>> 0, 1);
  header.writeUInt32LE(Number(srid), 5);
  return Buffer.concat([header, bytes.subarray(5)])
    .toString('hex')
    .toUpperCase();
}

function canonicalVector(text: string): string {
  const bytes = Buffer.from(text, 'hex');
  const parts: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) parts.push(canonicalDouble(bytes.readFloatLE(at)));
  return parts.join(',');
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function quoteText(text: string): string {
  // Hex, so that no sql_mode changes its meaning.
  return text === '' ? "''" : `CONVERT(X'${Buffer.from(text).toString('hex')}' USING utf8mb4)`;
}
