import { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import { bigEndianBytes } from '../base/java-number.ts';
import { Decimal, Struct } from '../connect/data.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import { decimalJavaText, javaClass, numberText } from '../connect/java-text.ts';
import { isArray, isMap, logicalName } from '../connect/schema.ts';
import { jsonString, utf8, writeAscii, writeBase64, writeBytes, writeInteger } from './json-writer.ts';

export interface JsonForm {
  /** `decimal.format`. */
  readonly decimalFormat: 'base64' | 'numeric';
  /** `replace.null.with.default`. */
  readonly replaceNullWithDefault: boolean;
}

/** Writes a value of a schema, or of none. */
type WriteValue = (value: ConnectValue, out: ByteWriter) => void;

const nullText = utf8('null');
const trueText = utf8('true');
const falseText = utf8('false');
const comma = 0x2c;

/** Writes Connect's data as the JSON of Kafka's JsonConverter. Schemas are compiled once each. */
export class ConnectJson {
  readonly #form: JsonForm;
  readonly #writers = new WeakMap<Schema, WriteValue>();
  readonly #schemaTexts = new WeakMap<Schema, string>();

  constructor(form: JsonForm) {
    this.#form = form;
  }

  /** @throws CONVERSION_FAILED for a value that is not of its schema */
  write(schema: Schema | null, value: ConnectValue, out: ByteWriter): void {
    if (schema === null) this.#writeFree(value, out);
    else this.#writer(schema)(value, out);
  }

  /** The schema as JSON text; `field` is its name as a struct's member. */
  schemaText(schema: Schema, field?: string): string {
    let text = this.#schemaTexts.get(schema);
    if (text === undefined) this.#schemaTexts.set(schema, (text = this.#textOf(schema)));
    return field === undefined ? text : `${text.slice(0, -1)},"field":${jsonString(field)}}`;
  }

  /** Member order is JsonConverter's: type, fields or items, optional, name, version, doc, parameters, default, field. */
  #textOf(schema: Schema): string {
    const parts = [`"type":"${typeNames[schema.type] ?? schema.type}"`];
    if (schema.type === 'struct') {
      parts.push(`"fields":[${(schema.fields ?? []).map((field) => this.schemaText(field.schema, field.name)).join(',')}]`);
    }
    if (schema.type === 'map') {
      if (schema.keySchema !== undefined) parts.push(`"keys":${this.schemaText(schema.keySchema)}`);
      if (schema.valueSchema !== undefined) parts.push(`"values":${this.schemaText(schema.valueSchema)}`);
    }
    if (schema.type === 'array' && schema.valueSchema !== undefined) parts.push(`"items":${this.schemaText(schema.valueSchema)}`);
    parts.push(`"optional":${schema.optional}`);
    if (schema.name !== undefined) parts.push(`"name":${jsonString(schema.name)}`);
    if (schema.version !== undefined) parts.push(`"version":${schema.version}`);
    if (schema.doc !== undefined) parts.push(`"doc":${jsonString(schema.doc)}`);
    if (schema.parameters !== undefined) {
      const pairs = Array.from(schema.parameters, ([name, value]) => `${jsonString(name)}:${jsonString(value)}`);
      parts.push(`"parameters":{${pairs.join(',')}}`);
    }
    if (schema.default !== undefined) parts.push(`"default":${this.#defaultText(schema, schema.default)}`);
    return `{${parts.join(',')}}`;
  }

  #defaultText(schema: Schema, value: ConnectValue): string {
    const out = new ByteWriter(64);
    this.write(schema, value, out);
    return Buffer.from(out.bytes.buffer, 0, out.length).toString('utf8');
  }

  #writer(schema: Schema): WriteValue {
    let writer = this.#writers.get(schema);
    if (writer === undefined) this.#writers.set(schema, (writer = this.#compile(schema)));
    return writer;
  }

  #compile(schema: Schema): WriteValue {
    const write = this.#compileSet(schema);
    const fallback = this.#form.replaceNullWithDefault ? (schema.default ?? null) : null;
    return (value, out) => {
      if (value !== null) write(value, out);
      else if (fallback !== null) write(fallback, out);
      else if (schema.optional) writeBytes(out, nullText);
      else throw conversionFault('null value for field that is required and has no default value');
    };
  }

  /** For values that are not null. */
  #compileSet(schema: Schema): WriteValue {
    switch (schema.type) {
      case 'struct':
        return this.#structWriter(schema);
      case 'array': {
        const item = schema.valueSchema ?? null;
        return (value, out) => (isArray(value) ? this.#writeArray(item, value, out) : refuse(schema, value));
      }
      case 'map':
        return (value, out) => (isMap(value) ? this.#writeMap(schema, value, out) : refuse(schema, value));
      case 'string':
        return (value, out) => (typeof value === 'string' ? writeString(out, value) : refuse(schema, value));
      case 'boolean':
        return (value, out) => (typeof value === 'boolean' ? writeBytes(out, value ? trueText : falseText) : refuse(schema, value));
      case 'bytes':
        return (value, out) => this.#writeBinary(schema, value, out);
      case 'float32':
      case 'float64': {
        const { type } = schema;
        return (value, out) => (typeof value === 'number' ? writeFloat(out, value, type) : refuse(schema, value));
      }
      default:
        return (value, out) => {
          if (typeof value === 'number') writeInteger(out, value);
          else if (typeof value === 'bigint') writeBigint(out, value);
          else refuse(schema, value);
        };
    }
  }

  #structWriter(schema: Schema): WriteValue {
    const fields = (schema.fields ?? []).map((field, index) => ({
      label: utf8(`${index === 0 ? '' : ','}${jsonString(field.name)}:`),
      write: this.#writer(field.schema),
      name: field.name,
    }));
    return (value, out) => {
      if (!(value instanceof Struct)) refuse(schema, value);
      out.uint8(0x7b);
      const { values } = value;
      for (let index = 0; index < fields.length; index++) {
        const field = fields[index];
        if (field === undefined) break;
        writeBytes(out, field.label);
        field.write(values[index] ?? null, out);
      }
      out.uint8(0x7d);
    };
  }

  #writeBinary(schema: Schema, value: ConnectValue, out: ByteWriter): void {
    if (value instanceof Uint8Array) {
      writeBase64(out, value, 0, value.length);
    } else if (value instanceof Decimal && schema.name === logicalName.decimal) {
      this.#writeDecimal(value, out);
    } else {
      refuse(schema, value);
    }
  }

  #writeDecimal(value: Decimal, out: ByteWriter): void {
    if (this.#form.decimalFormat === 'numeric') {
      writeAscii(out, decimalJavaText(value));
    } else {
      const bytes = bigEndianBytes(value.unscaled);
      writeBase64(out, bytes, 0, bytes.length);
    }
  }

  #writeArray(item: Schema | null, values: readonly ConnectValue[], out: ByteWriter): void {
    out.uint8(0x5b);
    for (const [index, value] of values.entries()) {
      if (index > 0) out.uint8(comma);
      this.write(item, value, out);
    }
    out.uint8(0x5d);
  }

  /** An object where the keys are texts, else an array of pairs. */
  #writeMap(schema: Schema | null, map: ReadonlyMap<ConnectValue, ConnectValue>, out: ByteWriter): void {
    const isObject = schema === null ? Array.from(map.keys()).every((key) => typeof key === 'string') : schema.keySchema?.type === 'string';
    out.uint8(isObject ? 0x7b : 0x5b);
    let first = true;
    for (const [key, value] of map) {
      if (!first) out.uint8(comma);
      first = false;
      if (isObject && typeof key === 'string') {
        writeString(out, key);
        out.uint8(0x3a);
        this.write(schema?.valueSchema ?? null, value, out);
      } else {
        out.uint8(0x5b);
        this.write(schema?.keySchema ?? null, key, out);
        out.uint8(comma);
        this.write(schema?.valueSchema ?? null, value, out);
        out.uint8(0x5d);
      }
    }
    out.uint8(isObject ? 0x7d : 0x5d);
  }

  /** A value without a schema. */
  #writeFree(value: ConnectValue, out: ByteWriter): void {
    if (value === null) writeBytes(out, nullText);
    else if (typeof value === 'string') writeString(out, value);
    else if (typeof value === 'bigint') writeBigint(out, value);
    else if (typeof value === 'number') writeFloat(out, value, 'float64');
    else if (typeof value === 'boolean') writeBytes(out, value ? trueText : falseText);
    else if (value instanceof Uint8Array) writeBase64(out, value, 0, value.length);
    else if (value instanceof Decimal) this.#writeDecimal(value, out);
    else if (value instanceof Struct) this.write(value.schema, value, out);
    else if (isMap(value)) this.#writeMap(null, value, out);
    else if (isArray(value)) this.#writeArray(null, value, out);
  }
}

/** JsonConverter's names of the two types that it calls otherwise. */
const typeNames: Readonly<Partial<Record<Schema['type'], string>>> = { float32: 'float', float64: 'double' };

export function conversionFault(what: string, cause?: unknown): MillraceError {
  return new MillraceError('CONVERSION_FAILED', `Conversion error: ${what}`, { cause });
}

function refuse(schema: Schema, value: ConnectValue): never {
  throw conversionFault(`invalid type for ${schema.type.toUpperCase()}: ${javaClass(null, value)}`);
}

const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;
/** What Jackson escapes in another way than JSON.stringify. */
const needsOwnEscape = /[\u0000-\u0007\u000b\u000e-\u001f\ud800-\udfff]/;
const encoder = new TextEncoder();

function writeString(out: ByteWriter, text: string): void {
  const plain = needsEscape.test(text) ? (needsOwnEscape.test(text) ? jsonString(text) : JSON.stringify(text)) : `"${text}"`;
  out.reserve(plain.length * 3);
  out.length += encoder.encodeInto(plain, out.bytes.subarray(out.length)).written;
}

function writeBigint(out: ByteWriter, value: bigint): void {
  const small = Number(value);
  if (Number.isSafeInteger(small)) writeInteger(out, small);
  else writeAscii(out, value.toString());
}

function writeFloat(out: ByteWriter, value: number, type: 'float32' | 'float64'): void {
  const text = numberText(value, type);
  writeAscii(out, Number.isFinite(value) ? text : `"${text}"`);
}
