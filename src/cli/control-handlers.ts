import { randomUUID } from 'node:crypto';
import { isMillraceError, MillraceError } from '../base/errors.ts';
import type { Herder, TaskStatus, WarehouseHandle } from '../worker/herder.ts';
import type { CheckedConnectors } from './connectors.ts';
import type { QueryParams } from './control-methods.ts';
import type { ControlHandlers } from './control-server.ts';
import { verifyReplicas } from './verify-replicas.ts';

export interface ControlHandlersOptions {
  /** What has no task. */
  readonly others?: () => readonly TaskStatus[];
  /** Keeps a request of tables for a source that does not run now, until it does; absent: it is refused. */
  readonly keepRequest?: (connector: string, tables: readonly string[]) => Promise<void>;
}

/** What a worker does for other commands. `connectors`: those that it has now. */
export function createControlHandlers(
  herder: Herder,
  connectors: () => CheckedConnectors,
  { others = () => [], keepRequest }: ControlHandlersOptions = {},
): ControlHandlers {
  const resync = async (connector: string, tables: readonly string[], signal: AbortSignal): Promise<void> => {
    try {
      const source = herder.source(connector);
      if (source !== undefined) await source.call('resync', { tables }, signal);
      else throw new MillraceError('WORKER_REFUSED', `The source "${connector}" does not run; it can resync only while it does.`);
    } catch (error) {
      if (keepRequest === undefined || !isMillraceError(error, 'WORKER_REFUSED')) throw error;
      await keepRequest(connector, tables);
    }
  };
  const startedMs = Date.now();
  return {
    status: () =>
      Promise.resolve({
        pid: process.pid,
        startedMs,
        tasks: [...herder.tasks(), ...others()],
        sources: herder.sourceMetrics(),
        sinks: herder.sinkMetrics(),
        files: herder.warehouses.flatMap((warehouse) => warehouse.file ?? []),
      }),
    query: ({ sql, maxRows, ...wanted }, _tell, signal) => findWarehouse(herder, wanted).call('query', { sql, maxRows }, signal),
    async rowCounts(_params, _tell, signal) {
      const counts = await Promise.all(herder.warehouses.map((warehouse) => warehouse.call('rowCounts', null, signal)));
      return counts.flat();
    },
    async resync({ tables }, _tell, signal) {
      const asked: string[] = [];
      const { sources } = connectors();
      for (const { connector, config } of sources) {
        const own = tables.filter((table) => config.captures(splitTable(table)));
        if (tables.length > 0 && own.length === 0) continue;
        await resync(connector.name, own, signal);
        asked.push(connector.name);
      }
      const lost = tables.filter((table) => !sources.some(({ config }) => config.captures(splitTable(table))));
      if (lost.length > 0 || asked.length === 0) {
        throw new MillraceError('WORKER_REFUSED', `No source of this worker captures ${lost.join(', ') || 'any table'}.`, {
          nextStep: 'Name tables as database.table, as the source has them.',
        });
      }
      return { sources: asked };
    },
    async signal({ connector, type, data, record }, _tell, signal) {
      const source = herder.source(connector);
      if (source === undefined) throw new MillraceError('WORKER_REFUSED', `There is no source "${connector}" that runs.`);
      const id = randomUUID();
      await source.call('signal', { id, type, data, record }, signal);
      return { id };
    },
    verify: (params, tell, signal) => verifyReplicas({ herder, connectors: connectors(), params, onTable: tell }, signal),
  };
}

function splitTable(name: string): { readonly database: string; readonly table: string } {
  const dot = name.indexOf('.');
  return { database: name.slice(0, dot), table: name.slice(dot + 1) };
}

function findWarehouse({ warehouses }: Herder, { file, sink }: Pick<QueryParams, 'file' | 'sink'>): WarehouseHandle {
  const ofSink = warehouses.filter((each) => sink === undefined || each.sinks.some(({ connector }) => connector.name === sink));
  const [found, other] = ofSink.filter((each) => file === undefined || each.file === file);
  if (found !== undefined && other === undefined) return found;
  const names = warehouses.map((each) => (each.file === undefined ? `--sink ${each.sinks[0]?.connector.name}` : `--file ${each.file}`));
  const told = file ?? sink;
  throw new MillraceError(
    'WORKER_REFUSED',
    told === undefined ? 'The worker has several replicas, or none.' : `The worker does not hold ${told}.`,
    { nextStep: names.length === 0 ? 'Start a sink first.' : `Name one: ${names.join(', ')}.` },
  );
}
