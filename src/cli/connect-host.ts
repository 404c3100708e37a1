/** Puts herder, stores, plugins and control socket together, with connectors that come and go: `worker`. */
import { dirname } from 'node:path';
import type { Logger } from '../base/logger.ts';
import { readProviders, resolveProviders } from '../config/config-providers.ts';
import { withWorkerConverters } from '../config/worker-properties.ts';
import type { WorkerProperties } from '../config/worker-properties.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import { lockFolder } from '../log/embedded/folder-lock.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import type { EmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { requestRecords } from '../mysql/snapshot-requests.ts';
import { openConfigStore } from '../worker/config-store.ts';
import { ConnectWorker } from '../worker/connect-worker.ts';
import { createHerder } from '../worker/herder.ts';
import type { Herder, TaskPlace, TaskStatus } from '../worker/herder.ts';
import { openStatusStore } from '../worker/status-store.ts';
import type { LogSettings, LoggingOptions } from '../worker/thread-messages.ts';
import { withCompatOfTakeover } from './compat-of-takeover.ts';
import { checkConnectors } from './connectors.ts';
import type { CheckedConnectors } from './connectors.ts';
import { createControlHandlers } from './control-handlers.ts';
import { openControlServer } from './control-server.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { openLogger, setLogLevel } from './logging.ts';
import { makeFolder } from './make-folder.ts';
import { withOverridePolicy } from './override-policy.ts';
import { placeTask } from './place-task.ts';
import { pluginCatalog } from './plugin-catalog.ts';
import { readReplicaFiles, writeReplicaFiles } from './replica-files.ts';
import { tellNotices } from './run-command.ts';
import { importedSources, noteSources } from './source-catalog.ts';
import { readVersion } from './version.ts';
import { workerIdOf } from './worker-id.ts';

/** Of Kafka Connect, whose API the worker has. */
const connectVersion = '4.3.0';

export interface ConnectHostOptions {
  readonly dataFolder: string;
  readonly properties: WorkerProperties;
  readonly logging: LoggingOptions;
}

/** A worker whose connectors come and go; disposed, it stops as on SIGTERM. */
export interface ConnectHost extends AsyncDisposable {
  readonly service: ConnectWorker;
  readonly herder: Herder;
  readonly log: Logger;
}

/**
 * Opens a worker on a data folder; `service.start` brings back the connectors that it had.
 *
 * @throws DATA_LOCKED when another process works on the folder; CONFIG_UNSUPPORTED for a config provider
 */
export async function openConnectHost({ dataFolder, properties, logging }: ConnectHostOptions): Promise<ConnectHost> {
  const { values } = properties;
  const providers = readProviders(properties.all);
  makeFolder(dataFolder, 'the data folder');
  await using opened = new AsyncDisposableStack();
  const lock = lockFolder(dataFolder);
  opened.defer(() => lock[Symbol.dispose]());
  const log = openLogger(logging);
  const logSettings: LogSettings = {
    maxBytes: values['millrace.log.max.bytes'],
    retentionBytes: values['millrace.log.retention.bytes'],
    retentionMs: values['millrace.log.retention.hours'] * 3_600_000,
  };
  const store = opened.use(await openEmbeddedLog(embeddedLogOptions(dataFolder, logSettings), new AbortController().signal));
  const replicas = readReplicaFiles(dataFolder);
  if (replicas.length > 0 && store.sources().length === 0 && store.get(values['config.storage.topic']).size === 0) {
    log.warn(
      { replicas },
      'the log is empty, though the folder has fed replicas: connectors and positions are gone, a backup of it has them',
    );
  }
  const herder = createHerder({
    dataFolder,
    logging,
    logSettings,
    log,
    graceMs: values['task.shutdown.graceful.timeout.ms'],
    onState: (status) => service.taskChanged(status),
  });
  opened.defer(() => herder.stop());
  await herder.addStreams(importedSources(store));
  const workerId = workerIdOf(values);
  const service: ConnectWorker = new ConnectWorker({
    store,
    herder,
    configs: openConfigStore(store, values['config.storage.topic']),
    statuses: openStatusStore(store, { topic: values['status.storage.topic'], workerId, logger: log }),
    plugins: withOverridePolicy(pluginCatalog, values['connector.client.config.override.policy']),
    workerId,
    log,
    setLogLevel,
    info: { version: connectVersion, commit: `millrace-${readVersion()}`, kafka_cluster_id: store.id },
    topicTracking: { enabled: values['topic.tracking.enable'], allowReset: values['topic.tracking.allow.reset'] },
    restartPolicy: {
      enabled: values['millrace.task.restart.enabled'],
      firstMs: values['millrace.task.restart.backoff.ms'],
      longestMs: values['millrace.task.restart.backoff.max.ms'],
      attempts: values['millrace.task.restart.max'],
      calmMs: 600_000,
    },
    resolve: (config) => canonical(withWorkerConverters(resolveProviders(config, process.env, providers).properties, properties.all)),
    place: placeTask,
    prepare: (connector, place) => prepareStart({ connector, place, store, herder, dataFolder, log }),
  });
  opened.use(service);
  const control = await openControlServer(
    dataFolder,
    createControlHandlers(herder, () => checkedNow(service.started()), {
      others: () => withoutTask(service, herder),
      async keepRequest(connector, tables) {
        store.putSource(connector, requestRecords(connector, tables));
        await service.restart(connector, { includeTasks: true, onlyFailed: true });
      },
    }),
  );
  opened.use(control);
  const owned = opened.move();
  return { service, herder, log, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** Connectors that are stopped, or could not be started. */
function withoutTask(service: ConnectWorker, herder: Herder): readonly TaskStatus[] {
  const there = new Set(herder.tasks().map((task) => task.connector));
  return service.connectors().flatMap((connector) => {
    const type = service.connector(connector).type === 'sink' ? 'sink' : 'source';
    return there.has(connector) ? [] : [{ connector, type, state: service.state(connector), error: undefined }];
  });
}

/** A class that is named by its alias, in full. */
function canonical(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const given = config['connector.class'];
  const plugin = pluginCatalog.all().find(({ className, aliases }) => className === given || aliases.includes(given ?? ''));
  return plugin === undefined ? config : { ...config, 'connector.class': plugin.className };
}

interface Starting {
  readonly connector: ConnectorConfig;
  readonly place: TaskPlace;
  readonly store: EmbeddedLog;
  readonly herder: Herder;
  readonly dataFolder: string;
  readonly log: Logger;
}

/** What other commands need to find of a connector, and what there is to say of it; the connector as its task gets it. */
async function prepareStart({ connector: given, place, store, herder, dataFolder, log }: Starting): Promise<ConnectorConfig> {
  const isOfServer = place.type === 'source' && checkedNow([given]).sources.length > 0;
  const connector = isOfServer
    ? await withCompatOfTakeover(store, { connector: given, stream: place.stream, log }, new AbortController().signal)
    : given;
  const checked = checkedNow([connector]);
  tellNotices(checked, log);
  if (place.type === 'source') noteSources(store, checked.sources);
  else if (place.file !== undefined) {
    makeFolder(dirname(place.file), 'the folder of the replica');
    writeReplicaFiles(dataFolder, [...new Set([...herder.warehouses.flatMap(({ file }) => file ?? []), place.file])]);
  }
  return connector;
}

/** The connectors that verify, resync and tail know about: of MySQL and of warehouses. */
function checkedNow(connectors: readonly ConnectorConfig[]): CheckedConnectors {
  const usable = connectors.filter((connector) => {
    try {
      checkConnectors([connector]);
      return true;
    } catch {
      return false;
    }
  });
  return checkConnectors(usable);
}
