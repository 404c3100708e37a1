import { MillraceError } from '../base/errors.ts';
import { readColumnRules } from '../config/column-rules.ts';
import { readConverters } from '../config/converter-rules.ts';
import { topicNaming } from './topic-naming.ts';
import { debeziumOptions, type ConverterForm, type DebeziumOptions } from './debezium-options.ts';

type Properties = Readonly<Record<string, string | undefined>>;

/**
 * The form of the records that a connector's configuration asks for, its converters' properties included; what is not given
 * is Debezium's default. Other properties are passed over.
 * @throws CONFIG_INVALID when a property has none of its values
 */
export function optionsOfProperties(connector: 'mysql' | 'mariadb', properties: Properties): DebeziumOptions {
  const flag = (name: string, fallback: boolean): boolean => oneOf(properties, name, [String(fallback), String(!fallback)]) === 'true';
  const converterForm = (name: string): ConverterForm => ({
    decimalFormat: oneOf(properties, `${name}.decimal.format`, ['base64', 'numeric']),
    replaceNullWithDefault: flag(`${name}.replace.null.with.default`, true),
  });
  const topicPrefix = properties['topic.prefix'] ?? '';
  const topicDelimiter = properties['topic.delimiter'] ?? '.';
  const historyTopic = properties['schema.history.internal.kafka.topic']?.trim();
  const heartbeatPrefix = properties['topic.heartbeat.prefix'] ?? properties['heartbeat.topics.prefix'] ?? '__debezium-heartbeat';
  return debeziumOptions({
    connector,
    topicPrefix,
    topicDelimiter,
    skipsUnchanged: flag('skip.messages.without.change', false),
    rules: readColumnRules(properties),
    nameTopic: topicNaming(properties, topicPrefix, topicDelimiter),
    conversionOf: readConverters(properties),
    compat: oneOf(properties, 'millrace.compat', ['none', 'debezium-3.6']) === 'none' ? undefined : 'debezium-3.6',
    schemaChanges: flag('include.schema.changes', true),
    transactionMetadata: flag('provide.transaction.metadata', false),
    transactionTopic: [topicPrefix, properties['topic.transaction'] ?? 'transaction'].join(topicDelimiter),
    heartbeatTopic: [heartbeatPrefix, topicPrefix].join(topicDelimiter),
    historyTopic: historyTopic === '' ? undefined : historyTopic,
    unavailable: properties['unavailable.value.placeholder'] ?? '__debezium_unavailable_value',
    keySchemas: flag('key.converter.schemas.enable', true),
    valueSchemas: flag('value.converter.schemas.enable', true),
    tombstones: flag('tombstones.on.delete', true),
    skippedOperations: skippedOperations(properties['skipped.operations']),
    contextHeaders: flag('extended.headers.enabled', true),
    headerFormat: headerFormat(properties, flag),
    decimalMode: oneOf(properties, 'decimal.handling.mode', ['precise', 'string', 'double']),
    bigintUnsignedMode: oneOf(properties, 'bigint.unsigned.handling.mode', ['long', 'precise']),
    binaryMode: oneOf(properties, 'binary.handling.mode', ['bytes', 'base64', 'base64-url-safe', 'hex']),
    timeMode: oneOf(properties, 'time.precision.mode', [
      'adaptive_time_microseconds',
      'connect',
      'isostring',
      'microseconds',
      'nanoseconds',
    ]),
    timeAdjuster: flag('enable.time.adjuster', true),
    ...converterForm('value.converter'),
    keyConverter: converterForm('key.converter'),
    headerConverter: converterForm('header.converter'),
    columnComments: connector === 'mariadb' || flag('include.schema.comments', false),
    schemaNames: oneOf(properties, 'schema.name.adjustment.mode', ['none', 'avro', 'avro_unicode']),
    fieldNames: oneOf(properties, 'field.name.adjustment.mode', ['none', 'avro', 'avro_unicode']),
  });
}

/** The given choice, in any case; the first one where none is given. */
function oneOf<Choice extends string>(properties: Properties, name: string, choices: readonly [Choice, ...Choice[]]): Choice {
  const given = properties[name]?.trim();
  if (given === undefined) return choices[0];
  const found = choices.find((choice) => choice === given.toLowerCase());
  if (found !== undefined) return found;
  throw new MillraceError('CONFIG_INVALID', `${name} is ${given}, and can be ${choices.join(', ')}`);
}

function skippedOperations(given: string | undefined): DebeziumOptions['skippedOperations'] {
  if (given === undefined || given.trim() === '') return new Set(['t']);
  const letters = new Set(given.split(',').map((letter) => letter.trim().toLowerCase()));
  return new Set((['c', 'u', 'd', 'r', 't'] as const).filter((letter) => letters.has(letter)));
}

function headerFormat(properties: Properties, flag: (name: string, fallback: boolean) => boolean): DebeziumOptions['headerFormat'] {
  if (!properties['header.converter']?.endsWith('JsonConverter')) return 'simple';
  return flag('header.converter.schemas.enable', true) ? 'json-schemas' : 'json';
}
