import { Struct } from '../connect/data.ts';
import type { Field, Schema } from '../connect/data.ts';
import type { ConnectRecord } from '../connect/record.ts';
import { memoized, primitive } from '../connect/schema.ts';
import { defineConfig, notEmpty, oneOf } from '../config/config-def.ts';
import { compileJavaPattern } from '../config/java-pattern.ts';
import { invalidProperty, transformation } from './plugin.ts';
import { requireStruct, withFields } from './record-parts.ts';

const definition = defineConfig({
  'topic.regex': {
    type: 'string',
    required: true,
    importance: 'low',
    doc: 'Regular expression that whole topic names must match.',
    check: notEmpty,
  },
  'topic.replacement': {
    type: 'string',
    required: true,
    importance: 'low',
    doc: 'The new name, with $1 for what the first group matched.',
    check: notEmpty,
  },
  'key.enforce.uniqueness': {
    type: 'boolean',
    default: 'true',
    importance: 'low',
    doc: 'Whether the key gets a field that tells which table the row is of.',
  },
  'key.field.name': {
    type: 'string',
    default: '__dbz__physicalTableIdentifier',
    importance: 'low',
    doc: "The name of that field, whose value is the original topic's name, or what the two properties below make of it.",
  },
  'key.field.regex': { type: 'string', importance: 'low', doc: "Regular expression for the original topic's name." },
  'key.field.replacement': { type: 'string', importance: 'low', doc: "What of the original topic's name becomes the field's value." },
  'schema.name.adjustment.mode': {
    type: 'string',
    default: 'none',
    importance: 'medium',
    doc: 'How the names of the new schemas are adjusted: none, avro, avro_unicode.',
    check: oneOf('none', 'avro', 'avro_unicode'),
  },
  'logical.table.cache.size': { type: 'int', default: '16', importance: 'low', doc: 'Size of the cache of schemas.', effect: 'not needed' },
});

/** Where a topic's records go. */
interface Route {
  readonly topic: string;
  readonly keyField: string;
  readonly keySchema: (schema: Schema) => Schema;
  readonly valueSchema: (schema: Schema) => Schema;
}

/** Debezium's router of sharded tables, under both of its names. */
export const byLogicalTableRouter = ['io.debezium.transforms.ByLogicalTableRouter', 'io.debezium.transforms.ToLogicalTopicRouter'].map(
  (className) =>
    transformation(className, definition, (config) => {
      const { 'topic.regex': regex, 'key.field.regex': keyRegex, 'key.field.replacement': keyReplacement } = config;
      const pattern = compileJavaPattern(regex);
      const toTopic = pattern.replacement(config['topic.replacement']);
      if ((keyRegex ?? '') !== '' && (keyReplacement ?? '') === '') {
        throw invalidProperty('key.field.replacement', 'it must be set when key.field.regex is');
      }
      const keyPattern = keyRegex === undefined || keyRegex === '' ? undefined : compileJavaPattern(keyRegex);
      const toKey = keyPattern?.replacement(keyReplacement ?? '');
      const unique = config['key.enforce.uniqueness'];
      const keyField: Field = { name: config['key.field.name'], schema: primitive('string') };
      const adjust = schemaNames(config['schema.name.adjustment.mode']);
      const routes = new Map<string, Route | undefined>();

      const routeOf = (from: string): Route | undefined => {
        if (!pattern.matches(from)) return undefined;
        const topic = toTopic(from);
        if (topic === '') return undefined;
        return {
          topic,
          keyField: keyPattern?.matches(from) === true && toKey !== undefined ? toKey(from) : from,
          keySchema: memoized((schema) => ({
            ...withFields(schema, unique ? [...(schema.fields ?? []), keyField] : (schema.fields ?? [])),
            name: adjust(`${topic}.Key`),
          })),
          valueSchema: memoized((schema) => envelopeOf(schema, topic, adjust)),
        };
      };
      return (record) => {
        if (!routes.has(record.topic)) routes.set(record.topic, routeOf(record.topic));
        const route = routes.get(record.topic);
        return route === undefined ? record : routed(record, route, unique);
      };
    }),
);

function routed(record: ConnectRecord, route: Route, unique: boolean): ConnectRecord {
  const { key, value } = record;
  let { keySchema, valueSchema } = record;
  let newKey = key;
  if (key !== null) {
    const struct = requireStruct(key, 'Updating schema');
    keySchema = route.keySchema(struct.schema);
    newKey = new Struct(keySchema, unique ? [...struct.values, route.keyField] : struct.values);
  }
  let newValue = value;
  // heartbeats, schema changes and the like keep theirs
  if (value !== null && valueSchema?.name?.endsWith('.Envelope') === true) {
    const struct = requireStruct(value, 'Updating schema');
    valueSchema = route.valueSchema(struct.schema);
    newValue = ofEnvelope(struct, valueSchema);
  }
  return { ...record, topic: route.topic, keySchema, key: newKey, valueSchema, value: newValue };
}

/** The envelope's schema, and those of its rows, named after another topic. */
function envelopeOf(schema: Schema, topic: string, adjust: (name: string) => string): Schema {
  const fields = (schema.fields ?? []).map((field) => {
    if (field.name !== 'before' && field.name !== 'after') return field;
    return { name: field.name, schema: { ...field.schema, name: adjust(`${topic}.Value`) } };
  });
  return { ...withFields(schema, fields), name: adjust(`${topic}.Envelope`) };
}

function ofEnvelope({ values }: Struct, schema: Schema): Struct {
  const own = values.map((value, index) => {
    const field = schema.fields?.[index];
    const isRow = field?.name === 'before' || field?.name === 'after';
    return isRow && value instanceof Struct ? new Struct(field.schema, value.values) : value;
  });
  return new Struct(schema, own);
}

function schemaNames(mode: string): (name: string) => string {
  if (mode === 'none') return (name) => name;
  return (name) => {
    const replaced = name.replaceAll(/[^A-Za-z0-9_.]/g, (char) =>
      mode === 'avro' ? '_' : `_u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    return /^\d/.test(replaced) ? `_${replaced}` : replaced;
  };
}
