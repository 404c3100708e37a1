import type { ByteWriter } from '../base/byte-writer.ts';
import { decimalText, openVar, readUnscaled, unscaledOf, type CellCursor } from '../event/cell.ts';
import { maxDecimal128Precision, maxDecimal64Precision, type ColumnType } from '../event/column-type.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import type { FieldShape, WriteCell } from './field.ts';
import { bigDecimalText, bigEndianBytes, javaDouble } from '../base/java-number.ts';
import { writeAscii, writeBase64 } from './json-writer.ts';

export type Decimal = Extract<ColumnType, { kind: 'decimal' }>;

/** DECIMAL by `decimal.handling.mode`. */
export function decimalShape(type: Decimal, options: DebeziumOptions): FieldShape {
  if (options.decimalMode === 'string') {
    return { type: 'string', zero: '""', writer: () => (cell, out) => writeAscii(out, `"${plainText(type, cell)}"`) };
  }
  if (options.decimalMode === 'double') {
    return { type: 'double', zero: '0.0', writer: () => (cell, out) => writeAscii(out, javaDouble(Number(plainText(type, cell)))) };
  }
  return {
    ...connectDecimal(type.precision, type.scale),
    zero: options.decimalFormat === 'numeric' ? '0' : '"AA=="',
    writer: () =>
      options.decimalFormat === 'numeric' ? (cell, out) => writeAscii(out, bigDecimalText(plainText(type, cell))) : unscaledWriter(type),
  };
}

/** BIGINT UNSIGNED with `bigint.unsigned.handling.mode=precise`. */
export function unsignedBigintShape(options: DebeziumOptions): FieldShape {
  const numeric = options.decimalFormat === 'numeric';
  return {
    ...connectDecimal(20, 0),
    zero: numeric ? '0' : '"AA=="',
    writer: () => (cell, out) => {
      if (numeric) writeAscii(out, cell.view.getBigUint64(cell.at, true).toString());
      else writeUnscaled(cell, 8, true, out);
      cell.at += 8;
    },
  };
}

function connectDecimal(precision: number, scale: number): Pick<FieldShape, 'type' | 'name' | 'parameters'> {
  return {
    type: 'bytes',
    name: 'org.apache.kafka.connect.data.Decimal',
    parameters: [
      ['scale', String(scale)],
      ['connect.decimal.precision', String(precision)],
    ],
  };
}

/** The decimal as plain text with all its fraction digits. */
export function plainText({ precision, scale }: Decimal, cell: CellCursor): string {
  if (precision > maxDecimal128Precision) {
    const end = openVar(cell);
    const text = Buffer.from(cell.bytes.subarray(cell.at, end)).toString('latin1');
    cell.at = end;
    return text;
  }
  const text = decimalText(readUnscaled(precision, cell.view, cell.at), scale);
  cell.at += precision > maxDecimal64Precision ? 16 : 8;
  return text;
}

function unscaledWriter(type: Decimal): WriteCell {
  if (type.precision > maxDecimal128Precision) {
    return (cell, out) => {
      const bytes = bigEndianBytes(unscaledOf(plainText(type, cell), type.scale));
      writeBase64(out, bytes, 0, bytes.length);
    };
  }
  const width = type.precision > maxDecimal64Precision ? 16 : 8;
  return (cell, out) => {
    writeUnscaled(cell, width, false, out);
    cell.at += width;
  };
}

const scratch = new Uint8Array(17);

/** The cell's little-endian integer as base64 of big-endian two's complement, as few bytes as hold it. */
function writeUnscaled(cell: CellCursor, width: number, unsigned: boolean, out: ByteWriter): void {
  const { bytes, at } = cell;
  const top = bytes[at + width - 1] ?? 0;
  const fill = !unsigned && top >= 0x80 ? 0xff : 0;
  let size = width;
  while (size > 1 && bytes[at + size - 1] === fill && ((bytes[at + size - 2] ?? 0) & 0x80) === (fill & 0x80)) size--;
  let length = 0;
  if (unsigned && size === width && top >= 0x80) scratch[length++] = 0;
  for (let i = size - 1; i >= 0; i--) scratch[length++] = bytes[at + i] ?? 0;
  writeBase64(out, scratch, 0, length);
}
