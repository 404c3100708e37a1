import { jsonLabel, JsonReader } from './json-reader.ts';
import { parseRecordSchema, type RecordSchema } from './record-schema.ts';

/** Key or value of a record: where its payload is, and the schema that stands before it. */
export interface RecordFrame {
  readonly bytes: Uint8Array;
  /** Of the payload. */
  readonly start: number;
  readonly end: number;
  /** The same object for all records that carry the same schema. */
  readonly schema: RecordSchema | undefined;
}

/** Whether texts are `{"schema":…,"payload":…}`: as configured, or (undefined) whatever they look like. */
export type SchemasEnabled = boolean | undefined;

const schemaLabel = jsonLabel('schema');
const payloadLabel = jsonLabel('payload');

/**
 * Takes keys or values of one topic apart. A schema is kilobytes of text that hardly ever changes: the bytes before the
 * payload are compared with those of the record before, and only other ones are parsed.
 */
export class Framer {
  readonly #enabled: SchemasEnabled;
  readonly #reader = new JsonReader(new Uint8Array(0));
  #prefix: Buffer = Buffer.alloc(0);
  #schema: RecordSchema | undefined;
  /** Earlier ones: records of a table's old and new definition can alternate. */
  readonly #known = new Map<string, RecordSchema>();

  constructor(enabled: SchemasEnabled) {
    this.#enabled = enabled;
  }

  /** @throws CONVERSION_FAILED when it is no JSON of the configured form */
  frame(bytes: Uint8Array): RecordFrame {
    const prefix = this.#prefix;
    if (prefix.length > 0 && bytes.length > prefix.length && prefix.compare(bytes, 0, prefix.length) === 0) {
      return { bytes, start: prefix.length, end: bytes.length - 1, schema: this.#schema };
    }
    if (this.#enabled === false) return { bytes, start: 0, end: bytes.length, schema: undefined };
    return this.#open(bytes);
  }

  #open(bytes: Uint8Array): RecordFrame {
    const reader = this.#reader;
    reader.reset(bytes);
    const bare = { bytes, start: 0, end: bytes.length, schema: undefined };
    const isObject = bytes.length > 0 && reader.peek() === 0x7b;
    if (!isObject || !reader.enterObject() || !reader.takeLabel(schemaLabel)) return this.#bare(bare);
    const schemaBytes = reader.raw();
    if (!reader.next() || !reader.takeLabel(payloadLabel)) return this.#bare(bare);
    const { at } = reader;
    const text = Buffer.from(schemaBytes.buffer, schemaBytes.byteOffset, schemaBytes.byteLength).toString('latin1');
    const schema = this.#known.get(text) ?? parseRecordSchema(schemaBytes);
    if (schema !== undefined && this.#known.size < 1000) this.#known.set(text, schema);
    reader.skip();
    if (reader.next()) return this.#bare(bare);
    this.#prefix = Buffer.from(bytes.subarray(0, at));
    this.#schema = schema;
    return { bytes, start: at, end: bytes.length - 1, schema };
  }

  #bare(frame: RecordFrame): RecordFrame {
    if (this.#enabled === true) {
      this.#reader.reset(frame.bytes);
      throw this.#reader.fault('a member schema and a member payload are due, since schemas.enable is true');
    }
    return frame;
  }
}
