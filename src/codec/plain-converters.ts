import type { ConnectValue, Schema, SchemaType } from '../connect/data.ts';
import { javaClass, javaText } from '../connect/java-text.ts';
import type { Converter, HeaderConverter } from '../connect/record.ts';
import { primitive } from '../connect/schema.ts';
import { parseValue, valueText } from '../connect/values.ts';
import { conversionFault } from './connect-json.ts';

/** `org.apache.kafka.connect.storage.StringConverter`: Java's `toString`, in UTF-8. */
export function createStringConverter(encoding: BufferEncoding = 'utf8'): Converter {
  return {
    fromConnect: (_topic, schema, value) => (value === null ? null : bytesOf(javaText(schema, value), encoding)),
    toConnect: (_topic, bytes) => ({
      schema: primitive('string', true),
      value: bytes === null ? null : textOf(bytes, encoding),
    }),
  };
}

/** `org.apache.kafka.connect.converters.ByteArrayConverter`: bytes as they are, and nothing else. */
export const byteArrayConverter: Converter = {
  fromConnect(_topic, schema, value) {
    if (schema !== null && schema.type !== 'bytes') {
      throw conversionFault(`Invalid schema type for ByteArrayConverter: ${schema.type.toUpperCase()}`);
    }
    if (value === null || value instanceof Uint8Array) return value;
    throw conversionFault(`ByteArrayConverter is not compatible with objects of type ${javaClass(schema, value)}`);
  },
  toConnect: (_topic, bytes) => ({ schema: primitive('bytes', true), value: bytes }),
};

export type NumberType = Extract<SchemaType, 'int16' | 'int32' | 'int64' | 'float32' | 'float64'>;

/** `org.apache.kafka.connect.converters.IntegerConverter` and the like: big-endian, of their own type only. */
export function createNumberConverter(type: NumberType): Converter {
  const size = { int16: 2, int32: 4, int64: 8, float32: 4, float64: 8 }[type];
  return {
    fromConnect(_topic, schema, value) {
      if (value === null) return null;
      if (schema !== null && schema.type !== type) throw unlike(type, schema, value);
      const bytes = new Uint8Array(size);
      if (!writeNumber(new DataView(bytes.buffer), type, value)) throw unlike(type, schema, value);
      return bytes;
    },
    toConnect(_topic, bytes) {
      const schema = primitive(type, true);
      if (bytes === null) return { schema, value: null };
      if (bytes.length !== size) {
        throw conversionFault(`Failed to deserialize ${type}: size of data received is not ${size}, it is ${bytes.length}`);
      }
      return { schema, value: readNumber(new DataView(bytes.buffer, bytes.byteOffset, size), type) };
    },
  };
}

/** `org.apache.kafka.connect.converters.BooleanConverter`: one byte. */
export const booleanConverter: Converter = {
  fromConnect(_topic, schema, value) {
    if (value === null) return null;
    if (typeof value !== 'boolean') throw unlike('boolean', schema, value);
    return Uint8Array.of(value ? 1 : 0);
  },
  toConnect(_topic, bytes) {
    const schema = primitive('boolean', true);
    if (bytes === null) return { schema, value: null };
    if (bytes.length !== 1 || (bytes[0] ?? 2) > 1) throw conversionFault('Failed to deserialize boolean: it is one byte, 0 or 1');
    return { schema, value: bytes[0] === 1 };
  },
};

/** `org.apache.kafka.connect.storage.SimpleHeaderConverter`. */
export const simpleHeaderConverter: HeaderConverter = {
  fromConnect: (_topic, { schema, value }) => (value === null ? null : bytesOf(valueText(schema, value), 'utf8')),
  toConnect(_topic, name, bytes) {
    if (bytes === null) return { name, schema: null, value: null };
    return { name, ...parseValue(textOf(bytes, 'utf8')) };
  },
};

/** A converter of values as one of headers. */
export function headerConverter(converter: Converter): HeaderConverter {
  return {
    fromConnect: (topic, { schema, value }) => converter.fromConnect(topic, schema, value),
    toConnect: (topic, name, bytes) => ({ name, ...converter.toConnect(topic, bytes) }),
  };
}

function writeNumber(view: DataView, type: NumberType, value: ConnectValue): boolean {
  if (type === 'int64') {
    if (typeof value !== 'bigint') return false;
    view.setBigInt64(0, value);
    return true;
  }
  if (typeof value !== 'number') return false;
  if (type === 'int16') view.setInt16(0, value);
  else if (type === 'int32') view.setInt32(0, value);
  else if (type === 'float32') view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return true;
}

function readNumber(view: DataView, type: NumberType): number | bigint {
  switch (type) {
    case 'int16':
      return view.getInt16(0);
    case 'int32':
      return view.getInt32(0);
    case 'int64':
      return view.getBigInt64(0);
    case 'float32':
      return view.getFloat32(0);
    case 'float64':
      return view.getFloat64(0);
  }
}

function unlike(type: string, schema: Schema | null, value: ConnectValue): Error {
  return conversionFault(`Failed to serialize to a ${type}: ${javaClass(schema, value)} is not one`);
}

function bytesOf(text: string, encoding: BufferEncoding): Uint8Array {
  return new Uint8Array(Buffer.from(text, encoding));
}

function textOf(bytes: Uint8Array, encoding: BufferEncoding): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}
