/**
 * The properties of a worker, with Kafka Connect's names (4.3: WorkerConfig, DistributedConfig, StandaloneConfig,
 * RestServerConfig) and our own (`millrace.*`).
 */
import { MillraceError } from '../base/errors.ts';
import { between, defineConfig, notEmpty, oneOf, readConfig } from './config-def.ts';
import type { ConfigDef, ConfigNotice, ConnectorDef, ParsedConfig, PropertyFamily } from './config-def.ts';
import { properties } from './connect-properties.ts';

const own = defineConfig({
  'config.storage.topic': {
    type: 'string',
    default: 'connect-configs',
    importance: 'high',
    doc: 'Topic of the configurations of connectors and tasks.',
    check: notEmpty,
  },
  'status.storage.topic': {
    type: 'string',
    default: 'connect-status',
    importance: 'high',
    doc: 'Topic of the states of connectors and tasks.',
    check: notEmpty,
  },
  listeners: {
    type: 'list',
    default: 'http://127.0.0.1:8083',
    importance: 'low',
    doc: 'Addresses of the REST API: http://host:port or https://host:port. Without a host: all interfaces.',
  },
  'rest.advertised.host.name': { type: 'string', importance: 'low', doc: 'Host in worker_id.' },
  'rest.advertised.port': { type: 'int', importance: 'low', doc: 'Port in worker_id.', check: between(0, 65_535) },
  'rest.advertised.listener': { type: 'string', importance: 'low', doc: 'Which listener worker_id names: http or https.' },
  'admin.listeners': {
    type: 'list',
    importance: 'low',
    doc: 'Addresses of the paths under /admin: a list as of listeners; empty: none; not set: those of listeners.',
  },
  'rest.extension.classes': {
    type: 'list',
    default: '',
    importance: 'low',
    doc: 'Extensions of the REST API, of those that Millrace has.',
  },
  'millrace.rest.users.file': {
    type: 'string',
    importance: 'medium',
    doc: 'File of name=password lines: who may call the REST API. Without it, and without an extension that asks, everyone may.',
  },
  'access.control.allow.origin': { type: 'string', default: '', importance: 'low', doc: 'Origin that browsers let call the REST API.' },
  'access.control.allow.methods': { type: 'string', default: '', importance: 'low', doc: 'Methods that they let it call.' },
  'response.http.headers.config': { type: 'string', default: '', importance: 'low', doc: 'Rules for the headers of answers.' },
  'connector.client.config.override.policy': {
    type: 'string',
    default: 'All',
    importance: 'low',
    doc: 'Which producer.override.*, consumer.override.* and admin.override.* connectors may have: All, None, Principal.',
  },
  'topic.tracking.enable': { type: 'boolean', default: 'true', importance: 'low', doc: 'Whether active topics are kept.' },
  'topic.tracking.allow.reset': { type: 'boolean', default: 'true', importance: 'low', doc: 'Whether they can be reset.' },
  'task.shutdown.graceful.timeout.ms': {
    type: 'long',
    default: '5000',
    importance: 'low',
    doc: 'How long a source task may take to stop, before its thread is ended. What is not durable is read again.',
    check: between(0),
  },
  'config.providers': { type: 'list', default: 'env,file,dir', importance: 'low', doc: 'Names of providers of ${name:…} references.' },
  'millrace.data': { type: 'string', importance: 'medium', doc: 'Folder of the worker: log, offsets, lock. --data takes its place.' },
  'millrace.log.max.bytes': {
    type: 'long',
    default: '20000000000',
    importance: 'medium',
    doc: 'Most that the log holds; sources wait beyond it.',
    check: between(1_000_000),
  },
  'millrace.log.retention.bytes': {
    type: 'long',
    default: '2000000000',
    importance: 'medium',
    doc: 'What the log keeps though all sinks have committed it, per source.',
    check: between(0),
  },
  'millrace.log.retention.hours': { type: 'long', default: '168', importance: 'medium', doc: 'How long it keeps it.', check: between(0) },
  'millrace.task.restart.enabled': {
    type: 'boolean',
    default: 'true',
    importance: 'medium',
    doc: 'Whether failed tasks are started again. They show as FAILED, with their trace, until then.',
  },
  'millrace.task.restart.backoff.ms': {
    type: 'long',
    default: '10000',
    importance: 'low',
    doc: 'Wait before the first restart; each further one is twice as long.',
    check: between(1),
  },
  'millrace.task.restart.backoff.max.ms': {
    type: 'long',
    default: '600000',
    importance: 'low',
    doc: 'The longest wait.',
    check: between(1),
  },
  'millrace.task.restart.max': {
    type: 'int',
    default: '10',
    importance: 'low',
    doc: 'Restarts in a row at most; a task that has run for ten minutes begins to count anew.',
    check: between(0),
  },
  'millrace.log.level': {
    type: 'string',
    default: 'info',
    importance: 'low',
    doc: 'What is told on standard error: debug, info, warn, error. --log-level takes its place.',
    check: oneOf('debug', 'info', 'warn', 'error'),
  },
  'millrace.log.format': {
    type: 'string',
    default: 'text',
    importance: 'low',
    doc: 'How: text, json. --log-format takes its place.',
    check: oneOf('text', 'json'),
  },
});

const embedded = 'The log is embedded: there is no Kafka to talk to, and topics have neither partitions nor replicas.';
const alone = 'This worker is the only one of its data folder; no work moves between workers.';
const together = 'Offsets are durable together with the data that they belong to.';

const others: ConfigDef = {
  ...properties('not needed', embedded, {
    'bootstrap.servers': ['list', 'localhost:9092', 'high', 'Addresses of Kafka.'],
    'client.id': ['string', '', 'low', 'Name of the Kafka clients.'],
    'client.dns.lookup': ['string', 'use_all_dns_ips', 'low', 'How their addresses are looked up.'],
    'security.protocol': ['string', 'PLAINTEXT', 'medium', 'How they connect.'],
    'topic.creation.enable': ['boolean', 'true', 'low', "Whether connectors' topics are made as they ask."],
    'config.storage.replication.factor': ['int', '3', 'low', 'Replicas of the config topic.'],
    'offset.storage.replication.factor': ['int', '3', 'low', 'Replicas of the offset topic.'],
    'offset.storage.partitions': ['int', '25', 'low', 'Partitions of the offset topic.'],
    'status.storage.replication.factor': ['int', '3', 'low', 'Replicas of the status topic.'],
    'status.storage.partitions': ['int', '5', 'low', 'Partitions of the status topic.'],
    'request.timeout.ms': ['int', '40000', 'low', 'How long requests to Kafka may take.'],
    'retry.backoff.ms': ['long', '100', 'low', 'Wait before they are tried again.'],
    'metadata.max.age.ms': ['long', '300000', 'low', 'How often topics are looked up.'],
    'metadata.recovery.strategy': ['string', 'rebootstrap', 'low', 'What to do when all brokers have gone.'],
    'metadata.recovery.rebootstrap.trigger.ms': ['long', '300000', 'low', 'When.'],
    'connections.max.idle.ms': ['long', '540000', 'low', 'How long idle connections are kept.'],
    'reconnect.backoff.ms': ['long', '50', 'low', 'Wait before a new connection.'],
    'reconnect.backoff.max.ms': ['long', '1000', 'low', 'The longest wait.'],
    'receive.buffer.bytes': ['int', '32768', 'low', 'Size of a buffer.'],
    'send.buffer.bytes': ['int', '131072', 'low', 'Size of a buffer.'],
    'socket.connection.setup.timeout.ms': ['long', '10000', 'low', 'How long a connection may take.'],
    'socket.connection.setup.timeout.max.ms': ['long', '30000', 'low', 'The longest time.'],
  }),
  ...properties('not needed', alone, {
    'group.id': ['string', undefined, 'high', 'Name of the cluster of workers.'],
    'session.timeout.ms': ['int', '10000', 'high', 'After which a worker counts as gone.'],
    'heartbeat.interval.ms': ['int', '3000', 'high', 'How often workers say that they are there.'],
    'rebalance.timeout.ms': ['int', '60000', 'high', 'How long a rebalance may take.'],
    'scheduled.rebalance.max.delay.ms': ['int', '300000', 'low', 'How long the work of a lost worker waits.'],
    'worker.sync.timeout.ms': ['int', '3000', 'medium', 'How long a worker may take to catch up.'],
    'worker.unsync.backoff.ms': ['int', '300000', 'medium', 'Wait after it could not.'],
    'connect.protocol': ['string', 'sessioned', 'low', 'How work is handed out.'],
    'inter.worker.key.generation.algorithm': ['string', 'HmacSHA256', 'low', 'How keys are made.'],
    'inter.worker.key.size': ['int', undefined, 'low', 'Size of keys.'],
    'inter.worker.key.ttl.ms': ['int', '3600000', 'low', 'Life of keys.'],
    'inter.worker.signature.algorithm': ['string', 'HmacSHA256', 'low', 'How requests between workers are signed.'],
    'inter.worker.verification.algorithms': ['list', 'HmacSHA256', 'low', 'How signatures are checked.'],
  }),
  ...properties('not needed', together, {
    'offset.storage.topic': ['string', 'connect-offsets', 'high', 'Topic of source offsets.'],
    'offset.storage.file.filename': ['string', undefined, 'high', 'File of source offsets.'],
    'offset.flush.interval.ms': ['long', '60000', 'low', 'How often offsets are committed.'],
    'offset.flush.timeout.ms': ['long', '5000', 'low', 'How long that may take.'],
    'exactly.once.source.support': ['string', 'disabled', 'high', 'Whether sources are exactly once.', ['enabled', 'preparing']],
  }),
  ...properties('not needed', 'All plugins are part of Millrace.', {
    'plugin.path': ['list', undefined, 'low', 'Folders of plugins.'],
    'plugin.discovery': ['string', 'hybrid_warn', 'low', 'How plugins are found.'],
  }),
  ...properties('not needed', 'Metrics are at /metrics in the form of Prometheus.', {
    'metric.reporters': ['list', '', 'low', 'Classes that report metrics.', ['org.apache.kafka.common.metrics.JmxReporter']],
    'auto.include.jmx.reporter': ['boolean', 'true', 'low', 'Whether metrics are in JMX.'],
    'metrics.num.samples': ['int', '2', 'low', 'Samples of metrics.'],
    'metrics.sample.window.ms': ['long', '30000', 'low', 'Time of a sample.'],
    'metrics.recording.level': ['string', 'INFO', 'low', 'Which metrics are kept.'],
  }),
};

function family(name: string, pattern: RegExp, doc: string, facts: Partial<PropertyFamily> = {}): PropertyFamily {
  return { name, pattern, importance: 'low', doc, ...facts };
}

const kafkaClient: Partial<PropertyFamily> = { effect: 'not needed', why: embedded };

const families: readonly PropertyFamily[] = [
  family(
    'key.converter, value.converter, header.converter',
    /^(?:key|value|header)\.converter(?:\..+)?$/,
    'Converters of connectors that have none of their own.',
  ),
  family('config.providers.*', /^config\.providers\..+$/, 'Class and parameters of a provider.'),
  family('listeners.https.*', /^listeners\.https\..+$/, 'TLS of the REST API.'),
  family('admin.listeners.https.*', /^admin\.listeners\.https\..+$/, 'TLS of the admin listeners.'),
  family('ssl.*', /^ssl\..+$/, 'TLS of the REST API, where listeners.https.* does not say.'),
  family('sasl.*', /^sasl\..+$/, 'Authentication of the Kafka clients.', kafkaClient),
  family('producer.*, consumer.*, admin.*', /^(?:producer|consumer|admin)\..+$/, 'Settings of the Kafka clients.', kafkaClient),
  family(
    'config.storage.*, offset.storage.*, status.storage.*',
    /^(?:config|offset|status)\.storage\..+$/,
    'Settings of internal topics.',
    kafkaClient,
  ),
  family('metrics.context.*', /^metrics\.context\..+$/, 'Labels of metrics.', {
    effect: 'not needed',
    why: 'Metrics are at /metrics in the form of Prometheus.',
  }),
];

const workerDef: ConnectorDef<typeof own> = { definition: own, others, families };

export type WorkerValues = ParsedConfig<typeof own>;

export interface WorkerProperties {
  readonly values: WorkerValues;
  /** What there is to say of them. */
  readonly notices: readonly ConfigNotice[];
  /** As given. */
  readonly all: Readonly<Record<string, string>>;
}

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming every problem */
export function readWorkerProperties(all: Readonly<Record<string, string>>): WorkerProperties {
  const { values, problems, notices } = readConfig(workerDef, all);
  if (problems.length > 0) {
    const names = [...new Set(problems.map((problem) => problem.property))];
    const code = problems.every((problem) => problem.unsupported) ? 'CONFIG_UNSUPPORTED' : 'CONFIG_INVALID';
    throw new MillraceError(code, `The worker's properties cannot be used: ${problems.map((problem) => problem.text).join(' ')}`, {
      context: { properties: names },
      nextStep: `Correct ${names.join(', ')} in the worker's properties.`,
    });
  }
  // Without problems every default has been parsed.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return { values: values as WorkerValues, notices, all };
}

/** The worker's converters, where a connector has none of its own. */
export function withWorkerConverters(
  config: Readonly<Record<string, string>>,
  worker: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const added: Record<string, string> = {};
  for (const kind of ['key', 'value', 'header']) {
    if (config[`${kind}.converter`] !== undefined) continue;
    for (const [name, value] of Object.entries(worker)) {
      if (name === `${kind}.converter` || name.startsWith(`${kind}.converter.`)) added[name] = value;
    }
  }
  return { ...added, ...config };
}
