import { addAbortListener, once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { reasonOf } from '../base/abort.ts';
import { MillraceError, reviveError } from '../base/errors.ts';
import type { TableVerdict, VerifyReport, VerifyTable } from '../verify/verify.ts';
import type { Herder, WarehouseHandle } from '../worker/herder.ts';
import type { CheckedConnectors, CheckedSource } from './connectors.ts';
import type { VerifyParams } from './control-methods.ts';
import type { FromVerifyThread, VerifyThreadData } from './verify-thread.ts';

export interface VerifyReplicasOptions {
  readonly herder: Herder;
  readonly connectors: CheckedConnectors;
  readonly params: VerifyParams;
  readonly onTable: (verdict: TableVerdict) => void;
}

/**
 * Compares the tables of every source with every replica that it feeds.
 *
 * @throws VERIFY_UNDECIDED when there is nothing to compare, or a named table is not replicated
 */
export async function verifyReplicas(
  { herder, connectors, params, onTable }: VerifyReplicasOptions,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const verdicts: TableVerdict[] = [];
  const found = new Set<string>();
  let position: VerifyReport['position'];
  for (const warehouse of herder.warehouses) {
    for (const { connector } of warehouse.sinks) {
      const all = await warehouse.call('tables', { connector: connector.name }, signal);
      for (const source of connectors.sources) {
        const own = all.filter((table) => table.source === source.config.topicPrefix && isWanted(table, params.tables));
        if (own.length === 0) continue;
        for (const { id } of own) found.add(`${id.database}.${id.table}`);
        const report = await verifyOne({ warehouse, sink: connector.name, source, tables: own, params, onTable }, signal);
        verdicts.push(...report.tables);
        position = report.position;
      }
    }
  }
  const lost = params.tables.filter((table) => !found.has(table));
  if (lost.length > 0 || verdicts.length === 0) {
    const what = lost.length > 0 ? `Not in the replica: ${lost.join(', ')}` : 'The replica has no table yet';
    throw new MillraceError('VERIFY_UNDECIDED', `${what}.`, {
      nextStep: 'Wait for the snapshot (`millrace status`), or name tables as database.table.',
    });
  }
  return { position, tables: verdicts };
}

function isWanted({ id }: VerifyTable, tables: readonly string[]): boolean {
  return tables.length === 0 || tables.includes(`${id.database}.${id.table}`);
}

interface OneReplica {
  readonly warehouse: WarehouseHandle;
  readonly sink: string;
  readonly source: CheckedSource;
  readonly tables: readonly VerifyTable[];
  readonly params: VerifyParams;
  readonly onTable: (verdict: TableVerdict) => void;
}

async function verifyOne({ warehouse, sink, source, tables, params, onTable }: OneReplica, signal: AbortSignal): Promise<VerifyReport> {
  signal.throwIfAborted();
  const { port1, port2 } = new MessageChannel();
  warehouse.attach(port2);
  const { onePosition, maxDifferences } = params;
  const data: VerifyThreadData = { source: source.connector, sink, tables, onePosition, maxDifferences, port: port1 };
  const worker = new Worker(new URL('verify-thread.ts', import.meta.url), { workerData: data, transferList: [port1], name: 'verify' });
  using _abort = addAbortListener(signal, () => void worker.terminate());
  const exited = once(worker, 'exit');
  const { promise, resolve, reject } = Promise.withResolvers<VerifyReport>();
  worker.on('message', (message: FromVerifyThread) => {
    if (message.kind === 'table') onTable(message.verdict);
    else if (message.kind === 'report') resolve(message.report);
    else reject(reviveError(message.error));
  });
  worker.on('error', reject);
  worker.on('exit', () =>
    reject(signal.aborted ? reasonOf(signal) : new MillraceError('VERIFY_UNDECIDED', 'The thread that compares has ended.')),
  );
  const report = await promise;
  await exited;
  return report;
}
