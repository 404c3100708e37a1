/** The only place that puts sources, log, warehouses and verify together. */
import { mkdirSync } from 'node:fs';
import { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { lockFolder } from '../log/embedded/folder-lock.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { startHerder } from '../worker/herder.ts';
import type { Herder, WarehouseHandle } from '../worker/herder.ts';
import type { LogSettings, LoggingOptions } from '../worker/thread-messages.ts';
import type { CheckedConnectors } from './connectors.ts';
import { openControlServer } from './control-server.ts';
import type { ControlHandlers } from './control-server.ts';
import { embeddedLogOptions } from './log-settings.ts';
import { openLogger } from './logging.ts';
import { writeReplicaFiles } from './replica-files.ts';
import { noteSources } from './source-catalog.ts';
import { verifyReplicas } from './verify-replicas.ts';

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
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(dataFolder);
  try {
    const log = openLogger(logging);
    writeReplicaFiles(
      dataFolder,
      connectors.warehouses.map((warehouse) => warehouse.file),
    );
    {
      await using shared = await openEmbeddedLog(embeddedLogOptions(dataFolder, logSettings), new AbortController().signal);
      noteSources(shared, connectors.sources);
    }
    const herder = startHerder({
      sources: connectors.sources.map((source) => source.connector),
      warehouses: connectors.warehouses,
      sourceThread: new URL('source-thread.ts', import.meta.url),
      warehouseThread: new URL('warehouse-thread.ts', import.meta.url),
      dataFolder,
      logging,
      logSettings,
      log,
    });
    const handlers = createHandlers(herder, connectors);
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
    return { herder, connectors, log, handlers, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

function createHandlers(herder: Herder, connectors: CheckedConnectors): ControlHandlers {
  const startedMs = Date.now();
  return {
    status: () =>
      Promise.resolve({
        pid: process.pid,
        startedMs,
        tasks: herder.tasks(),
        sources: herder.sourceMetrics(),
        sinks: herder.sinkMetrics(),
        files: herder.warehouses.map((warehouse) => warehouse.file),
      }),
    query: ({ sql, maxRows, file }, _tell, signal) => findWarehouse(herder, file).call('query', { sql, maxRows }, signal),
    async rowCounts(_params, _tell, signal) {
      const counts = await Promise.all(herder.warehouses.map((warehouse) => warehouse.call('rowCounts', null, signal)));
      return counts.flat();
    },
    async resync({ tables }, _tell, signal) {
      const asked: string[] = [];
      for (const { connector, config } of connectors.sources) {
        const own = tables.filter((table) => config.captures(splitTable(table)));
        if (tables.length > 0 && own.length === 0) continue;
        await herder.source(connector.name)?.call('resync', { tables: own }, signal);
        asked.push(connector.name);
      }
      const lost = tables.filter((table) => !connectors.sources.some(({ config }) => config.captures(splitTable(table))));
      if (lost.length > 0 || asked.length === 0) {
        throw new MillraceError('WORKER_REFUSED', `No source of this worker captures ${lost.join(', ') || 'any table'}.`, {
          nextStep: 'Name tables as database.table, as the source has them.',
        });
      }
      return { sources: asked };
    },
    verify: (params, tell, signal) => verifyReplicas({ herder, connectors, params, onTable: tell }, signal),
  };
}

function splitTable(name: string): { readonly database: string; readonly table: string } {
  const dot = name.indexOf('.');
  return { database: name.slice(0, dot), table: name.slice(dot + 1) };
}

function findWarehouse({ warehouses }: Herder, file: string | undefined): WarehouseHandle {
  const found = file === undefined && warehouses.length === 1 ? warehouses[0] : warehouses.find((each) => each.file === file);
  if (found !== undefined) return found;
  const files = warehouses.map((each) => each.file).join(', ');
  throw new MillraceError(
    'WORKER_REFUSED',
    file === undefined ? 'The worker has several replicas, or none.' : `The worker does not hold ${file}.`,
    {
      nextStep: `Name one with --file: ${files || 'there is none'}.`,
    },
  );
}
