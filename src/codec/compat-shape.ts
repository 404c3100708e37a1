import { ByteWriter } from '../base/byte-writer.ts';
import { javaDouble, javaFloat } from '../base/java-number.ts';
import { openCells, openVar, writeCell, type CellCursor } from '../event/cell.ts';
import type { Column } from '../event/table-schema.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import type { FieldShape, WriteCell } from './field.ts';
import { wrongDecoder, wrongText } from './wrong-charset.ts';
import { wrongDocument } from './wrong-document.ts';
import { jsonString, utf8, writeAscii, writeBytes, writeCompactDocument, writeInteger } from './json-writer.ts';

const nothing = new Uint8Array(0);
const nullText = utf8('null');

/**
 * The shape with the values that Debezium gets wrong, for `millrace.compat`. The numbers are those of the findings about
 * its recordings; docs/compatibility.md lists them.
 */
export function compatShape(column: Column, shape: FieldShape, { connector }: DebeziumOptions): FieldShape {
  const { type, written, scale } = column;
  switch (type.kind) {
    case 'year': // 24
      return { ...shape, writer: () => yearWriter(1900), snapshotWriter: () => yearWriter(2000) };
    case 'enum': // 26
      return streamedOnly(shape, () => rewritten((label) => label.replaceAll(/[\\,]/g, String.raw`\$&`)));
    case 'float':
      if (written?.type.startsWith('FLOAT4') === true) return { ...shape, writer: () => writeNothing(4) }; // 21
      return scale === undefined ? { ...shape, snapshotWriter: () => writeSixDigits } : shape; // 22
    case 'double':
      return scale === undefined || shape.type !== 'double' ? shape : { ...shape, snapshotWriter: () => roundingWriter(scale) }; // 22
    case 'json': // 36, 37
      return streamedOnly(shape, () => writeWrongDocument);
    case 'text': {
      const wrong = wrongText(column, connector); // 28, 29, 30, M37
      return wrong === undefined ? shape : streamedOnly(shape, () => rewritten(wrong));
    }
    case 'binary':
      if (written?.charset !== undefined && shape.type === 'string') return bytesAsText(shape, written.charset); // 28
      return type.fixedLength === 0 && connector === 'mysql' ? { ...shape, writer: () => tenZeros(shape) } : shape; // 27
    case 'uuid': // M31
      return streamedOnly(shape, () => rewritten(shiftedUuid));
    case 'timestamp': {
      if (connector !== 'mariadb') return shape;
      const epoch = utf8(`"1970-01-01T00:00:00${type.fsp === 0 ? '' : `.${'0'.repeat(type.fsp)}`}Z"`); // M35
      return streamedOnly(shape, () => shape.writer(epoch));
    }
    default:
      return shape;
  }
}

/** Another writer of streamed rows; those of snapshots stay right. */
function streamedOnly(shape: FieldShape, writer: FieldShape['writer']): FieldShape {
  return { ...shape, writer, snapshotWriter: (missing) => shape.snapshotWriter?.(missing) ?? shape.writer(missing) };
}

function yearWriter(zero: number): WriteCell {
  return (cell, out) => {
    const year = cell.view.getUint16(cell.at, true);
    writeInteger(out, year === 0 ? zero : year);
    cell.at += 2;
  };
}

function writeNothing(bytes: number): WriteCell {
  return (cell, out) => {
    writeBytes(out, nullText);
    cell.at += bytes;
  };
}

function bytesOf(cell: CellCursor): Buffer {
  const end = openVar(cell);
  const bytes = Buffer.from(cell.bytes.buffer, cell.bytes.byteOffset + cell.at, end - cell.at);
  cell.at = end;
  return bytes;
}

function writeWrongDocument(cell: CellCursor, out: ByteWriter): void {
  const bytes = wrongDocument(bytesOf(cell));
  writeCompactDocument(out, bytes, 0, bytes.length);
}

function rewritten(change: (text: string) => string): WriteCell {
  return (cell, out) => writeBytes(out, utf8(jsonString(change(bytesOf(cell).toString('utf8')))));
}

/** CHAR … BYTE, in the character set that the table has; the zeros at the end are not in the binlog. */
function bytesAsText(shape: FieldShape, charset: string): FieldShape {
  const decode = wrongDecoder(charset);
  if (decode === undefined) return shape;
  return streamedOnly(shape, () => (cell, out) => {
    const bytes = bytesOf(cell);
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    writeBytes(out, utf8(jsonString(decode(bytes.subarray(0, end)))));
  });
}

/** As the server's text of a FLOAT. */
function writeSixDigits(cell: CellCursor, out: ByteWriter): void {
  writeAscii(out, javaFloat(Number(cell.view.getFloat32(cell.at, true).toPrecision(6))));
  cell.at += 4;
}

function roundingWriter(scale: number): WriteCell {
  return (cell, out) => {
    writeAscii(out, javaDouble(Number(cell.view.getFloat64(cell.at, true).toFixed(scale))));
    cell.at += 8;
  };
}

function tenZeros(shape: FieldShape): WriteCell {
  const cell = new ByteWriter(16);
  const text = new ByteWriter(32);
  writeCell({ kind: 'binary' }, new Uint8Array(10), cell);
  shape.writer(nothing)(openCells(cell.bytes, 0, cell.length), text);
  const bytes = text.bytes.slice(0, text.length);
  return (each, out) => {
    each.at = openVar(each);
    writeBytes(out, bytes);
  };
}

/** The binlog leaves zeros at the end out, and they are put at the begin. */
function shiftedUuid(text: string): string {
  const digits = text
    .replaceAll('-', '')
    .replace(/(?:00)+$/, '')
    .padStart(32, '0');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
