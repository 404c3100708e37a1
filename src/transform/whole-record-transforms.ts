import { Struct } from '../connect/data.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import { memoized } from '../connect/schema.ts';
import { parseValue } from '../connect/values.ts';
import { defineConfig, notEmpty } from '../config/config-def.ts';
import { compileJavaPattern } from '../config/java-pattern.ts';
import { sidedTransformation, transformation } from './plugin.ts';
import { dataFault, schemaOf, valueOf, withSide } from './record-parts.ts';
import { compileDateFormat } from './simple-date-format.ts';

/* Kafka Connect's transformations that take a record as a whole: its topic, its headers, its schemas' names, itself. */

export const filter = transformation('org.apache.kafka.connect.transforms.Filter', defineConfig({}), () => () => null);

const dropHeadersDefinition = defineConfig({
  headers: { type: 'list', required: true, importance: 'high', doc: 'Names of the headers that are removed.' },
});

export const dropHeaders = transformation('org.apache.kafka.connect.transforms.DropHeaders', dropHeadersDefinition, (config) => {
  const names = new Set(config.headers);
  return (record) => ({ ...record, headers: record.headers.filter((header) => !names.has(header.name)) });
});

const insertHeaderDefinition = defineConfig({
  header: { type: 'string', required: true, importance: 'high', doc: 'Name of the header.', check: notEmpty },
  'value.literal': {
    type: 'string',
    required: true,
    importance: 'high',
    doc: 'Its value: a number, boolean, date, list, map where it looks like one.',
  },
});

export const insertHeader = transformation('org.apache.kafka.connect.transforms.InsertHeader', insertHeaderDefinition, (config) => {
  const added = { name: config.header, ...parseValue(config['value.literal']) };
  return (record) => ({ ...record, headers: [...record.headers, added] });
});

const regexRouterDefinition = defineConfig({
  regex: { type: 'string', required: true, importance: 'high', doc: 'Regular expression that whole topic names must match.' },
  replacement: { type: 'string', required: true, importance: 'high', doc: 'The new name, with $1 for what the first group matched.' },
});

export const regexRouter = transformation('org.apache.kafka.connect.transforms.RegexRouter', regexRouterDefinition, (config) => {
  const pattern = compileJavaPattern(config.regex);
  const replace = pattern.replacement(config.replacement);
  const routes = new Map<string, string>();
  return (record) => {
    let topic = routes.get(record.topic);
    if (topic === undefined) {
      topic = pattern.matches(record.topic) ? replace(record.topic) : record.topic;
      routes.set(record.topic, topic);
    }
    return topic === record.topic ? record : { ...record, topic };
  };
});

const timestampRouterDefinition = defineConfig({
  'topic.format': {
    type: 'string',
    default: '${topic}-${timestamp}',
    importance: 'high',
    doc: 'The new topic, of ${topic} and ${timestamp}.',
  },
  'timestamp.format': { type: 'string', default: 'yyyyMMdd', importance: 'high', doc: 'SimpleDateFormat of the timestamp, in UTC.' },
});

export const timestampRouter = transformation(
  'org.apache.kafka.connect.transforms.TimestampRouter',
  timestampRouterDefinition,
  (config) => {
    const format = compileDateFormat(config['timestamp.format']);
    return (record) => {
      const { timestamp } = record;
      if (timestamp === null) throw dataFault(`Timestamp missing on record: a record of the topic ${record.topic}`);
      const topic = config['topic.format']
        .replaceAll('${topic}', () => record.topic)
        .replaceAll('${timestamp}', () => format.format(timestamp));
      return { ...record, topic };
    };
  },
);

const metadataDefinition = defineConfig({
  'schema.name': { type: 'string', importance: 'high', doc: 'The new name of the schema.' },
  'schema.version': { type: 'int', importance: 'high', doc: 'The new version of the schema.' },
  'replace.null.with.default': {
    type: 'boolean',
    default: 'true',
    importance: 'medium',
    doc: "Whether a null is read as its field's default, where there is one.",
  },
});

export const setSchemaMetadata = sidedTransformation(
  'org.apache.kafka.connect.transforms.SetSchemaMetadata',
  metadataDefinition,
  (config, side) => {
    const { 'schema.name': name, 'schema.version': version, 'replace.null.with.default': replace } = config;
    const renamed = memoized((schema) => ({
      ...schema,
      ...(name === undefined ? {} : { name }),
      ...(version === undefined ? {} : { version }),
    }));
    return (record) => {
      const schema = schemaOf(record, side);
      const value = valueOf(record, side);
      if (schema === null && value === null) return record;
      if (schema === null) throw dataFault('Schema required for [updating schema metadata]');
      const target = renamed(schema);
      return withSide(record, side, target, value instanceof Struct ? ofSchema(value, target, replace) : value);
    };
  },
);

function ofSchema({ values }: Struct, schema: Schema, replace: boolean): ConnectValue {
  const own = replace ? values.map((value, index) => value ?? schema.fields?.[index]?.schema.default ?? null) : values;
  return new Struct(schema, own);
}
