import { sessionSettings } from './session-settings.ts';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { sleep } from '../../src/base/abort.ts';
import { compareBinlogPositions } from '../../src/binlog/positions.ts';
import type { PrivateServer } from '../../src/cli/private-server.ts';
import { withoutSchemas, type GoldenRecord } from './golden-record.ts';
import type { Scenario } from './scenario.ts';
import { splitStatements, type Directive } from './statements.ts';
import { openWorkerUnderTest, type WorkerState, type WorkerUnderTest } from './worker-under-test.ts';

export interface ScenarioRun {
  readonly records: readonly GoldenRecord[];
  readonly final: WorkerState;
  /** Answers about offsets at the marks. */
  readonly offsets: Scenario['restOffsets'];
  /** The worker's own topics by name. */
  readonly internal: Readonly<Record<'connect-configs' | 'connect-offsets' | 'connect-status', ReadonlyMap<string, string>>>;
  /** What went otherwise than meant: a wait that did not end, a statement of setup.sql that was refused. */
  readonly problems: readonly string[];
}

export interface RunOptions {
  readonly server: PrivateServer;
  /** Properties on top of the recorded ones. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Global settings of the server that a recording was made with. */
const globalSettings: Readonly<Record<string, readonly string[]>> = {
  'mysql/metadata-full': ["binlog_row_metadata = 'FULL'"],
  'mariadb/metadata-full': ["binlog_row_metadata = 'FULL'"],
  'mariadb/metadata-minimal': ["binlog_row_metadata = 'MINIMAL'"],
  'mariadb/log-bin-compress': ['log_bin_compress = ON', 'log_bin_compress_min_len = 10'],
};

/** Whether other writers on the server would show in its records, or its settings in theirs. */
export function runsAlone({ flavor, name, connector }: Scenario): boolean {
  return (
    `${flavor}/${name}` in globalSettings ||
    connector['provide.transaction.metadata'] === 'true' ||
    connector['schema.history.internal.store.only.captured.databases.ddl'] !== 'true' ||
    name.startsWith('gtid-')
  );
}

const pollMs = 20;
const startDeadlineMs = 60_000;
const stepDeadlineMs = 45_000;
/** Nothing new for so long, with everything of the binlog read: nothing more comes. */
const settleMs = 200;
/** Likewise where signals are about, which act later. */
const signalSettleMs = 1200;
/** Nothing new for so long while records are still missing: they do not come. */
const patienceMs = 2500;
const trackingMs = 1500;

let serverIds = 0;

/** Runs the recorded SQL with the recorded configuration through a worker. The scenario's databases are made anew and dropped. */
export async function runScenario(scenario: Scenario, { server, properties = {} }: RunOptions): Promise<ScenarioRun> {
  const problems: string[] = [];
  await using admin = await openSession(scenario, server);
  await dropDatabases(scenario, admin.connection);
  await using _settings = await changeSettings(scenario, admin.connection);
  // Also after a failure: they would be in the schema history of other scenarios.
  await using _databases = { [Symbol.asyncDispose]: () => dropDatabases(scenario, admin.connection) };
  for (const step of splitStatements(scenario.setup)) {
    if (step.kind !== 'sql') continue;
    await admin.connection
      .query(step.sql)
      .catch((error: unknown) => problems.push(`setup.sql: ${String(error)}: ${step.sql.slice(0, 100)}`));
  }
  const config = connectorConfig(scenario, server, properties);
  await using worker = await openWorkerUnderTest({ name: scenario.connectorName, config });
  const run: Run = { scenario, server, worker, admin: admin.connection, problems, offsets: [] };
  await worker.start();
  await snapshotDone(run, 0);
  if (worker.state().task !== 'FAILED') await stream(run);
  await arrived(run);
  await beaten(run);
  await topicsTracked(run);
  const records = worker.records().map((record) => (scenario.schemasLeftOut ? withoutSchemas(record) : record));
  const final = worker.state();
  const internal = {
    'connect-configs': await worker.internalTopic('connect-configs'),
    'connect-offsets': await worker.internalTopic('connect-offsets'),
    'connect-status': await worker.internalTopic('connect-status'),
  };
  return { records, final, problems, offsets: run.offsets, internal };
}

interface Run {
  readonly scenario: Scenario;
  readonly server: PrivateServer;
  readonly worker: WorkerUnderTest;
  readonly admin: Connection;
  readonly problems: string[];
  readonly offsets: Scenario['restOffsets'][number][];
}

interface Session extends AsyncDisposable {
  readonly connection: Connection;
}

async function openSession({ flavor }: Scenario, { root }: PrivateServer): Promise<Session> {
  const connection = await createConnection({ uri: root.url, charset: 'utf8mb4' });
  for (const statement of sessionSettings[flavor]) await connection.query(statement);
  return { connection, [Symbol.asyncDispose]: () => connection.end() };
}

async function dropDatabases({ databases }: Scenario, admin: Connection): Promise<void> {
  for (const database of databases) await admin.query(`DROP DATABASE IF EXISTS \`${database}\``);
}

async function changeSettings({ flavor, name }: Scenario, admin: Connection): Promise<AsyncDisposable> {
  const saved: string[] = [];
  for (const setting of globalSettings[`${flavor}/${name}`] ?? []) {
    const [variable = ''] = setting.split(' ');
    const [[row]] = await admin.query<RowDataPacket[]>(`SELECT @@GLOBAL.${variable} AS value`);
    saved.push(`SET GLOBAL ${variable} = ${/^\d+$/.test(String(row?.['value'])) ? row?.['value'] : `'${row?.['value']}'`}`);
    await admin.query(`SET GLOBAL ${setting}`);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const statement of saved) await admin.query(statement);
    },
  };
}

function connectorConfig({ connector }: Scenario, server: PrivateServer, properties: RunOptions['properties']): Record<string, string> {
  return {
    ...connector,
    'database.hostname': server.host,
    'database.port': String(server.port),
    // The replicating user as in the recording: signals and heartbeats write.
    'database.user': server.root.user,
    'database.password': server.root.password,
    'database.server.id': String(300_000 + (process.pid % 20_000) * 100 + (++serverIds % 100)),
    ...properties,
  };
}

async function stream(run: Run): Promise<void> {
  const { scenario, server } = run;
  let session = await openSession(scenario, server);
  try {
    for (const step of splitStatements(scenario.stream)) {
      // A statement that fails is meant to fail.
      if (step.kind === 'sql') await session.connection.query(step.sql).catch(() => undefined);
      else if (step.verb === 'reconnect') {
        await session[Symbol.asyncDispose]();
        session = await openSession(scenario, server);
      } else await follow(run, step);
    }
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

async function follow(run: Run, { verb, rest }: Directive): Promise<void> {
  const { worker, scenario } = run;
  switch (verb) {
    case 'sleep':
      return pause(Number(rest));
    case 'quiet':
      return quiet(run, hasSignals(scenario) ? signalSettleMs : settleMs);
    case 'stop':
      await caughtUp(run);
      return worker.stop();
    case 'pause':
      await caughtUp(run);
      return worker.pause();
    case 'resume': {
      const { done } = await worker.snapshots();
      await worker.resume();
      if (rest !== 'nowait') await snapshotDone(run, scenario.connector['snapshot.mode'] === 'always' ? done : -1);
      return;
    }
    case 'restart-task':
      await caughtUp(run);
      await worker.restartTask();
      return snapshotDone(run, -1);
    case 'offsets':
      await quiet(run, settleMs);
      run.offsets.push({ after: rest === '' ? null : rest, ...(await worker.offsets()) });
      return;
    case 'signal':
      return worker.signal(rest);
    case 'waitlog':
      return quiet(run, signalSettleMs);
    default:
      throw new Error(`unknown directive @${verb}`);
  }
}

function hasSignals({ connector }: Scenario): boolean {
  return 'signal.data.collection' in connector || 'signal.enabled.channels' in connector;
}

function pause(ms: number): Promise<void> {
  return sleep(ms, new AbortController().signal);
}

/** Whether the condition became true before the deadline. */
async function until(condition: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await pause(pollMs);
  }
  return true;
}

/** The connector streams: its snapshot, the one after `after` others, is in the log. A task that fails ends the wait. */
async function snapshotDone(run: Run, after: number): Promise<void> {
  const { worker, scenario } = run;
  const mode = scenario.connector['snapshot.mode'] ?? 'initial';
  const hasSnapshot = after >= 0 && mode !== 'no_data';
  const ready = async (): Promise<boolean> => {
    const { task } = worker.state();
    if (task === 'FAILED') return true;
    if (task !== 'RUNNING' || worker.position() === undefined) return false;
    const { done, open } = await worker.snapshots();
    return !open && (!hasSnapshot || done > after);
  };
  if (!(await until(ready, startDeadlineMs))) run.problems.push(`the snapshot was not done within ${startDeadlineMs / 1000} s`);
}

function countable({ worker, scenario }: Run): number {
  const { heartbeatTopic, connector } = scenario;
  const others = [heartbeatTopic, connector['schema.history.internal.kafka.topic']];
  return worker.records().filter(({ topic }) => !others.includes(topic)).length;
}

/** Until all that is in the binlog now was read: in the recordings what was written before a stop belongs to the run before it. */
async function caughtUp(run: Run): Promise<void> {
  const end = await binlogEnd(run);
  if (!(await until(() => isPast(run, end), stepDeadlineMs))) run.problems.push('the stream did not come to the end of the binlog');
}

/** Until all that is in the binlog now was read and nothing new has come for a while. */
async function quiet(run: Run, calmMs: number): Promise<void> {
  const end = await binlogEnd(run);
  let count = -1;
  let sinceMs = performance.now();
  const isQuiet = (): boolean => {
    const now = countable(run);
    if (now !== count) {
      count = now;
      sinceMs = performance.now();
    }
    const calm = performance.now() - sinceMs;
    return calm > patienceMs || (calm > calmMs && isPast(run, end));
  };
  if (!(await until(isQuiet, stepDeadlineMs))) run.problems.push('records came without end');
}

/** Until all records of the recording are there, and then for a while none more. */
async function arrived(run: Run): Promise<void> {
  const { scenario, worker } = run;
  const wanted = scenario.records.filter(({ topic }) => topic !== scenario.heartbeatTopic).length;
  let count = -1;
  let sinceMs = performance.now();
  const isThere = (): boolean => {
    const now = countable(run);
    if (now !== count) {
      count = now;
      sinceMs = performance.now();
    }
    return now >= wanted || performance.now() - sinceMs > patienceMs || worker.state().task === 'FAILED';
  };
  await until(isThere, stepDeadlineMs);
  await quiet(run, settleMs);
}

/** Where a recording has heartbeats, one was its last record, and the offset is that one's. */
async function beaten({ worker, scenario, problems }: Run): Promise<void> {
  const { heartbeatTopic, records } = scenario;
  if (worker.state().task === 'FAILED' || !records.some(({ topic }) => topic === heartbeatTopic)) return;
  const isLast = (): boolean => worker.records().at(-1)?.topic === heartbeatTopic;
  if (!(await until(isLast, stepDeadlineMs))) problems.push('no heartbeat came after the last record');
}

/** The worker looks at times which topics its connectors write to. */
async function topicsTracked({ worker, scenario }: Run): Promise<void> {
  const topics = new Set(worker.records().map(({ topic }) => topic));
  // Debezium writes it itself, past the worker.
  topics.delete(scenario.connector['schema.history.internal.kafka.topic'] ?? '');
  const deadline = performance.now() + trackingMs;
  while (performance.now() < deadline) {
    const statuses = await worker.internalTopic('connect-status');
    if ([...topics].every((topic) => statuses.has(`status-topic-${topic}:connector-${scenario.connectorName}`))) return;
    await pause(pollMs);
  }
}

function isPast({ worker }: Run, end: BinlogEnd): boolean {
  const { task, connector } = worker.state();
  if (task === 'FAILED' || connector !== 'RUNNING') return true;
  const position = worker.position();
  if (position === undefined) return false;
  const order = compareBinlogPositions({ file: position.file, position: position.pos }, end);
  return order === undefined || order >= 0;
}

interface BinlogEnd {
  readonly file: string;
  readonly position: number;
}

async function binlogEnd({ admin, scenario }: Run): Promise<BinlogEnd> {
  const [[row]] = await admin.query<RowDataPacket[]>(scenario.flavor === 'mariadb' ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
  return { file: String(row?.['File']), position: Number(row?.['Position']) };
}
