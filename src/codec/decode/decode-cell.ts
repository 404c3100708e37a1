import type { ByteWriter } from '../../base/byte-writer.ts';
import { MillraceError } from '../../base/errors.ts';
import type { ColumnType } from '../../event/column-type.ts';
import { bitReader, decimalReader, floatReader, intReader, yearReader } from './decode-number.ts';
import { dateReader, datetimeReader, timeReader, timestampReader, type ReadCell } from './decode-temporal.ts';
import type { JsonReader } from './json-reader.ts';
import type { ValueForm } from './value-form.ts';

const quote = 0x22;
const openBrace = 0x7b;
const backslash = 0x5c;

/**
 * Compiles what moves a column's value from a record's JSON into a cell: decided once by the column's type and the record's
 * form. The reader is not given nulls, nor placeholders of values that are not there.
 */
export function compileCell(type: ColumnType, form: ValueForm): ReadCell {
  switch (type.kind) {
    case 'int':
      return intReader(type, form);
    case 'bit':
      return bitReader();
    case 'float':
      return floatReader(4);
    case 'double':
      return floatReader(8);
    case 'decimal':
      return decimalReader(type, form);
    case 'year':
      return yearReader(form);
    case 'date':
      return dateReader(form.unit);
    case 'time':
      return timeReader(form.unit);
    case 'datetime':
      return datetimeReader(form.unit);
    case 'timestamp':
      return timestampReader(form.unit);
    case 'text':
    case 'enum':
    case 'set':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return readText;
    case 'json':
      return form.spaced ? readSpacedJson : readText;
    case 'binary':
      return binaryReader(form, type.fixedLength);
    case 'geometry':
      return readGeometry;
    case 'vector':
      return readVector;
  }
}

/** A text as it is; anything else (a JSON document that was expanded, a number) as its JSON text. */
function readText(from: JsonReader, to: ByteWriter): void {
  if (from.peek() === quote) {
    from.copyText(to);
    return;
  }
  const raw = from.raw();
  to.varint(raw.length);
  to.raw(raw, 0, raw.length);
}

/** What stands behind a backslash in JSON, and what it means; 0: more than one byte. */
const escapes = new Uint8Array(128);
for (const [name, code] of [
  ['"', 0x22],
  ['\\', 0x5c],
  ['/', 0x2f],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
] as const) {
  escapes[name.charCodeAt(0)] = code;
}

/**
 * A JSON document as MySQL prints it: Debezium prints those of the binlog without the blanks behind commas and colons. The
 * document is a text, so that its own quotes and backslashes are escaped once more.
 */
function readSpacedJson(from: JsonReader, to: ByteWriter): void {
  if (from.peek() !== quote) {
    spaceOut(from.raw(), to);
    return;
  }
  const start = from.at;
  const raw = from.raw();
  const plain = new Uint8Array(raw.length);
  let length = 0;
  for (let i = 1; i < raw.length - 1; i++) {
    let byte = raw[i] ?? 0;
    if (byte === backslash) {
      byte = escapes[raw[++i] ?? 0] ?? 0;
      if (byte === 0) {
        // \u…, which is rare
        from.at = start;
        spaceOut(Buffer.from(from.text(), 'utf8'), to);
        return;
      }
    }
    plain[length++] = byte;
  }
  spaceOut(plain.subarray(0, length), to);
}

function spaceOut(json: Uint8Array, to: ByteWriter): void {
  const spaced = new Uint8Array(json.length * 2);
  let length = 0;
  let inText = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i] ?? 0;
    if (inText) {
      spaced[length++] = byte;
      if (byte === backslash) spaced[length++] = json[++i] ?? 0;
      else if (byte === quote) inText = false;
      continue;
    }
    if (byte === 0x20) continue;
    inText = byte === quote;
    spaced[length++] = byte;
    if (byte === 0x2c || byte === 0x3a) spaced[length++] = 0x20;
  }
  to.varint(length);
  to.raw(spaced, 0, length);
}

/** BINARY(n) has all its bytes, also where the record has lost its last zeros. */
function binaryReader({ binary }: ValueForm, fixedLength: number | undefined): ReadCell {
  return (from, to) => {
    const bytes = Buffer.from(from.text(), binary);
    const length = Math.max(bytes.length, fixedLength ?? 0);
    to.varint(length);
    to.raw(bytes, 0, bytes.length);
    to.reserve(length - bytes.length);
    for (let i = bytes.length; i < length; i++) to.bytes[to.length++] = 0;
  };
}

/** `{"x":…,"y":…,"wkb":base64,"srid":number or null}`; the cell has the SRID before the WKB. */
function readGeometry(from: JsonReader, to: ByteWriter): void {
  if (from.peek() !== openBrace) throw from.fault('a geometry is due');
  let wkb: Buffer | undefined;
  let srid = 0;
  for (let more = from.enterObject(); more; more = from.next()) {
    const name = from.name();
    if (name === 'wkb' && from.peek() === quote) wkb = Buffer.from(from.text(), 'base64');
    else if (name === 'srid' && !from.takeNull()) srid = Number(from.token());
    else if (name !== 'srid') from.skip();
  }
  if (wkb === undefined) throw new MillraceError('CONVERSION_FAILED', 'a geometry without wkb');
  to.varint(wkb.length + 4);
  to.reserve(4);
  to.view.setInt32(to.length, srid, true);
  to.length += 4;
  to.raw(wkb, 0, wkb.length);
}

function readVector(from: JsonReader, to: ByteWriter): void {
  const values: number[] = [];
  for (let more = from.enterArray(); more; more = from.next()) values.push(Number(from.token()));
  to.varint(values.length * 4);
  to.reserve(values.length * 4);
  for (const value of values) {
    to.view.setFloat32(to.length, value, true);
    to.length += 4;
  }
}
