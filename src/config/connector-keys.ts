import { messageOf } from '../base/errors.ts';
import type { ConfigKey, KeyFacts } from './config-key.ts';
import { compileJavaPattern } from './java-pattern.ts';

/**
 * The properties that Kafka Connect 4.3 gives every connector, as its REST API shows them. Source: ConnectorConfig,
 * SourceConnectorConfig and SinkConnectorConfig.
 */

const nonNull = (name: string, value: string | null): readonly string[] =>
  value === null ? [`Invalid value null for configuration ${name}: Value must be non-null`] : [];

function atLeast(name: string, least: number): (value: string | null) => readonly string[] {
  return (value) => {
    if (value === null) return nonNull(name, value);
    return Number(value) >= least ? [] : [`Invalid value ${value} for configuration ${name}: Value must be at least ${least}`];
  };
}

function oneOfTexts(name: string, allowed: readonly string[]): (value: string | null) => readonly string[] {
  return (value) => {
    if (value !== null && allowed.includes(value.toLowerCase())) return [];
    return [
      `Invalid value ${value ?? 'null'} for configuration ${name}: String must be one of (case insensitive): ${allowed.map((each) => each.toUpperCase()).join(', ')}`,
    ];
  };
}

function checkName(value: string | null): readonly string[] {
  if (value === null) return [];
  if (value === '') return ['Invalid value  for configuration name: String may not be empty'];
  // Java's Character.isISOControl
  const controls = Array.from(value, (char) => char.codePointAt(0) ?? 0).filter((code) => code < 0x20 || (code >= 0x7f && code < 0xa0));
  if (controls.length === 0) return [];
  const codes = controls.join(', ');
  return [
    `Invalid value ${value} for configuration name: String may not contain control sequences but had the following ASCII chars: ${codes}`,
  ];
}

export interface ConnectorKeysOptions {
  readonly type: 'source' | 'sink';
  /** Of the connector's plugin. */
  readonly version: string;
  readonly converters: readonly string[];
  readonly headerConverters: readonly string[];
}

const json = 'org.apache.kafka.connect.json.JsonConverter';
const simple = 'org.apache.kafka.connect.storage.SimpleHeaderConverter';
const connectVersion = '4.3.0';

/** The keys of every connector, then those of its kind. */
export function connectorKeys({ type, version, converters, headerConverters }: ConnectorKeysOptions): readonly ConfigKey[] {
  const version4 = { recommended: [connectVersion], doc: 'Version of the plugin; there is one.' };
  const common: readonly ConfigKey[] = [
    {
      facts: ['name', 'STRING', null, 'HIGH', 'Common', 1, 'MEDIUM', 'Connector name'],
      required: true,
      doc: 'Name of the connector, unique in its worker.',
      check: checkName,
    },
    {
      facts: ['connector.class', 'STRING', null, 'HIGH', 'Common', 2, 'LONG', 'Connector class'],
      required: true,
      doc: 'Class of the connector, or its alias.',
    },
    {
      facts: ['connector.plugin.version', 'STRING', version, 'MEDIUM', 'Common', 3, 'MEDIUM', 'Connector version'],
      recommended: [version],
      doc: 'Version of the plugin; there is one.',
    },
    {
      facts: ['tasks.max', 'INT', '1', 'HIGH', 'Common', 4, 'SHORT', 'Tasks max'],
      doc: 'Greatest number of tasks.',
      check: atLeast('tasks.max', 1),
    },
    {
      facts: ['tasks.max.enforce', 'BOOLEAN', 'true', 'LOW', 'Common', 5, 'SHORT', 'Enforce tasks max'],
      doc: 'Whether more tasks than that are an error.',
    },
    {
      facts: ['key.converter', 'CLASS', json, 'LOW', 'Common', 6, 'SHORT', 'Key converter class'],
      recommended: converters,
      doc: "Converter of records' keys; without it, the worker's.",
    },
    {
      facts: ['key.converter.plugin.version', 'STRING', connectVersion, 'LOW', 'Common', 7, 'SHORT', 'Key converter version'],
      ...version4,
    },
    {
      facts: ['value.converter', 'CLASS', json, 'LOW', 'Common', 8, 'SHORT', 'Value converter class'],
      recommended: converters,
      doc: "Converter of records' values; without it, the worker's.",
    },
    {
      facts: ['value.converter.plugin.version', 'STRING', connectVersion, 'LOW', 'Common', 9, 'SHORT', 'Value converter version'],
      ...version4,
    },
    {
      facts: ['header.converter', 'CLASS', simple, 'LOW', 'Common', 10, 'SHORT', 'Header converter class'],
      recommended: headerConverters,
      doc: "Converter of records' headers; without it, the worker's.",
    },
    {
      facts: ['header.converter.plugin.version', 'STRING', connectVersion, 'LOW', 'Common', 11, 'SHORT', 'Header converter version'],
      ...version4,
    },
    {
      facts: ['transforms', 'LIST', '', 'LOW', 'Transforms', 12, 'LONG', 'Transforms'],
      doc: 'Aliases of the transformations, in the order in which they are applied.',
    },
    {
      facts: ['predicates', 'LIST', '', 'LOW', 'Predicates', 13, 'LONG', 'Predicates'],
      doc: 'Aliases of the predicates that transformations name.',
    },
    {
      facts: ['config.action.reload', 'STRING', 'restart', 'LOW', 'Common', 14, 'MEDIUM', 'Reload Action'],
      doc: 'What happens when a config provider has new values: none, restart.',
      check: (value) =>
        value === 'none' || value === 'restart'
          ? []
          : [`Invalid value ${value ?? 'null'} for configuration config.action.reload: String must be one of: none, restart`],
    },
    {
      facts: ['errors.retry.timeout', 'LONG', '0', 'MEDIUM', 'Error Handling', 1, 'MEDIUM', 'Retry Timeout for Errors'],
      doc: 'How long a failed step of a record is tried again, in milliseconds; -1: without end.',
    },
    {
      facts: [
        'errors.retry.delay.max.ms',
        'LONG',
        '60000',
        'MEDIUM',
        'Error Handling',
        2,
        'MEDIUM',
        'Maximum Delay Between Retries for Errors',
      ],
      doc: 'Longest wait between two tries.',
    },
    {
      facts: ['errors.tolerance', 'STRING', 'none', 'MEDIUM', 'Error Handling', 3, 'SHORT', 'Error Tolerance'],
      doc: 'Whether records that cannot be handled are left out: none, all.',
      check: oneOfTexts('errors.tolerance', ['none', 'all']),
    },
    {
      facts: ['errors.log.enable', 'BOOLEAN', 'false', 'MEDIUM', 'Error Handling', 4, 'SHORT', 'Log Errors'],
      doc: 'Whether each is logged.',
    },
    {
      facts: ['errors.log.include.messages', 'BOOLEAN', 'false', 'MEDIUM', 'Error Handling', 5, 'SHORT', 'Log Error Details'],
      doc: 'Whether the log names its topic and offset.',
    },
  ];
  return [...common, ...(type === 'source' ? sourceKeys : sinkKeys)];
}

const plain = (facts: KeyFacts, doc: string): ConfigKey => ({ facts, doc });

const sourceKeys: readonly ConfigKey[] = [
  plain(
    ['topic.creation.groups', 'LIST', '', 'LOW', 'Topic Creation', 1, 'LONG', 'Topic Creation Groups'],
    'Names of groups of topic settings.',
  ),
  {
    facts: ['exactly.once.support', 'STRING', 'requested', 'MEDIUM', 'Exactly Once Support', 2, 'SHORT', 'Exactly once support'],
    doc: 'Whether exactly-once delivery is required or requested; it is given in either case.',
    check: oneOfTexts('exactly.once.support', ['required', 'requested']),
  },
  {
    facts: ['transaction.boundary', 'STRING', 'poll', 'MEDIUM', 'Exactly Once Support', 3, 'SHORT', 'Transaction Boundary'],
    doc: 'Where transactions of the log end: poll, interval, connector.',
    check: oneOfTexts('transaction.boundary', ['interval', 'connector', 'poll']),
  },
  plain(
    ['transaction.boundary.interval.ms', 'LONG', null, 'LOW', 'Exactly Once Support', 4, 'SHORT', 'Transaction boundary interval'],
    'How often, with interval.',
  ),
  plain(
    ['offsets.storage.topic', 'STRING', null, 'LOW', 'offsets.topic', 1, 'LONG', 'Offsets topic'],
    'Topic for the offsets of this connector alone.',
  ),
];

const sinkKeys: readonly ConfigKey[] = [
  plain(['topics', 'LIST', '', 'HIGH', 'Common', 4, 'LONG', 'Topics'], 'Topics that the sink takes.'),
  {
    facts: ['topics.regex', 'STRING', '', 'HIGH', 'Common', 4, 'LONG', 'Topics regex'],
    doc: 'Regular expression of the topics that the sink takes.',
    check: (value) => {
      const fault = patternFault(value ?? '');
      return fault === undefined ? [] : [`Invalid value ${value ?? 'null'} for configuration topics.regex: Invalid regex: ${fault}`];
    },
  },
  plain(
    ['errors.deadletterqueue.topic.name', 'STRING', '', 'MEDIUM', 'Error Handling', 6, 'MEDIUM', 'Dead Letter Queue Topic Name'],
    'Topic for records that cannot be handled; empty: none.',
  ),
  plain(
    [
      'errors.deadletterqueue.topic.replication.factor',
      'SHORT',
      '3',
      'MEDIUM',
      'Error Handling',
      7,
      'MEDIUM',
      'Dead Letter Queue Topic Replication Factor',
    ],
    'Replicas of that topic.',
  ),
  plain(
    [
      'errors.deadletterqueue.context.headers.enable',
      'BOOLEAN',
      'false',
      'MEDIUM',
      'Error Handling',
      8,
      'MEDIUM',
      'Enable Error Context Headers',
    ],
    'Whether such records get headers that tell of the error.',
  ),
];

function patternFault(pattern: string): string | undefined {
  try {
    compileJavaPattern(pattern);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

export const sourceGroups: readonly string[] = [
  'Common',
  'Transforms',
  'Predicates',
  'Error Handling',
  'Topic Creation',
  'Exactly Once Support',
  'offsets.topic',
];
export const sinkGroups: readonly string[] = ['Common', 'Transforms', 'Predicates', 'Error Handling'];

/** What is wrong with the topics of a sink. Source: SinkConnectorConfig.validate. */
export function sinkTopicErrors(config: Readonly<Record<string, string | null>>): ReadonlyMap<string, readonly string[]> {
  const topics = (config['topics'] ?? '')
    .split(',')
    .map((topic) => topic.trim())
    .filter((topic) => topic !== '');
  const regex = (config['topics.regex'] ?? '').trim();
  const both = (error: string): ReadonlyMap<string, readonly string[]> =>
    new Map([
      ['topics', [error]],
      ['topics.regex', [error]],
    ]);
  if (topics.length > 0 && regex !== '') return both('topics and topics.regex are mutually exclusive options, but both are set.');
  if (topics.length === 0 && regex === '') return both('Must configure one of topics or topics.regex');
  const deadLetter = (config['errors.deadletterqueue.topic.name'] ?? '').trim();
  if (new Set(topics).size < topics.length) return new Map([['topics', ["Configuration 'topics' values must not be duplicated."]]]);
  if (deadLetter !== '' && topics.includes(deadLetter)) {
    const error = `The DLQ topic '${deadLetter}' may not be included in the list of topics ('topics=[${topics.join(', ')}]') consumed by the connector`;
    return new Map([['topics', [error]]]);
  }
  return new Map();
}
