import { Struct } from '../connect/data.ts';
import type { ConnectValue, Field, Schema } from '../connect/data.ts';
import { javaText } from '../connect/java-text.ts';
import { isMap, memoized, valueAt } from '../connect/schema.ts';
import { defineConfig } from '../config/config-def.ts';
import { sidedTransformation } from './plugin.ts';
import { dataFault, requireMap, requireStruct, schemaOf, valueOf, withFields, withSide } from './record-parts.ts';
import type { FreeMap } from './record-parts.ts';

const definition = defineConfig({
  delimiter: { type: 'string', default: '.', importance: 'medium', doc: 'Stands between the names of a field and of those inside of it.' },
});

export const flatten = sidedTransformation('org.apache.kafka.connect.transforms.Flatten', definition, ({ delimiter }, side) => {
  const named = (prefix: string, name: string): string => (prefix === '' ? name : prefix + delimiter + name);

  /** All leaves: optional where anything around them is, with the default of what is around them unless they have their own. */
  const leaves = (schema: Schema, prefix: string, optional: boolean, around: ConnectValue): Field[] =>
    (schema.fields ?? []).flatMap((field, index) => {
      const name = named(prefix, field.name);
      const isOptional = optional || field.schema.optional;
      const fallback = field.schema.default ?? (around instanceof Struct ? valueAt(around, index, true) : null);
      if (field.schema.type === 'struct') return leaves(field.schema, name, isOptional, fallback);
      if (field.schema.type === 'map') {
        throw dataFault(`Flatten transformation does not support MAP for record with schemas for field ${name}.`);
      }
      const { default: _own, ...rest } = field.schema;
      return [{ name, schema: { ...rest, optional: isOptional, ...(fallback === null ? {} : { default: fallback }) } }];
    });
  const flat = memoized((schema) => withFields(schema, leaves(schema, '', schema.optional, schema.default ?? null)));

  const collect = (schema: Schema, value: ConnectValue, into: ConnectValue[]): void => {
    for (const [index, field] of (schema.fields ?? []).entries()) {
      const member = value instanceof Struct ? valueAt(value, index, true) : null;
      if (field.schema.type === 'struct') collect(field.schema, member, into);
      else into.push(member);
    }
  };
  const collectFree = (map: FreeMap, prefix: string, into: Map<ConnectValue, ConnectValue>): void => {
    for (const [key, value] of map) {
      const name = named(prefix, javaText(null, key));
      if (isMap(value)) collectFree(value, name, into);
      else into.set(name, value);
    }
  };

  return (record) => {
    const schema = schemaOf(record, side);
    const value = valueOf(record, side);
    if (value === null) return record;
    if (schema === null) {
      const into = new Map<ConnectValue, ConnectValue>();
      collectFree(requireMap(value, 'flattening'), '', into);
      return withSide(record, side, null, into);
    }
    const target = flat(schema);
    const values: ConnectValue[] = [];
    collect(schema, requireStruct(value, 'flattening'), values);
    return withSide(record, side, target, new Struct(target, values));
  };
});
