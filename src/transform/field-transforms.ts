import { Struct } from '../connect/data.ts';
import type { ConnectValue, Field, Schema } from '../connect/data.ts';
import { fieldIndex, fieldOf, fieldValue, isMap, memoized, structOf, valueAt } from '../connect/schema.ts';
import { defineConfig } from '../config/config-def.ts';
import { invalidProperty, replaceNull, sidedTransformation, transformation } from './plugin.ts';
import { checkNames, dataFault, requireMap, requireStruct, schemaOf, valueOf, withFields, withSide } from './record-parts.ts';

/* Kafka Connect's transformations that choose, rename, wrap and unwrap fields. */

/** The schema of a field that must be there. */
function knownField(schema: Schema, name: string): Field {
  const field = fieldOf(schema, name);
  if (field === undefined) throw dataFault(`Unknown field: ${name}`);
  return field;
}

const extractDefinition = defineConfig({
  field: { type: 'string', required: true, importance: 'medium', doc: 'Name of the field that takes the place of the whole.' },
  'field.syntax.version': {
    type: 'string',
    default: 'V1',
    importance: 'high',
    doc: 'V1: a plain name; V2: a path, its names separated by dots, names with dots in backticks.',
    check: (version) => (/^v[12]$/i.test(version) ? undefined : 'must be V1 or V2'),
  },
  ...replaceNull,
});

export const extractField = sidedTransformation('org.apache.kafka.connect.transforms.ExtractField', extractDefinition, (config, side) => {
  const path = config['field.syntax.version'].toUpperCase() === 'V2' ? pathOf(config.field) : [config.field];
  const replace = config['replace.null.with.default'];
  return (record) => {
    let schema = schemaOf(record, side);
    let value = valueOf(record, side);
    for (const name of path) {
      if (schema === null) {
        value = value === null ? null : (requireMap(value, 'field extraction').get(name) ?? null);
      } else {
        if (value !== null) value = fieldValue(requireStruct(value, 'field extraction'), name, replace);
        schema = knownField(schema, name).schema;
      }
    }
    return withSide(record, side, schema, value);
  };
});

/** `a.b.`c.d``: the names between dots, or between backticks. */
function pathOf(path: string): readonly string[] {
  const names = Array.from(
    path.matchAll(/`((?:[^`]|``)*)`(?:\.|$)|([^.]+)(?:\.|$)/g),
    ([, quoted, plain]) => quoted?.replaceAll('``', '`') ?? plain ?? '',
  );
  if (names.length === 0) throw invalidProperty('field', `${path} is no path of fields`);
  return names;
}

const hoistDefinition = defineConfig({
  field: { type: 'string', required: true, importance: 'medium', doc: 'Name of the only field, which holds what the whole was.' },
});

export const hoistField = sidedTransformation('org.apache.kafka.connect.transforms.HoistField', hoistDefinition, ({ field }, side) => {
  const hoisted = memoized((schema) => structOf([{ name: field, schema }]));
  return (record) => {
    const schema = schemaOf(record, side);
    const value = valueOf(record, side);
    if (schema === null) return withSide(record, side, null, new Map([[field, value]]));
    const target = hoisted(schema);
    return withSide(record, side, target, new Struct(target, [value]));
  };
});

const replaceDefinition = defineConfig({
  exclude: { type: 'list', default: '', importance: 'medium', doc: 'Fields that are left out.' },
  include: { type: 'list', default: '', importance: 'medium', doc: 'Fields that stay; all by default.' },
  renames: { type: 'list', default: '', importance: 'medium', doc: 'Fields and their new names, as old:new,….' },
  ...replaceNull,
  blacklist: { type: 'list', importance: 'low', doc: 'Old name of exclude.', effect: 'refused', why: 'Since Kafka 4.0 it is exclude.' },
  whitelist: { type: 'list', importance: 'low', doc: 'Old name of include.', effect: 'refused', why: 'Since Kafka 4.0 it is include.' },
});

export const replaceField = sidedTransformation('org.apache.kafka.connect.transforms.ReplaceField', replaceDefinition, (config, side) => {
  const { exclude, include } = config;
  const names = parseRenames(config.renames);
  const replace = config['replace.null.with.default'];
  const stays = (name: string): boolean => !exclude.includes(name) && (include.length === 0 || include.includes(name));
  const plan = memoized((schema) => {
    const kept = (schema.fields ?? []).filter((field) => stays(field.name));
    return withFields(
      schema,
      kept.map((field) => ({ name: names.get(field.name) ?? field.name, schema: field.schema })),
    );
  });
  return (record) => {
    const schema = schemaOf(record, side);
    const value = valueOf(record, side);
    if (value === null) return record;
    if (schema === null) {
      const kept = Array.from(requireMap(value, 'field replacement')).filter(([name]) => typeof name !== 'string' || stays(name));
      return withSide(
        record,
        side,
        null,
        new Map(kept.map(([name, each]) => [typeof name === 'string' ? (names.get(name) ?? name) : name, each])),
      );
    }
    const struct = requireStruct(value, 'field replacement');
    const target = plan(schema);
    const values = (schema.fields ?? []).flatMap((field, index) => (stays(field.name) ? [valueAt(struct, index, replace)] : []));
    return withSide(record, side, target, new Struct(target, values));
  };
});

function parseRenames(renames: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    renames.map((pair): [string, string] => {
      const [from = '', to = '', ...rest] = pair.split(':').map((name) => name.trim());
      if (from === '' || to === '' || rest.length > 0) throw invalidProperty('renames', `${pair} is no old:new`);
      return [from, to];
    }),
  );
}

const toKeyDefinition = defineConfig({
  fields: { type: 'list', required: true, importance: 'high', doc: "Fields of the value that make the record's key." },
  ...replaceNull,
});

export const valueToKey = transformation('org.apache.kafka.connect.transforms.ValueToKey', toKeyDefinition, (config) => {
  const { fields } = config;
  const replace = config['replace.null.with.default'];
  const keyOf = memoized((schema) => {
    const chosen = fields.map((name) => {
      const field = fieldOf(schema, name);
      if (field === undefined) throw dataFault(`Field does not exist: ${name}`);
      return field;
    });
    checkNames(chosen);
    return structOf(chosen);
  });
  return (record) => {
    if (record.valueSchema === null) {
      const map = requireMap(record.value, 'copying fields from value to key');
      return { ...record, keySchema: null, key: new Map(fields.map((name) => [name, map.get(name) ?? null])) };
    }
    const struct = requireStruct(record.value, 'copying fields from value to key');
    const keySchema = keyOf(struct.schema);
    return {
      ...record,
      keySchema,
      key: new Struct(
        keySchema,
        fields.map((name) => fieldValue(struct, name, replace)),
      ),
    };
  };
});

const headerFromDefinition = defineConfig({
  fields: { type: 'list', required: true, importance: 'high', doc: 'Fields whose values become headers.' },
  headers: { type: 'list', required: true, importance: 'high', doc: 'Names of the headers, in the order of the fields.' },
  operation: {
    type: 'string',
    required: true,
    importance: 'high',
    doc: 'move: the fields are left out; copy: they stay.',
    check: (value) => (/^(?:move|copy)$/i.test(value) ? undefined : 'must be move or copy'),
  },
  ...replaceNull,
});

export const headerFrom = sidedTransformation('org.apache.kafka.connect.transforms.HeaderFrom', headerFromDefinition, (config, side) => {
  const { fields, headers } = config;
  if (fields.length !== headers.length) {
    throw invalidProperty('headers', "'fields' config must have the same number of elements as 'headers' config.");
  }
  const move = config.operation.toLowerCase() === 'move';
  const replace = config['replace.null.with.default'];
  const purpose = `header ${config.operation.toLowerCase()}`;
  const rest = memoized((schema) =>
    withFields(
      schema,
      (schema.fields ?? []).filter((field) => !fields.includes(field.name)),
    ),
  );
  return (record) => {
    const schema = schemaOf(record, side);
    const value = valueOf(record, side);
    const read = (name: string): { readonly schema: Schema | null; readonly value: ConnectValue } => {
      if (schema === null) return { schema: null, value: isMap(value) ? (value.get(name) ?? null) : null };
      return { schema: knownField(schema, name).schema, value: fieldValue(requireStruct(value, purpose), name, replace) };
    };
    if (schema === null) requireMap(value, purpose);
    const added = fields.map((name, at) => ({ name: headers[at] ?? name, ...read(name) }));
    const next = { ...record, headers: [...record.headers, ...added] };
    if (!move) return next;
    if (schema === null) {
      return withSide(
        next,
        side,
        null,
        new Map(Array.from(requireMap(value, purpose)).filter(([name]) => typeof name !== 'string' || !fields.includes(name))),
      );
    }
    const struct = requireStruct(value, purpose);
    const target = rest(schema);
    const values = (target.fields ?? []).map((field) => valueAt(struct, fieldIndex(schema, field.name), replace));
    return withSide(next, side, target, new Struct(target, values));
  };
});
