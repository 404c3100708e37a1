/**
 * The properties that Kafka Connect itself gives every connector, whatever its class. Names, types and defaults are
 * those of Kafka Connect 4.3; see ConnectorConfig, SourceConnectorConfig and SinkConnectorConfig there.
 */
import { defineConfig, notEmpty } from './config-def.ts';
import type { ConfigDef, Effect, Importance, Property, PropertyFamily, PropertyType } from './config-def.ts';

/** Of every connector. */
export const connectorProperties = defineConfig({
  name: { type: 'string', required: true, importance: 'high', doc: 'Name of the connector, unique in its worker.', check: notEmpty },
  'connector.class': { type: 'class', required: true, importance: 'high', doc: 'Class of the connector.' },
  'tasks.max': {
    type: 'int',
    default: '1',
    importance: 'high',
    doc: 'Greatest number of tasks. Each connector of Millrace is one task.',
    check: (value) => (value === 1 ? undefined : 'must be 1: only one task may be started'),
  },
});

/** A line of a table of properties that are known by name: type, default (undefined: none), importance, doc. */
export type PropertyLine = readonly [
  type: PropertyType,
  defaultText: string | undefined,
  importance: Importance,
  doc: string,
  harmless?: readonly string[],
];

/** Properties of one fate, for one reason. */
export function properties(effect: Effect, why: string, lines: Readonly<Record<string, PropertyLine>>): ConfigDef {
  const result: Record<string, Property> = {};
  for (const [name, [type, defaultText, importance, doc, harmless]] of Object.entries(lines)) {
    const facts = { importance, doc, effect, why, ...(harmless === undefined ? {} : { harmless }) };
    result[name] = { type, ...facts, ...(defaultText === undefined ? {} : { default: defaultText }) };
  }
  return result;
}

const endless = 'Millrace retries passing faults without end, with growing waits, and stops at any other; it never skips data.';

const common: ConfigDef = {
  ...properties('not needed', 'There is one version of each plugin.', {
    'connector.plugin.version': ['string', undefined, 'medium', "Version of the connector's plugin."],
    'key.converter.plugin.version': ['string', undefined, 'low', "Version of the key converter's plugin."],
    'value.converter.plugin.version': ['string', undefined, 'low', "Version of the value converter's plugin."],
    'header.converter.plugin.version': ['string', undefined, 'low', "Version of the header converter's plugin."],
    'tasks.max.enforce': ['boolean', 'true', 'low', 'Whether more tasks than tasks.max are an error.'],
  }),
  ...properties('works', '', {
    transforms: ['list', '', 'low', 'Aliases of the transformations of each record, in their order.'],
    predicates: ['list', '', 'low', 'Aliases of the predicates that transformations use.'],
    'errors.retry.timeout': ['long', '0', 'medium', 'How long a failed operation on a record is retried, in milliseconds.'],
    'errors.retry.delay.max.ms': ['long', '60000', 'medium', 'Longest wait between two retries.'],
    'errors.tolerance': ['string', 'none', 'medium', 'Whether records that cannot be handled are skipped: none, all.'],
    'errors.log.enable': ['boolean', 'false', 'medium', 'Whether each error is logged with its record.'],
    'errors.log.include.messages': ['boolean', 'false', 'medium', 'Whether logged errors hold the record.'],
  }),
  ...properties('no effect', 'Restart the worker after a secret has changed.', {
    'config.action.reload': ['string', 'restart', 'low', 'What a changed secret does: restart, none.'],
  }),
};

/** What Kafka Connect gives every source connector besides `connectorProperties`. */
export const sourceConnectProperties: ConfigDef = {
  ...common,
  ...properties('not needed', "Offsets and data are committed together in Millrace's own log.", {
    'exactly.once.support': [
      'string',
      'requested',
      'medium',
      'Whether exactly-once delivery is required: requested, required.',
      ['required'],
    ],
    'transaction.boundary': ['string', 'poll', 'medium', 'Where producer transactions end: poll, connector, interval.'],
    'transaction.boundary.interval.ms': ['long', undefined, 'low', 'Length of producer transactions.'],
    'offsets.storage.topic': ['string', undefined, 'low', "Topic of the connector's offsets."],
  }),
};

/** What Kafka Connect gives every sink connector besides `connectorProperties`, `topics` and `topics.regex`. */
export const sinkConnectProperties: ConfigDef = {
  ...common,
  ...properties('no effect', endless, {
    'errors.deadletterqueue.topic.name': ['string', '', 'medium', 'Topic for records that cannot be handled.'],
    'errors.deadletterqueue.topic.replication.factor': ['int', '3', 'medium', 'Replication factor of that topic.'],
    'errors.deadletterqueue.context.headers.enable': ['boolean', 'false', 'medium', 'Whether its records tell the error in headers.'],
  }),
};

/** Families that every connector has. */
export const connectFamilies: readonly PropertyFamily[] = [
  {
    name: 'key.converter, value.converter, header.converter',
    pattern: /^(?:key|value|header)\.converter(?:\..+)?$/,
    importance: 'low',
    doc: 'Converters of records to bytes, and their settings.',
  },
  {
    name: 'transforms.*',
    pattern: /^transforms\..+$/,
    importance: 'low',
    doc: 'Settings of transformations.',
  },
  {
    name: 'predicates.*',
    pattern: /^predicates\..+$/,
    importance: 'low',
    doc: 'Settings of predicates.',
  },
  {
    name: 'producer.override.*, consumer.override.*, admin.override.*',
    pattern: /^(?:producer|consumer|admin)\.override\..+$/,
    importance: 'low',
    doc: "Settings of the connector's Kafka clients.",
    effect: 'not needed',
    why: 'The embedded log has no Kafka clients.',
  },
  {
    name: 'topic.creation.*',
    pattern: /^topic\.creation\..+$/,
    importance: 'low',
    doc: 'Partitions, replication and settings of the topics that a source creates.',
    effect: 'not needed',
    why: 'Topics of the embedded log have neither partitions nor replicas.',
  },
];
