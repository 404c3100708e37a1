import { defineConfig, oneOf } from '../config/config-def.ts';
import { compileJavaPattern } from '../config/java-pattern.ts';
import { MillraceError } from '../base/errors.ts';
import { defaultNameFormat } from './replica-names.ts';
import type { InvalidTemporal } from './table-record.ts';

/** Properties of every sink that keeps tables like the source's. */
export const replicaProperties = defineConfig({
  topics: { type: 'list', default: '', importance: 'high', doc: 'Topics to take, `prefix.database.table`, separated by commas.' },
  'topics.regex': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'A Java regular expression that names the topics to take, instead of topics.',
  },
  'replica.name.format': {
    type: 'string',
    default: defaultNameFormat,
    importance: 'medium',
    doc: 'Schema and table in the replica, made of ${prefix}, ${database}, ${table} and other text.',
  },
  'replica.name.map': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'Names of single tables: database.table:schema.table, separated by commas.',
  },
  'temporal.invalid.handling': {
    type: 'string',
    default: 'null',
    importance: 'medium',
    doc: 'What becomes of dates that do not exist, such as 0000-00-00: null (NULL, counted), text (DATE, DATETIME and TIMESTAMP columns are VARCHAR), fail.',
    check: oneOf('null', 'text', 'fail'),
  },
});

/** The value of `temporal.invalid.handling`. */
export function invalidTemporalOf(value: string): InvalidTemporal {
  const lower = value.toLowerCase();
  return lower === 'text' || lower === 'fail' ? lower : 'null';
}

/** Which topics a sink takes, by Kafka Connect's own rule: one of the two, and the expression stands for the whole name, letter case included. */
export function topicsTaken(name: string, topics: readonly string[], regex: string): (topic: string) => boolean {
  if (topics.length > 0 === (regex !== '')) {
    throw new MillraceError('CONFIG_INVALID', `Connector "${name}": set one of topics and topics.regex`);
  }
  if (regex === '') {
    const names = new Set(topics);
    return (topic) => names.has(topic);
  }
  const exact = compileJavaPattern(regex);
  return (topic) => exact.matches(topic);
}
