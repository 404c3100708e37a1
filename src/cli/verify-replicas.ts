import { addAbortListener, once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { reasonOf } from '../base/abort.ts';
import { MillraceError, reviveError } from '../base/errors.ts';
import { hasTransformations } from '../transform/transformation-chain.ts';
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
  const tell = (verdict: TableVerdict): void => {
    verdicts.push(verdict);
    onTable(verdict);
  };
  let position: VerifyReport['position'];
  for (const warehouse of herder.warehouses) {
    for (const { connector } of warehouse.sinks) {
      const all = await warehouse.call('tables', { connector: connector.name }, signal);
      for (const source of connectors.sources) {
        const own = all.filter((table) => table.source === source.config.topicPrefix && isWanted(table, params.tables));
        if (own.length === 0) continue;
        for (const { id } of own) found.add(`${id.database}.${id.table}`);
        const [guesses, told] = [own.filter(({ guessed }) => guessed.length > 0), own.filter(({ guessed }) => guessed.length === 0)];
        for (const table of guesses) {
          tell(undecided(table, `the types of ${table.guessed.join(', ')} are guesses: its records do not tell them`));
        }
        if (told.length === 0) continue;
        const transforms = [source.connector, connector].flatMap(({ name, config }) => (hasTransformations(config) ? [name] : []));
        const report = await verifyOne({ warehouse, sink: connector.name, source, tables: told, params, transforms, onTable }, signal);
        verdicts.push(...report.tables);
        position = report.position;
      }
      const prefixes = new Set(connectors.sources.map(({ config }) => config.topicPrefix));
      for (const table of all) {
        if (prefixes.has(table.source) || !isWanted(table, params.tables)) continue;
        found.add(`${table.id.database}.${table.id.table}`);
        tell(undecided(table, `its records are of ${table.source}, which is no source of this worker`));
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

function undecided({ id }: VerifyTable, reason: string): TableVerdict {
  const none = { rows: 0, equal: false, position: undefined, substitutions: 0, differences: [], differenceCount: 0 };
  return { table: `${id.database}.${id.table}`, ...none, undecided: reason };
}

interface OneReplica {
  readonly warehouse: WarehouseHandle;
  readonly sink: string;
  readonly source: CheckedSource;
  readonly tables: readonly VerifyTable[];
  readonly params: VerifyParams;
  readonly transforms: readonly string[];
  readonly onTable: (verdict: TableVerdict) => void;
}

async function verifyOne(
  { warehouse, sink, source, tables, params, transforms, onTable }: OneReplica,
  signal: AbortSignal,
): Promise<VerifyReport> {
  signal.throwIfAborted();
  const { port1, port2 } = new MessageChannel();
  warehouse.attach(port2);
  const { onePosition, maxDifferences } = params;
  const data: VerifyThreadData = { source: source.connector, sink, tables, transforms, onePosition, maxDifferences, port: port1 };
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
