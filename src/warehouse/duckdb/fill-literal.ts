import { ByteWriter } from '../../base/byte-writer.ts';
import { isMillraceError, MillraceError } from '../../base/errors.ts';
import { cellState } from '../../event/change-batch.ts';
import { writeCell } from '../../event/cell.ts';
import type { Column } from '../../event/table-schema.ts';
import type { Value } from '../../event/value.ts';
import { imageBytes } from '../fold.ts';
import { storeStringsSingly } from './column-buffer.ts';
import type { MappedColumn } from './column-mapping.ts';
import { loadRows } from './load-rows.ts';
import { literal, type Session } from './session.ts';

/** SQL of a literal default (the server's text, as `Column.defaultText`). */
export async function fillLiteral(session: Session, mapped: MappedColumn, text: string | null): Promise<string> {
  const printed = text === null ? null : await printFill(session, mapped, text);
  return `CAST(${printed === null ? 'NULL' : literal(printed)} AS ${mapped.sqlType})`;
}

/**
 * A literal default as DuckDB prints it: the value takes the way of all values, through a cell and a chunk, and is then
 * read back.
 */
export async function printFill(session: Session, mapped: MappedColumn, text: string): Promise<string | null> {
  const writer = new ByteWriter(64);
  writer.uint8(cellState.value);
  writer.length = 1;
  try {
    writeCell(mapped.column.type, fillValue(mapped.column, text), writer);
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    throw new MillraceError('VALUE_UNREPRESENTABLE', `The default '${text}' of column ${mapped.column.name} cannot be read`, {
      cause: error,
    });
  }
  const image = imageBytes(writer.toBytes());
  await session.run(`CREATE OR REPLACE TEMP TABLE millrace_fill (c0 ${mapped.sqlType})`);
  await loadRows(
    session,
    { catalog: undefined, schema: 'main', table: 'millrace_fill' },
    {
      set: { extent: 1, visit: (_from, _to, visitor) => visitor(image, 0) },
      columns: [mapped],
      options: { storeStrings: storeStringsSingly, table: mapped.column.name, key: [], failOnInvalid: false },
    },
  );
  const [row] = await session.rows('SELECT CAST(c0 AS VARCHAR) FROM temp.millrace_fill');
  await session.run('DROP TABLE temp.millrace_fill');
  const printed = row?.[0];
  return typeof printed === 'string' ? printed : null;
}

function fillValue(column: Column, text: string): Exclude<Value, null | undefined> {
  const { type } = column;
  switch (type.kind) {
    case 'int':
      return type.bits === 64 ? BigInt(text) : Number(text);
    case 'bit': {
      const bits = /^b'([01]*)'$/.exec(text)?.[1];
      return BigInt(bits === undefined ? text : `0b${bits === '' ? '0' : bits}`);
    }
    case 'float':
    case 'double':
    case 'year':
      return Number(text);
    case 'binary':
      return paddedBytes(text, type.fixedLength ?? 0);
    case 'geometry':
    case 'vector':
      return Buffer.from(text, 'latin1');
    case 'decimal':
      return text;
    case 'datetime':
    case 'timestamp':
      return text.length === 10 ? `${text} 00:00:00` : text;
    case 'date':
    case 'time':
    case 'text':
    case 'enum':
    case 'set':
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return text;
  }
}

/** A binary default is shown as `0x…`, or as its text; BINARY(n) is filled up with zero bytes. */
function paddedBytes(text: string, length: number): Uint8Array {
  const bytes = /^0x(?:[0-9a-f]{2})*$/i.test(text) ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text, 'utf8');
  return bytes.length >= length ? bytes : Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}
