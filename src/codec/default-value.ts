import { ByteWriter } from '../base/byte-writer.ts';
import { isMillraceError } from '../base/errors.ts';
import { openCells, unscaledOf, decimalText, writeCell } from '../event/cell.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { Column } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { escaped, shownLiteral } from './described-column.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import type { FieldShape } from './field.ts';
import { javaDouble } from '../base/java-number.ts';

const currentTime = /^(current_timestamp|now|localtime|localtimestamp)\b/i;
const nothing = new Uint8Array(0);

/** JSON text of a column's default as its schema shows it; undefined if it shows none. */
export function defaultJson(column: Column, shape: FieldShape, options: DebeziumOptions): string | undefined {
  const { type, defaultText } = column;
  if (defaultText === undefined || defaultText === null || column.autoIncrement || column.generated !== undefined) return undefined;
  if ((type.kind === 'timestamp' || type.kind === 'datetime') && currentTime.test(defaultText)) {
    return column.nullable && type.kind === 'timestamp' ? undefined : shape.zero;
  }
  if (column.defaultExpression || isWithoutDefault(column, options)) return undefined;
  // the value of FLOAT(M,D) is widened from the float, the default is not
  if (type.kind === 'float' && column.scale !== undefined) return javaDouble(Number(defaultText));
  const json = options.compat === undefined ? render(type, defaultText, shape) : renderWrong(column, defaultText, shape);
  if (json !== '') return json;
  // a zero date; a time over the day has none
  return column.nullable || type.kind === 'time' ? undefined : shape.zero;
}

/** MariaDB's connector has no defaults of binary columns, but for those of streamed statements, and of UUIDs; expressions are the only ones of the last kinds. */
function isWithoutDefault({ type, writtenDefault }: Column, { connector }: DebeziumOptions): boolean {
  if (type.kind === 'binary') return connector === 'mariadb' && writtenDefault === undefined;
  return type.kind === 'uuid' || type.kind === 'geometry' || type.kind === 'vector' || type.kind === 'json';
}

const greatestBigint = 2n ** 63n - 1n;

/** As Debezium has it, for `millrace.compat`; the numbers are those of the findings. */
function renderWrong({ type, writtenDefault }: Column, text: string, shape: FieldShape): string | undefined {
  switch (type.kind) {
    case 'year': // 24
      return Number(text) === 0 ? '2000' : render(type, text, shape);
    case 'int': {
      // 23: through a double, and clamped
      const value = type.bits === 64 ? BigInt(Number(text)) : 0n;
      return type.bits === 64 ? String(value > greatestBigint ? greatestBigint : value) : render(type, text, shape);
    }
    case 'enum': // 26: streamed values have escapes, their default has none
      return render(type, text, { ...shape, writer: (missing) => shape.snapshotWriter?.(missing) ?? shape.writer(missing) });
    case 'text': // 39
      return render(type, escaped(text), shape);
    case 'binary': {
      const literal = writtenDefault ?? shownLiteral(text);
      return render({ kind: 'binary' }, `0x${Buffer.from(literal, 'utf8').toString('hex')}`, shape);
    }
    default:
      return render(type, text, shape);
  }
}

/** The default as the column's values are written; undefined when its text is no value of the type. */
function render(type: ColumnType, text: string, shape: FieldShape): string | undefined {
  try {
    const value = parse(type, text.trim(), text);
    if (value === undefined) return undefined;
    const cell = new ByteWriter(64);
    const out = new ByteWriter(64);
    writeCell(type, value, cell);
    shape.writer(nothing)(openCells(cell.bytes, 0, cell.length), out);
    return Buffer.from(out.bytes.subarray(0, out.length)).toString('utf8');
  } catch (error) {
    if (error instanceof SyntaxError || isMillraceError(error, 'SCHEMA_MISMATCH')) return undefined;
    throw error;
  }
}

function parse(type: ColumnType, text: string, exact: string): Exclude<Value, null | undefined> | undefined {
  switch (type.kind) {
    case 'int':
      return type.bits === 64 ? BigInt(text) : Number(text);
    case 'bit':
      return BigInt(text.replace(/^b'([01]+)'$/i, '0b$1'));
    case 'float':
    case 'double':
    case 'year':
      return Number(text);
    case 'decimal':
      return decimalText(roundHalfUp(text, type.scale), type.scale);
    case 'date':
      return text.slice(0, 10);
    case 'time':
      return text;
    case 'datetime':
    case 'timestamp':
      return text.length === 10 ? `${text} 00:00:00` : text;
    case 'binary':
      return padded(Buffer.from(text.replace(/^0x/, ''), 'hex'), type.fixedLength);
    case 'text':
    case 'enum':
    case 'set':
    case 'inet4':
    case 'inet6':
      return exact;
    case 'uuid':
    case 'json':
    case 'geometry':
    case 'vector':
      return undefined;
  }
}

function roundHalfUp(text: string, scale: number): bigint {
  const fraction = /\.(\d*)$/.exec(text)?.[1] ?? '';
  if (fraction.length <= scale) return unscaledOf(text, scale);
  const fine = unscaledOf(text, fraction.length);
  const unit = 10n ** BigInt(fraction.length - scale);
  return (fine + (fine < 0n ? -unit : unit) / 2n) / unit;
}

function padded(bytes: Uint8Array, length: number | undefined): Uint8Array {
  if (length === undefined || bytes.length >= length) return bytes;
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}
