import { Struct } from '../connect/data.ts';
import type { ConnectValue, Field } from '../connect/data.ts';
import type { ConnectRecord } from '../connect/record.ts';
import { logical, memoized, primitive, valueAt } from '../connect/schema.ts';
import { defineConfig } from '../config/config-def.ts';
import { invalidProperty, replaceNull, sidedTransformation } from './plugin.ts';
import { dataFault, requireMap, requireStruct, schemaOf, valueOf, withFields, withSide } from './record-parts.ts';

const suffixes = 'Suffix with ! to make it required, ? to make it optional (as without suffix).';

const definition = defineConfig({
  'topic.field': { type: 'string', importance: 'medium', doc: `Field for the record's topic. ${suffixes}` },
  'partition.field': { type: 'string', importance: 'medium', doc: `Field for the record's partition. ${suffixes}` },
  'offset.field': { type: 'string', importance: 'medium', doc: `Field for the record's offset, of sinks only. ${suffixes}` },
  'timestamp.field': { type: 'string', importance: 'medium', doc: `Field for the record's timestamp. ${suffixes}` },
  'static.field': { type: 'string', importance: 'medium', doc: `Field for a static value. ${suffixes}` },
  'static.value': { type: 'string', importance: 'medium', doc: 'The static value.' },
  ...replaceNull,
});

interface Insertion {
  readonly field: Field;
  /** Null: nothing is put there; without a schema the field is left out. */
  readonly value: (record: ConnectRecord) => ConnectValue;
}

export const insertField = sidedTransformation('org.apache.kafka.connect.transforms.InsertField', definition, (config, side) => {
  const insertions: Insertion[] = [];
  const add = (spec: string | undefined, schemaFor: (optional: boolean) => Field['schema'], value: Insertion['value']): void => {
    if (spec === undefined || spec === '') return;
    const required = spec.endsWith('!');
    const name = required || spec.endsWith('?') ? spec.slice(0, -1) : spec;
    insertions.push({ field: { name, schema: schemaFor(!required) }, value });
  };
  const { 'static.value': fixed = null } = config;
  add(
    config['topic.field'],
    (optional) => primitive('string', optional),
    (record) => record.topic,
  );
  add(
    config['partition.field'],
    (optional) => primitive('int32', optional),
    (record) => record.partition,
  );
  add(config['offset.field'], (optional) => primitive('int64', optional), offsetOf);
  add(
    config['timestamp.field'],
    (optional) => logical('timestamp', optional),
    ({ timestamp }) => (timestamp === null ? null : BigInt(timestamp)),
  );
  add(
    config['static.field'],
    (optional) => primitive('string', optional),
    () => fixed,
  );
  if (insertions.length === 0) {
    throw invalidProperty('topic.field', 'No field insertion configured');
  }
  if (config['static.field'] !== undefined && fixed === null) {
    throw invalidProperty('static.value', 'No value specified for static field');
  }
  const replace = config['replace.null.with.default'];
  const extended = memoized((schema) => withFields(schema, [...(schema.fields ?? []), ...insertions.map(({ field }) => field)]));
  return (record) => {
    if (record.value === null) return record;
    const schema = schemaOf(record, side);
    const value = valueOf(record, side);
    if (schema === null) {
      const map = new Map(requireMap(value, 'field insertion'));
      for (const { field, value: valueFor } of insertions) {
        const inserted = valueFor(record);
        if (inserted !== null) map.set(field.name, typeof inserted === 'number' ? BigInt(inserted) : inserted);
      }
      return withSide(record, side, null, map);
    }
    const struct = requireStruct(value, 'field insertion');
    const target = extended(schema);
    const values = (schema.fields ?? []).map((_field, index) => valueAt(struct, index, replace));
    for (const insertion of insertions) values.push(insertion.value(record));
    return withSide(record, side, target, new Struct(target, values));
  };
});

function offsetOf({ offset }: ConnectRecord): ConnectValue {
  if (offset === undefined) {
    throw dataFault('Only SinkRecord supported for [field insertion], found: org.apache.kafka.connect.source.SourceRecord');
  }
  return BigInt(offset);
}
