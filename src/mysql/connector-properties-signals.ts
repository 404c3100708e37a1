/** Signals, incremental snapshots, notifications, and waits at the start. */
import { between, defineConfig } from '../config/config-def.ts';

const signalChannels = ['source', 'kafka', 'file', 'jmx'];
const notificationChannels = ['sink', 'log', 'jmx'];

function each(choices: readonly string[]): (values: readonly string[]) => string | undefined {
  return (values) => (values.every((value) => choices.includes(value.toLowerCase())) ? undefined : `can have ${choices.join(', ')}`);
}

export const signalProperties = defineConfig({
  'snapshot.delay.ms': { type: 'long', default: '0', importance: 'low', doc: 'Wait before a snapshot at the start.', check: between(0) },
  'streaming.delay.ms': { type: 'long', default: '0', importance: 'low', doc: 'Wait before streaming at the start.', check: between(0) },
  'signal.data.collection': {
    type: 'string',
    importance: 'medium',
    doc: 'Table, as database.table, with the columns id, type and data: rows inserted there are signals. It must be captured.',
    check: (value) => (/^[^.]+\..+$/.test(value) ? undefined : 'must be database.table'),
  },
  'signal.enabled.channels': {
    type: 'list',
    default: 'source',
    importance: 'medium',
    doc: 'Where signals come from: source (the table), kafka (the topic), file. There is no jmx; `millrace signal` works always.',
    check: each(signalChannels),
  },
  'signal.kafka.topic': {
    type: 'string',
    importance: 'medium',
    doc: "Topic through which signals come; default `<topic.prefix>-signal`. A record's key must be topic.prefix.",
  },
  'signal.file': {
    type: 'string',
    default: 'file-signals.txt',
    importance: 'low',
    doc: 'File through which signals come: a JSON object per line. It is emptied once they are read.',
  },
  'signal.poll.interval.ms': {
    type: 'long',
    default: '5000',
    importance: 'medium',
    doc: 'How often the file is looked for.',
    check: between(1),
  },
  'incremental.snapshot.chunk.size': {
    type: 'int',
    default: '1024',
    importance: 'medium',
    doc: 'Rows of a chunk of an incremental snapshot.',
    check: between(1),
  },
  'incremental.snapshot.watermarking.strategy': {
    type: 'string',
    default: 'INSERT_INSERT',
    importance: 'low',
    doc: 'How the end of a chunk is marked in the signal table: INSERT_INSERT adds a row, INSERT_DELETE removes that of its begin.',
    check: (value) => (/^insert_(?:insert|delete)$/i.test(value) ? undefined : 'must be INSERT_INSERT or INSERT_DELETE'),
  },
  'incremental.snapshot.allow.schema.changes': {
    type: 'boolean',
    default: 'false',
    importance: 'low',
    doc: 'Whether a table may be altered during its incremental snapshot. It always may: the chunk is read again.',
  },
  'read.only': {
    type: 'boolean',
    default: 'false',
    importance: 'low',
    doc: 'Whether chunks of incremental snapshots are placed without writing to the signal table.',
  },
  'notification.enabled.channels': {
    type: 'list',
    default: '',
    importance: 'medium',
    doc: 'Where notifications of snapshots go: sink (a topic), log. What jmx shows is in the metrics.',
    check: each(notificationChannels),
  },
  'notification.sink.topic.name': {
    type: 'string',
    importance: 'high',
    doc: 'Topic of notifications.',
  },
});
