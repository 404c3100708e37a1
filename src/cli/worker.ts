/** Puts sources, log, warehouses and verify together, with connectors that stay the same: `run`, `demo`, `verify`. */
import type { Logger } from '../base/logger.ts';
import { lockFolder } from '../log/embedded/folder-lock.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { createHerder } from '../worker/herder.ts';
import type { Herder } from '../worker/herder.ts';
import type { LogSettings, LoggingOptions } from '../worker/thread-messages.ts';
import { sinksOf } from './connectors.ts';
import type { CheckedConnectors } from './connectors.ts';
import { createControlHandlers } from './control-handlers.ts';
import { openControlServer } from './control-server.ts';
import type { ControlHandlers } from './control-server.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { openLogger } from './logging.ts';
import { makeFolder } from './make-folder.ts';
import { placeTask } from './place-task.ts';
import { writeReplicaFiles } from './replica-files.ts';
import { importedSources, noteSources } from './source-catalog.ts';

export interface WorkerOptions {
  readonly connectors: CheckedConnectors;
  readonly dataFolder: string;
  readonly logging: LoggingOptions;
  readonly logSettings: LogSettings;
}

/** A running worker; disposed, it stops as on SIGTERM. */
export interface RunningWorker extends AsyncDisposable {
  readonly herder: Herder;
  readonly connectors: CheckedConnectors;
  /** Sources that records were imported of, and their last group in the log when the worker started. */
  readonly imports: readonly { readonly source: string; readonly seq: number }[];
  readonly log: Logger;
  /** What other commands ask it for, in this process without the way over the socket. */
  readonly handlers: ControlHandlers;
  /** Stops the sources, drains the sinks, commits. */
  stop(): Promise<void>;
}

/**
 * Starts a worker on a data folder.
 *
 * @throws DATA_LOCKED when another process works on the folder
 */
export async function startWorker({ connectors, dataFolder, logging, logSettings }: WorkerOptions): Promise<RunningWorker> {
  makeFolder(dataFolder, 'the data folder');
  const lock = lockFolder(dataFolder);
  try {
    const log = openLogger(logging);
    const imports: { readonly source: string; readonly seq: number }[] = [];
    writeReplicaFiles(
      dataFolder,
      connectors.warehouses.map((warehouse) => warehouse.file),
    );
    {
      await using shared = await openEmbeddedLog(embeddedLogOptions(dataFolder, logSettings), new AbortController().signal);
      noteSources(shared, connectors.sources);
      const own = new Set(connectors.sources.map(({ config }) => config.topicPrefix));
      for (const source of importedSources(shared)) if (!own.has(source)) imports.push({ source, seq: shared.range(source)?.last ?? 0 });
    }
    const herder = createHerder({ dataFolder, logging, logSettings, log });
    await herder.addStreams([...connectors.sources.map(({ config }) => config.topicPrefix), ...imports.map(({ source }) => source)]);
    const all = [...sinksOf(connectors), ...connectors.sources];
    for (const { connector } of all) await herder.start({ connector, place: placeTask(connector) });
    const handlers = createControlHandlers(herder, () => connectors);
    const control = await openControlServer(dataFolder, handlers);
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopping ??= (async () => {
        await control[Symbol.asyncDispose]();
        await herder.stop();
        lock[Symbol.dispose]();
      })();
      return stopping;
    };
    return { herder, connectors, imports, log, handlers, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}
