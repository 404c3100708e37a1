import { addAbortListener, once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { reasonOf } from '../base/abort.ts';
import { isMillraceError, MillraceError, reviveError } from '../base/errors.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId } from '../event/table-schema.ts';
import { hasTransformations } from '../transform/transformation-chain.ts';
import type { TableVerdict, VerifyReport } from '../verify/verify.ts';
import type { Herder, WarehouseHandle } from '../worker/herder.ts';
import type { ReplicaTable } from '../worker/thread-messages.ts';
import { sinksOf } from './connectors.ts';
import type { CheckedConnectors, CheckedSource } from './connectors.ts';
import type { VerifyParams } from './control-methods.ts';
import { placeTask } from './place-task.ts';
import type { FromVerifyThread, VerifyThreadData } from './verify-thread.ts';

/** A verdict, and whose table it is: one table may be in the replicas of several sinks. */
export interface ReplicaVerdict extends TableVerdict {
  /** `topic.prefix`. */
  readonly source: string;
  /** Connector of the sink. */
  readonly sink: string;
}

/** Of all replicas; the position is that of the last comparison. */
export interface ReplicasReport extends VerifyReport {
  readonly tables: readonly ReplicaVerdict[];
}

export interface VerifyReplicasOptions {
  readonly herder: Herder;
  readonly connectors: CheckedConnectors;
  readonly params: VerifyParams;
  readonly onTable: (verdict: ReplicaVerdict) => void;
}

/** How often it is looked whether both tasks still run, and how long one may be on its way to that. */
const watchMs = 500;
const settleMs = 30_000;

/**
 * Compares the tables of every source with every replica that it feeds. Both sides meet at a position that the sink has yet
 * to reach: where a task does not run, the verdict is that it is not known.
 *
 * @throws VERIFY_UNDECIDED when there is nothing to compare, or a named table is not replicated
 */
export async function verifyReplicas(
  { herder, connectors, params, onTable }: VerifyReplicasOptions,
  signal: AbortSignal,
): Promise<ReplicasReport> {
  const verdicts: ReplicaVerdict[] = [];
  const found = new Set<string>();
  const answered = new Set<string>();
  let position: VerifyReport['position'];
  for (const warehouse of herder.warehouses) {
    for (const { connector } of warehouse.sinks) {
      const all = await tablesOf(warehouse, connector.name, signal);
      if (all === undefined) continue;
      answered.add(connector.name);
      const wanted = all.filter(({ id }) => params.tables.length === 0 || params.tables.includes(tableName(id)));
      for (const { id } of wanted) found.add(tableName(id));
      for (const [prefix, tables] of Map.groupBy(wanted, ({ source }) => source)) {
        const tell = (verdict: TableVerdict): void => {
          const whole = { source: prefix, sink: connector.name, ...verdict };
          verdicts.push(whole);
          onTable(whole);
        };
        const source = connectors.sources.find(({ config }) => config.topicPrefix === prefix);
        if (source === undefined) {
          for (const { id } of tables) tell(undecided(id, `its records are of ${prefix}, of which no source runs here`));
        } else {
          position = (await verifyTold({ herder, warehouse, sink: connector, source, tables, params, onTable: tell }, signal)) ?? position;
        }
      }
    }
  }
  // A sink that could not begin says nothing of its tables.
  for (const { connector } of sinksOf(connectors)) {
    if (!isRead(connector) || answered.has(connector.name) || params.tables.length > 0) continue;
    const state = herder.tasks().find((task) => task.connector === connector.name)?.state ?? 'STOPPED';
    const verdict = undecided({ database: '*', table: '*' }, `${connector.name} is ${state}: its replica is not open`);
    verdicts.push({ source: '*', sink: connector.name, ...verdict });
    onTable({ source: '*', sink: connector.name, ...verdict });
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

function isRead(connector: ConnectorConfig): boolean {
  const place = placeTask(connector);
  return place.type === 'sink' && place.kind !== undefined;
}

/** Undefined: the sink has not begun yet, or could not. */
async function tablesOf(warehouse: WarehouseHandle, connector: string, signal: AbortSignal): Promise<readonly ReplicaTable[] | undefined> {
  try {
    return await warehouse.call('tables', { connector }, signal);
  } catch (error) {
    if (isMillraceError(error, 'WORKER_REFUSED')) return undefined;
    throw error;
  }
}

/** Aborts when one of the connectors has no task that runs, or that will soon. */
function watchTasks(herder: Herder, connectors: readonly string[]): Disposable & { readonly signal: AbortSignal } {
  const abort = new AbortController();
  let settledMs = performance.now();
  const look = (): void => {
    const tasks = connectors.map((name) => herder.tasks().find((task) => task.connector === name) ?? { connector: name, state: 'STOPPED' });
    const waits = tasks.find(({ state }) => state !== 'RUNNING');
    if (waits === undefined) settledMs = performance.now();
    else if (isAtRest(waits.state) || performance.now() - settledMs > settleMs) {
      const { connector, state } = waits;
      abort.abort(new MillraceError('VERIFY_UNDECIDED', `${connector} is ${state}, and both sides meet at a position that is yet to come`));
    }
  };
  look();
  const timer = setInterval(look, watchMs);
  return { signal: abort.signal, [Symbol.dispose]: () => clearInterval(timer) };
}

function isAtRest(state: string): boolean {
  return state === 'PAUSED' || state === 'STOPPED' || state === 'FAILED';
}

function undecided(table: TableId, reason: string): TableVerdict {
  const none = { rows: 0, equal: false, position: undefined, substitutions: 0, differences: [], differenceCount: 0 };
  return { table: tableName(table), ...none, undecided: reason };
}

interface OneReplica {
  readonly herder: Herder;
  readonly warehouse: WarehouseHandle;
  readonly sink: ConnectorConfig;
  readonly source: CheckedSource;
  readonly tables: readonly ReplicaTable[];
  readonly params: VerifyParams;
  readonly onTable: (verdict: TableVerdict) => void;
}

/** Each table gets a verdict, also those that cannot be compared. Returns where the others were. */
async function verifyTold(replica: OneReplica, signal: AbortSignal): Promise<VerifyReport['position']> {
  const open = new Map(replica.tables.map(({ id }) => [tableName(id), id]));
  const onTable = (verdict: TableVerdict): void => {
    open.delete(verdict.table);
    replica.onTable(verdict);
  };
  for (const { id, guessed } of replica.tables) {
    if (guessed.length > 0) onTable(undecided(id, `the types of ${guessed.join(', ')} are guesses: its records do not tell them`));
  }
  const tables = replica.tables.filter(({ id }) => open.has(tableName(id)));
  if (tables.length === 0) return undefined;
  try {
    return (await verifyOne({ ...replica, tables, onTable }, signal)).position;
  } catch (error) {
    if (!isMillraceError(error, 'VERIFY_UNDECIDED')) throw error;
    for (const id of open.values()) onTable(undecided(id, error.message));
    return undefined;
  }
}

async function verifyOne(
  { herder, warehouse, sink, source, tables, params, onTable }: OneReplica,
  abort: AbortSignal,
): Promise<VerifyReport> {
  using watch = watchTasks(herder, [source.connector.name, sink.name]);
  const signal = AbortSignal.any([abort, watch.signal]);
  signal.throwIfAborted();
  const transforms = [source.connector, sink].flatMap(({ name, config }) => (hasTransformations(config) ? [name] : []));
  const { port1, port2 } = new MessageChannel();
  warehouse.attach(port2);
  const { onePosition, maxDifferences } = params;
  const data: VerifyThreadData = {
    source: source.connector,
    sink: sink.name,
    kind: warehouse.kind,
    tables,
    transforms,
    onePosition,
    maxDifferences,
    port: port1,
  };
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
