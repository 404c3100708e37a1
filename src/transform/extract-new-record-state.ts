import { Struct } from '../connect/data.ts';
import type { ConnectValue, Field, Schema } from '../connect/data.ts';
import type { ConnectHeader, ConnectRecord } from '../connect/record.ts';
import { fieldIndex, fieldOf, fieldValue, isArray, memoized, primitive, valueAt } from '../connect/schema.ts';
import { defineConfig, oneOf } from '../config/config-def.ts';
import { parseReferences } from './field-reference.ts';
import { transformation } from './plugin.ts';
import { dataFault, requireStruct, withFields } from './record-parts.ts';

type Handling = 'drop' | 'tombstone' | 'rewrite' | 'rewrite-with-tombstone' | 'delete-to-tombstone' | 'none-with-tombstone';

const handlings = ['drop', 'tombstone', 'rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone'] as const;

const definition = defineConfig({
  'delete.tombstone.handling.mode': {
    type: 'string',
    importance: 'medium',
    doc: `What becomes of deletes and their tombstones: ${handlings.join(', ')}; tombstone by default.`,
    check: oneOf(...handlings),
  },
  'delete.handling.mode': {
    type: 'string',
    importance: 'medium',
    doc: 'Until Debezium 3.1, what becomes of deletes: drop, rewrite, none.',
    check: oneOf('drop', 'rewrite', 'none'),
  },
  'drop.tombstones': { type: 'boolean', importance: 'medium', doc: 'Until Debezium 3.1, whether tombstones are dropped.' },
  'route.by.field': { type: 'string', default: '', importance: 'low', doc: "The row's column whose value is the record's topic." },
  'add.fields': {
    type: 'list',
    default: '',
    importance: 'low',
    doc: 'Fields of the envelope, its source or transaction block that are added to the row: op, source.ts_ms, table:alias.',
  },
  'add.fields.prefix': { type: 'string', default: '__', importance: 'low', doc: 'Stands before the names of added fields.' },
  'add.headers': { type: 'list', default: '', importance: 'low', doc: 'As add.fields, added as headers.' },
  'add.headers.prefix': { type: 'string', default: '__', importance: 'low', doc: 'Stands before the names of added headers.' },
  'drop.fields.header.name': { type: 'string', default: '', importance: 'low', doc: 'A header that lists the fields that are dropped.' },
  'drop.fields.from.key': { type: 'boolean', default: 'false', importance: 'low', doc: 'Whether they are dropped from the key, too.' },
  'drop.fields.keep.schema.compatible': {
    type: 'boolean',
    default: 'true',
    importance: 'low',
    doc: 'Whether only optional fields are dropped.',
  },
  'replace.null.with.default': {
    type: 'boolean',
    default: 'true',
    importance: 'low',
    doc: "Whether a null is read as its column's default, where there is one.",
  },
});

const deletedField: Field = { name: '__deleted', schema: primitive('string', true) };

/** Debezium's "unwrap": the row in the place of its envelope. */
export const extractNewRecordState = transformation('io.debezium.transforms.ExtractNewRecordState', definition, (config) => {
  const handling = handlingOf(config);
  const rewrites = handling === 'rewrite' || handling === 'rewrite-with-tombstone';
  const replace = config['replace.null.with.default'];
  const addedFields = parseReferences('add.fields', config['add.fields'], config['add.fields.prefix']);
  const addedHeaders = parseReferences('add.headers', config['add.headers'], config['add.headers.prefix']);
  const routeBy = config['route.by.field'];
  const dropped = droppedFields(config);

  /** By the envelope's schema: the row's with what is added. */
  const rowSchema = memoized((envelope) => {
    const row = rowSchemaOf(envelope);
    const added = addedFields.flatMap(({ name, schemaIn }) => {
      const schema = schemaIn(envelope);
      return schema === undefined ? [] : [{ name, schema }];
    });
    return withFields(row, [...(row.fields ?? []), ...(rewrites ? [deletedField] : []), ...added]);
  });

  const rowOf = (envelope: Struct, row: Struct, deleted: boolean): Struct => {
    const schema = rowSchema(envelope.schema);
    const values: ConnectValue[] = row.values.map((_value, index) => valueAt(row, index, replace));
    if (rewrites) values.push(String(deleted));
    for (const { schemaIn, valueIn } of addedFields) if (schemaIn(envelope.schema) !== undefined) values.push(valueIn(envelope));
    return new Struct(schema, values);
  };

  const withHeaders = (record: ConnectRecord, envelope: Struct): ConnectRecord => {
    if (addedHeaders.length === 0) return record;
    const added = addedHeaders.flatMap(({ name, schemaIn, valueIn }): ConnectHeader[] => {
      const schema = schemaIn(envelope.schema);
      return schema === undefined ? [] : [{ name, schema, value: valueIn(envelope) }];
    });
    return { ...record, headers: [...record.headers, ...added] };
  };

  /** With a header of its operation, where that is asked for. */
  const keptTombstone = (record: ConnectRecord): ConnectRecord => {
    const added = addedHeaders.flatMap(({ name, field }): ConnectHeader[] =>
      field === 'op' ? [{ name, schema: primitive('string'), value: 'd' }] : [],
    );
    return added.length === 0 ? record : { ...record, headers: [...record.headers, ...added] };
  };

  const routed = (record: ConnectRecord, row: Struct): ConnectRecord => {
    if (routeBy === '') return record;
    const topic = fieldValue(row, routeBy, replace);
    if (topic === null || topic === '') return record;
    if (typeof topic !== 'string') throw dataFault(`route.by.field: ${routeBy} is not a text in a record of the topic ${record.topic}`);
    return { ...record, topic };
  };

  return (record) => {
    const { value, valueSchema } = record;
    if (value === null) {
      return handling === 'rewrite-with-tombstone' || handling === 'none-with-tombstone' ? keptTombstone(record) : null;
    }
    if (valueSchema?.name?.endsWith('.Envelope') !== true) return record;
    const envelope = requireStruct(value, 'value');
    const after = fieldValue(envelope, 'after', replace);
    const before = fieldValue(envelope, 'before', replace);
    if (after === null && before === null) return null;
    const next = withHeaders(record, envelope);
    if (after instanceof Struct) {
      const row = rowOf(envelope, after, false);
      return dropped(routed({ ...next, valueSchema: row.schema, value: row }, after));
    }
    const old = requireStruct(before, 'before');
    switch (handling) {
      case 'drop':
        return null;
      case 'rewrite':
      case 'rewrite-with-tombstone': {
        const row = rowOf(envelope, old, true);
        return dropped(routed({ ...next, valueSchema: row.schema, value: row }, old));
      }
      case 'delete-to-tombstone':
        return routed({ ...next, valueSchema: null, value: null }, old);
      default:
        // no tombstone: the schema stays, and JsonConverter writes the text null
        return routed({ ...next, valueSchema: rowSchemaOf(envelope.schema), value: null }, old);
    }
  };
});

function rowSchemaOf(envelope: Schema): Schema {
  return fieldOf(envelope, 'after')?.schema ?? envelope;
}

interface HandlingConfig {
  readonly 'delete.tombstone.handling.mode': string | undefined;
  readonly 'delete.handling.mode': string | undefined;
  readonly 'drop.tombstones': boolean | undefined;
}

/** The newer property counts; the two older ones together mean one of its values. */
function handlingOf(config: HandlingConfig): Handling {
  const given = config['delete.tombstone.handling.mode']?.toLowerCase();
  const mode = config['delete.handling.mode']?.toLowerCase();
  const drops = config['drop.tombstones'];
  if (given !== undefined || (mode === undefined && drops === undefined)) {
    return handlings.find((each) => each === given) ?? 'tombstone';
  }
  const isDropping = drops ?? true;
  if (mode === 'rewrite') return isDropping ? 'rewrite' : 'rewrite-with-tombstone';
  if (mode === 'none') return isDropping ? 'tombstone' : 'none-with-tombstone';
  return isDropping ? 'drop' : 'delete-to-tombstone';
}

interface DropConfig {
  readonly 'drop.fields.header.name': string;
  readonly 'drop.fields.from.key': boolean;
  readonly 'drop.fields.keep.schema.compatible': boolean;
}

/** Leaves out the fields that a header of the record lists. */
function droppedFields(config: DropConfig): (record: ConnectRecord) => ConnectRecord {
  const headerName = config['drop.fields.header.name'];
  if (headerName === '') return (record) => record;
  const compatible = config['drop.fields.keep.schema.compatible'];
  const without = (value: ConnectValue, names: ReadonlySet<ConnectValue>): Struct | undefined => {
    if (!(value instanceof Struct)) return undefined;
    const { schema } = value;
    const kept = (schema.fields ?? []).filter((field) => !names.has(field.name) || (compatible && !field.schema.optional));
    const target = withFields(schema, kept);
    return new Struct(
      target,
      kept.map((field) => value.values[fieldIndex(schema, field.name)] ?? null),
    );
  };
  return (record) => {
    const listed = record.headers.find((header) => header.name === headerName)?.value ?? null;
    if (!isArray(listed) || listed.length === 0) return record;
    const names = new Set(listed);
    const value = without(record.value, names);
    const key = config['drop.fields.from.key'] ? without(record.key, names) : undefined;
    return {
      ...record,
      ...(value === undefined ? {} : { value, valueSchema: value.schema }),
      ...(key === undefined ? {} : { key, keySchema: key.schema }),
    };
  };
}
