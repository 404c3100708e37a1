import { MillraceError } from '../../base/errors.ts';

/** A schema as JsonConverter writes it into a record, as far as decoding needs it. */
export interface RecordSchema {
  /** `struct`, `int64`, `string` … */
  readonly type: string;
  readonly optional: boolean;
  /** The semantic type: `io.debezium.time.Date`. */
  readonly name: string | undefined;
  readonly parameters: ReadonlyMap<string, string>;
  /** Of a struct's member: its name. */
  readonly field: string;
  readonly fields: readonly RecordSchema[];
  /** The default as JSON text. */
  readonly defaultJson: string | undefined;
}

/** Parses the value of `schema`; null: the record has none. @throws CONVERSION_FAILED */
export function parseRecordSchema(bytes: Uint8Array): RecordSchema | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MillraceError('CONVERSION_FAILED', 'the schema of a record is no JSON', { cause: error });
  }
  return value === null ? undefined : schemaOf(value);
}

function schemaOf(value: unknown): RecordSchema {
  if (typeof value !== 'object' || value === null) throw new MillraceError('CONVERSION_FAILED', 'the schema of a record is no object');
  const member = (name: string): unknown => Reflect.get(value, name);
  const [type, name, field, fields, parameters] = [member('type'), member('name'), member('field'), member('fields'), member('parameters')];
  if (typeof type !== 'string') throw new MillraceError('CONVERSION_FAILED', 'the schema of a record has no type');
  const own = typeof parameters === 'object' && parameters !== null ? Object.entries(parameters) : [];
  return {
    type,
    optional: member('optional') === true,
    name: typeof name === 'string' ? name : undefined,
    parameters: new Map(own.map(([key, text]) => [key, String(text)])),
    field: typeof field === 'string' ? field : '',
    fields: Array.isArray(fields) ? fields.map(schemaOf) : [],
    defaultJson: 'default' in value && member('default') !== null ? JSON.stringify(member('default')) : undefined,
  };
}
