import type { ByteWriter } from '../base/byte-writer.ts';
import { openVar, type CellCursor } from '../event/cell.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { plainText } from './decimal-field.ts';
import type { WriteCell } from './field.ts';
import { bigDecimalText } from '../base/java-number.ts';
import { writeAscii } from './json-writer.ts';

/**
 * How a key's column stands in a header that Kafka's SimpleHeaderConverter writes, whose structs are like JSON but for
 * two things: decimals are plain numbers, and in strings only quotes and backslashes are escaped.
 */
export function simpleHeaderWriter(type: ColumnType, json: WriteCell, options: DebeziumOptions): WriteCell {
  switch (type.kind) {
    case 'decimal':
      if (options.decimalMode !== 'precise') return json;
      return (cell, out) => writeAscii(out, bigDecimalText(plainText(type, cell)));
    case 'int':
      if (type.bits !== 64 || !type.unsigned || options.bigintUnsignedMode === 'long') return json;
      return (cell, out) => {
        writeAscii(out, cell.view.getBigUint64(cell.at, true).toString());
        cell.at += 8;
      };
    case 'text':
    case 'enum':
    case 'set':
      return writeQuoted;
    default:
      return json;
  }
}

function writeQuoted(cell: CellCursor, out: ByteWriter): void {
  const end = openVar(cell);
  out.reserve((end - cell.at) * 2 + 2);
  const target = out.bytes;
  let at = out.length;
  target[at++] = 0x22;
  for (; cell.at < end; cell.at++) {
    const byte = cell.bytes[cell.at] ?? 0;
    if (byte === 0x22 || byte === 0x5c) target[at++] = 0x5c;
    target[at++] = byte;
  }
  target[at++] = 0x22;
  out.length = at;
}
