import { Struct } from '../connect/data.ts';
import type { ConnectValue, Schema } from '../connect/data.ts';
import { javaClass, javaText } from '../connect/java-text.ts';
import { isMap, logical, logicalName, memoized, primitive, valueAt } from '../connect/schema.ts';
import { defineConfig } from '../config/config-def.ts';
import { invalidProperty, replaceNull, sidedTransformation } from './plugin.ts';
import { dataFault, requireMap, requireStruct, schemaOf, valueOf, withFields, withSide } from './record-parts.ts';
import { compileDateFormat } from './simple-date-format.ts';
import type { SimpleDateFormat } from './simple-date-format.ts';

type Form = 'string' | 'unix' | 'Date' | 'Time' | 'Timestamp';
const forms: readonly Form[] = ['string', 'unix', 'Date', 'Time', 'Timestamp'];

/** Of `unix.precision`: how many make a millisecond, or how many milliseconds one has. */
const precisions = { seconds: [1n, 1000n], milliseconds: [1n, 1n], microseconds: [1000n, 1n], nanoseconds: [1_000_000n, 1n] } as const;

const definition = defineConfig({
  field: { type: 'string', default: '', importance: 'high', doc: 'The field with the timestamp; empty: the whole value is one.' },
  'target.type': {
    type: 'string',
    required: true,
    importance: 'high',
    doc: 'What it becomes: string, unix, Date, Time, Timestamp.',
    check: (type) => (forms.some((form) => form === type) ? undefined : `must be one of ${forms.join(', ')}`),
  },
  format: { type: 'string', default: '', importance: 'medium', doc: 'SimpleDateFormat of texts that are written or read, in UTC.' },
  'unix.precision': {
    type: 'string',
    default: 'milliseconds',
    importance: 'low',
    doc: 'Unit of numbers: seconds, milliseconds, microseconds, nanoseconds.',
    check: (unit) => (Object.hasOwn(precisions, unit) ? undefined : `must be one of ${Object.keys(precisions).join(', ')}`),
  },
  ...replaceNull,
});

const dayMs = 86_400_000;

export const timestampConverter = sidedTransformation(
  'org.apache.kafka.connect.transforms.TimestampConverter',
  definition,
  (config, side) => {
    const target = forms.find((form) => form === config['target.type']) ?? 'Timestamp';
    const replace = config['replace.null.with.default'];
    const [[, [perMs, msPer]] = ['', precisions.milliseconds]] = Object.entries(precisions).filter(
      ([unit]) => unit === config['unix.precision'],
    );
    const format = config.format === '' ? undefined : compileDateFormat(config.format);
    if (target === 'string' && format === undefined) {
      throw invalidProperty('format', 'TimestampConverter requires format option to be specified when using string timestamps');
    }

    const convert = (value: ConnectValue, from: Form): ConnectValue => {
      if (value === null) return null;
      const ms = toMillis(value, from);
      switch (target) {
        case 'string':
          return format?.format(ms) ?? null;
        case 'unix':
          return (BigInt(ms) * perMs) / msPer;
        case 'Date':
          return Math.floor(ms / dayMs);
        case 'Time':
          return ((ms % dayMs) + dayMs) % dayMs;
        case 'Timestamp':
          return BigInt(ms);
      }
    };
    const toMillis = (value: ConnectValue, from: Form): number => {
      if (from === 'string') return parseText(value, format);
      if (from === 'unix') {
        if (typeof value !== 'bigint') throw dataFault(`Expected Unix timestamp to be a Long, but found ${javaClass(null, value)}`);
        return Number((value * msPer) / perMs);
      }
      return Number(value) * (from === 'Date' ? dayMs : 1);
    };

    const converted = memoized((schema) =>
      config.field === ''
        ? schemaFor(target, schema.optional)
        : {
            ...withFields(
              schema,
              (schema.fields ?? []).map((field) =>
                field.name === config.field ? { name: field.name, schema: schemaFor(target, field.schema.optional) } : field,
              ),
            ),
            optional: schema.optional,
          },
    );
    return (record) => {
      const schema = schemaOf(record, side);
      const value = valueOf(record, side);
      if (schema === null) {
        if (value === null || config.field === '') return withSide(record, side, null, convert(value, formOfFree(value)));
        const map = new Map(requireMap(value, 'converting timestamp formats'));
        const own = map.get(config.field) ?? null;
        map.set(config.field, convert(own, formOfFree(own)));
        return withSide(record, side, null, map);
      }
      const next = converted(schema);
      if (config.field === '') return withSide(record, side, next, convert(value, formOf(schema)));
      if (value === null) return withSide(record, side, next, null);
      const struct = requireStruct(value, 'converting timestamp formats');
      const values = (schema.fields ?? []).map((field, index) => {
        const own = valueAt(struct, index, replace);
        return field.name === config.field ? convert(own, formOf(field.schema)) : own;
      });
      return withSide(record, side, next, new Struct(next, values));
    };
  },
);

function schemaFor(form: Form, optional: boolean): Schema {
  if (form === 'string') return primitive('string', optional);
  if (form === 'unix') return primitive('int64', optional);
  return logical(form === 'Date' ? 'date' : form === 'Time' ? 'time' : 'timestamp', optional);
}

/** It does not know Debezium's own types: a number of 64 bits is a Unix time. */
function formOf(schema: Schema): Form {
  if (schema.name === logicalName.timestamp) return 'Timestamp';
  if (schema.name === logicalName.date) return 'Date';
  if (schema.name === logicalName.time) return 'Time';
  if (schema.type === 'string') return 'string';
  if (schema.type === 'int64') return 'unix';
  const name = schema.name === undefined ? '' : `${schema.name}:`;
  throw dataFault(`Schema Schema{${name}${schema.type.toUpperCase()}} does not correspond to a known timestamp type format`);
}

function formOfFree(value: ConnectValue): Form {
  if (value === null || typeof value === 'bigint') return 'unix';
  if (typeof value === 'string') return 'string';
  throw dataFault(
    `TimestampConverter does not support ${isMap(value) ? 'java.util.HashMap' : javaClass(null, value)} objects as timestamps`,
  );
}

function parseText(value: ConnectValue, format: SimpleDateFormat | undefined): number {
  if (typeof value !== 'string') throw dataFault(`Expected string timestamp to be a String, but found ${javaClass(null, value)}`);
  if (format === undefined) throw dataFault('TimestampConverter requires format option to be specified when using string timestamps');
  const ms = format.parse(value);
  if (ms !== undefined) return ms;
  throw dataFault(`Could not parse timestamp: value (${javaText(null, value)}) does not match pattern (${format.pattern})`);
}
