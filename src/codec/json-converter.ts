import { ByteWriter } from '../base/byte-writer.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import type { Converter } from '../connect/record.ts';
import type { SchemaAndValue } from '../connect/values.ts';
import { ConnectJson, conversionFault } from './connect-json.ts';
import type { JsonForm } from './connect-json.ts';
import { jsonLabel, JsonReader } from './decode/json-reader.ts';
import { readFree, readSchema, readValue } from './json-to-connect.ts';
import { utf8, writeBytes } from './json-writer.ts';

export interface JsonConverterOptions extends JsonForm {
  /** `schemas.enable`. */
  readonly schemas: boolean;
  /** Reads nulls where the schema has none, as records of our own can have them. */
  readonly lenient?: boolean;
}

/** What stands around payloads of one schema. */
interface Frame {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** The bytes before a payload, and the schema that they hold. */
interface KnownHead {
  readonly bytes: Buffer;
  readonly schema: Schema | null;
}

const bare: Frame = { head: new Uint8Array(0), tail: new Uint8Array(0) };
const tail = utf8('}');
const schemaLabel = jsonLabel('schema');
const payloadLabel = jsonLabel('payload');
const maxSchemas = 1000;
const nothing: SchemaAndValue = { schema: null, value: null };

/** Kafka's `org.apache.kafka.connect.json.JsonConverter`, to the byte. */
export class JsonConverter implements Converter {
  readonly #options: JsonConverterOptions;
  readonly #json: ConnectJson;
  readonly #out = new ByteWriter(4096);
  readonly #reader = new JsonReader(new Uint8Array(0));
  readonly #frames = new WeakMap<Schema, Frame>();
  /** By topic: records of one topic nearly always have the same schema as the one before. */
  readonly #heads = new Map<string, KnownHead>();
  /** By its text, so that records with equal schemas have the same one. */
  readonly #schemas = new Map<string, Schema | null>();

  constructor(options: JsonConverterOptions) {
    this.#options = options;
    this.#json = new ConnectJson(options);
  }

  fromConnect(_topic: string, schema: Schema | null, value: ConnectValue): Uint8Array | null {
    if (schema === null && value === null) return null;
    const out = this.#out;
    const { head, tail: behind } = this.#frame(schema);
    out.clear();
    writeBytes(out, head);
    this.#json.write(schema, value, out);
    writeBytes(out, behind);
    return out.toBytes();
  }

  #frame(schema: Schema | null): Frame {
    if (!this.#options.schemas) return bare;
    if (schema === null) return freeFrame;
    let frame = this.#frames.get(schema);
    if (frame === undefined) {
      frame = { head: utf8(`{"schema":${this.#json.schemaText(schema)},"payload":`), tail };
      this.#frames.set(schema, frame);
    }
    return frame;
  }

  toConnect(topic: string, bytes: Uint8Array | null): SchemaAndValue {
    if (bytes === null) return nothing;
    const reader = this.#reader;
    reader.reset(bytes);
    if (!this.#options.schemas) {
      const value = readFree(reader);
      this.#expectEnd();
      return { schema: null, value };
    }
    const known = this.#heads.get(topic);
    if (known !== undefined && bytes.length > known.bytes.length && known.bytes.compare(bytes, 0, known.bytes.length) === 0) {
      reader.at = known.bytes.length;
      return this.#readPayload(known.schema);
    }
    const schema = this.#readHead();
    if (this.#heads.size >= maxSchemas) this.#heads.clear();
    this.#heads.set(topic, { bytes: Buffer.from(bytes.subarray(0, reader.at)), schema });
    return this.#readPayload(schema);
  }

  /** Up to the payload. */
  #readHead(): Schema | null {
    const reader = this.#reader;
    if (reader.end === 0 || reader.peek() !== 0x7b || !reader.enterObject()) throw noEnvelope();
    reader.peek();
    if (!reader.takeLabel(schemaLabel)) throw noEnvelope();
    const start = reader.at;
    reader.skip();
    const { bytes, at: end } = reader;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
    let schema = this.#schemas.get(text);
    if (schema === undefined) {
      reader.at = start;
      schema = readSchema(reader);
      if (this.#schemas.size >= maxSchemas) this.#schemas.clear();
      this.#schemas.set(text, schema);
    }
    reader.at = end;
    if (!reader.next()) throw noEnvelope();
    reader.peek();
    if (!reader.takeLabel(payloadLabel)) throw noEnvelope();
    return schema;
  }

  #readPayload(schema: Schema | null): SchemaAndValue {
    const reader = this.#reader;
    const { replaceNullWithDefault, lenient = false } = this.#options;
    const value = schema === null ? readFree(reader) : readValue(reader, schema, { replaceNullWithDefault, strict: !lenient });
    if (reader.next()) throw noEnvelope();
    this.#expectEnd();
    return { schema, value };
  }

  #expectEnd(): void {
    const { bytes, at, end } = this.#reader;
    for (let i = at; i < end; i++) if ((bytes[i] ?? 0) > 0x20) throw this.#reader.fault('more than one value stands there');
  }
}

const freeFrame: Frame = { head: utf8('{"schema":null,"payload":'), tail };

function noEnvelope(): Error {
  return conversionFault(
    'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. ' +
      'If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.',
  );
}
