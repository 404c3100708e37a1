import type { ByteWriter } from '../base/byte-writer.ts';
import type { Conversion } from '../config/converter-rules.ts';
import type { CellCursor } from '../event/cell.ts';
import type { ColumnType } from '../event/column-type.ts';
import { writeDouble, writeNarrowed } from './field.ts';
import type { FieldShape } from './field.ts';
import { utf8, writeBytes, writeInteger } from './json-writer.ts';

const trueText = utf8('true');
const falseText = utf8('false');

/** How a column looks that a converter takes; `plain` is how it does without. */
export function converterShape(conversion: Conversion, type: ColumnType, plain: FieldShape): FieldShape {
  switch (conversion.kind) {
    case 'boolean':
      return { type: 'boolean', zero: 'false', writer: () => writePositive(type.kind === 'int' && type.unsigned) };
    case 'int16':
      return type.kind === 'int' ? { type: 'int16', zero: '0', writer: () => writeSmall(type.unsigned) } : plain;
    case 'real':
      return conversion.asDouble
        ? { type: 'double', zero: '0.0', writer: () => writeDouble }
        : { type: 'float', zero: '0.0', writer: () => writeNarrowed };
    case 'string':
      return { ...plain, parameters: [...(plain.parameters ?? []), ['__debezium.source.column.character_set', conversion.charset]] };
  }
}

/** TINYINT(1): what is above zero is true. */
function writePositive(unsigned: boolean): (cell: CellCursor, out: ByteWriter) => void {
  return (cell, out) => {
    writeBytes(out, (unsigned ? cell.view.getUint8(cell.at) : cell.view.getInt8(cell.at)) > 0 ? trueText : falseText);
    cell.at += 1;
  };
}

function writeSmall(unsigned: boolean): (cell: CellCursor, out: ByteWriter) => void {
  return (cell, out) => {
    writeInteger(out, unsigned ? cell.view.getUint8(cell.at) : cell.view.getInt8(cell.at));
    cell.at += 1;
  };
}
