/** Converters, transformations and predicates, as `/connector-plugins` lists and describes them. */
import { converterClasses, headerConverterClasses } from '../codec/converters.ts';
import type { ConfigDef, Property } from '../config/config-def.ts';
import type { ComponentPlugin } from '../config/component-plugin.ts';
import { keyOf } from '../config/config-key.ts';
import type { ConfigKey, KeyFacts } from '../config/config-key.ts';
import { predicates } from '../transform/predicates.ts';
import { transformations } from '../transform/transformations.ts';
import { readVersion } from './version.ts';

/** Connect's, whose classes they are. */
const connectVersion = '4.3.0';
const debeziumVersion = '3.6.1.Final';

const unwrapClass = 'io.debezium.transforms.ExtractNewRecordState';

/** As Debezium 3.6 shows them; options of earlier versions are taken, and not told. */
function unwrapKeys(definition: ConfigDef): readonly ConfigKey[] {
  const facts: readonly KeyFacts[] = [
    ['delete.tombstone.handling.mode', 'STRING', 'tombstone', 'MEDIUM', null, 1, 'MEDIUM', 'Handle delete and tombstone records'],
    ['route.by.field', 'STRING', '', 'LOW', null, 1, 'LONG', 'Route by field name'],
    ['add.fields.prefix', 'STRING', '__', 'LOW', null, 1, 'SHORT', 'Field prefix to be added to each field.'],
    ['add.fields', 'LIST', '', 'LOW', null, 1, 'LONG', 'Adds the specified field(s) to the message if they exist.'],
    ['add.headers.prefix', 'STRING', '__', 'LOW', null, 1, 'SHORT', 'Header prefix to be added to each header.'],
    ['add.headers', 'LIST', '', 'LOW', null, 1, 'LONG', 'Adds the specified fields to the header if they exist.'],
    [
      'drop.fields.header.name',
      'STRING',
      null,
      'LOW',
      null,
      1,
      'SHORT',
      'Specifies a header that contains a list of field names to be removed',
    ],
    [
      'drop.fields.from.key',
      'BOOLEAN',
      'false',
      'LOW',
      null,
      1,
      'SHORT',
      'Specifies whether the fields to be dropped should also be omitted from the key',
    ],
    [
      'drop.fields.keep.schema.compatible',
      'BOOLEAN',
      'true',
      'LOW',
      null,
      1,
      'SHORT',
      "Specifies if fields are dropped, will the event's schemas be compatible",
    ],
  ];
  return facts.map((each) => ({ facts: each, doc: definition[each[0]]?.doc ?? each[7] }));
}

function versionOf(className: string): string {
  if (className.startsWith('org.apache.kafka.')) return connectVersion;
  return className.startsWith('io.debezium.') ? debeziumVersion : readVersion();
}

function keysOf(definition: ConfigDef): readonly ConfigKey[] {
  return Object.entries<Property>(definition).map(([name, property]) => keyOf(name, property, { group: null, order: -1, width: 'NONE' }));
}

/** Of Kafka Connect 4.3: StringConverterConfig, JsonConverterConfig, ConverterConfig. */
function converterKeys(className: string): readonly ConfigKey[] {
  const name = className.slice(className.lastIndexOf('.') + 1);
  if (name === 'SimpleHeaderConverter') return [];
  const kind: ConfigKey = {
    facts: ['converter.type', 'STRING', null, 'LOW', null, -1, 'NONE', 'converter.type'],
    required: true,
    doc: 'What it converts: key, value, header.',
  };
  return [kind, ...(ownKeys[name] ?? []).map(([facts, doc]) => ({ facts, doc }))];
}

const ownKeys: Readonly<Record<string, readonly (readonly [KeyFacts, string])[]>> = {
  StringConverter: [[['converter.encoding', 'STRING', 'UTF-8', 'HIGH', null, -1, 'MEDIUM', 'Encoding'], 'Encoding of the text.']],
  JsonConverter: [
    [['schemas.enable', 'BOOLEAN', 'true', 'HIGH', 'Schemas', 0, 'MEDIUM', 'Enable Schemas'], 'Whether the JSON holds its schema.'],
    [
      ['schemas.cache.size', 'INT', '1000', 'HIGH', 'Schemas', 1, 'MEDIUM', 'Schema Cache Size'],
      'Schemas that are kept; without effect here.',
    ],
    [
      ['schema.content', 'STRING', null, 'HIGH', 'Schemas', 2, 'MEDIUM', 'Schema Content'],
      'A schema for all records; without effect here.',
    ],
    [
      ['decimal.format', 'STRING', 'BASE64', 'LOW', 'Serialization', 0, 'MEDIUM', 'Decimal Format'],
      'How decimals are written: BASE64, NUMERIC.',
    ],
    [
      ['replace.null.with.default', 'BOOLEAN', 'true', 'LOW', 'Serialization', 1, 'MEDIUM', 'Replace null with default'],
      'Whether the default of a field takes the place of null.',
    ],
  ],
};

export const componentPlugins: readonly ComponentPlugin[] = [
  ...[...transformations, ...predicates].map(({ className, kind, definition }) => ({
    className,
    type: kind,
    version: versionOf(className),
    keys: className === unwrapClass ? unwrapKeys(definition) : keysOf(definition),
  })),
  ...converterClasses.map(
    (className) => ({ className, type: 'converter', version: connectVersion, keys: converterKeys(className) }) as const,
  ),
  ...headerConverterClasses.map(
    (className) => ({ className, type: 'header_converter', version: connectVersion, keys: converterKeys(className) }) as const,
  ),
];
