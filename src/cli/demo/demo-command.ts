import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { MillraceError } from '../../base/errors.ts';
import { openConnection } from '../../binlog/connection.ts';
import type { ConnectorConfig } from '../../connect/connector.ts';
import { mariadbConnectorClass, mysqlConnectorClass } from '../../mysql/connector-config.ts';
import { verifyExitCode } from '../../verify/verify.ts';
import { waitUntilCaughtUp } from '../caught-up.ts';
import { checkConnectors } from '../connectors.ts';
import { defaultLogSettings } from '../log-settings.ts';
import type { Flavor } from '../private-server.ts';
import { onStopSignal } from '../stop-signal.ts';
import { formatCount, formatDuration, formatTable } from '../table-text.ts';
import { createPaint, hasColors, writeOut } from '../terminal.ts';
import { formatSummary, formatVerdict } from '../verify-command.ts';
import { startWorker } from '../worker.ts';
import type { RunningWorker } from '../worker.ts';
import { openDemoServer } from './demo-server.ts';
import type { DemoServer } from './demo-server.ts';
import { openDemoSink } from './demo-sink.ts';
import type { DemoSink, DemoTarget } from './demo-sink.ts';
import { startProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import { prepareShop, shopSize } from './shop.ts';
import { startWorkload } from './workload.ts';

export interface DemoOptions {
  readonly data: string;
  readonly seconds: number;
  readonly rows: number;
  readonly flavor?: Flavor;
  readonly to: DemoTarget;
}

const paint = createPaint(hasColors(process.stdout));
const live = process.stdout.isTTY && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined;

/** `millrace demo`, which `npm start` runs: exit code 0 only when source and replica are equal at the end. */
export async function demoCommand(options: DemoOptions): Promise<void> {
  // The first Ctrl-C ends the workload early, the rest goes on; a second one ends the process.
  const stop = new AbortController();
  void onStopSignal().then(() => stop.abort(new MillraceError('ABORTED', 'asked to stop')));
  const never = new AbortController().signal;
  say('server', 'starting …');
  await using server = await openDemoServer({
    data: options.data,
    url: process.env['MILLRACE_MYSQL_URL'],
    ...(options.flavor === undefined ? {} : { flavor: options.flavor }),
  });
  mkdirSync(server.folder, { recursive: true });
  say('server', server.name);
  await using sink = await openDemoSink({ target: options.to, folder: server.folder, database: server.database });
  if (sink.note !== undefined) say('snowflake', sink.note);
  await fillShop(server, options.rows, never);

  const connectors = writeConnectors(server, sink.connector);
  await using worker = await startWorker({
    connectors: checkConnectors(connectors),
    dataFolder: server.folder,
    logging: { level: 'info', format: 'text', color: false, file: join(server.folder, 'worker.log') },
    logSettings: defaultLogSettings,
  });
  const failed = worker.herder.failed.then((error) => Promise.reject(error));
  await Promise.race([failed, followShop({ server, sink, worker, options }, stop.signal)]);
}

interface Demo {
  readonly server: DemoServer;
  readonly sink: DemoSink;
  readonly worker: RunningWorker;
  readonly options: DemoOptions;
}

async function followShop({ server, sink, worker, options }: Demo, stop: AbortSignal): Promise<void> {
  const never = new AbortController().signal;
  {
    using progress = startProgress({
      herder: worker.herder,
      rowCounts: () => worker.handlers.rowCounts(null, () => undefined, never),
      paint,
      live,
      write: writeOut,
    });
    const begunMs = performance.now();
    progress.setPhase('Replicating what is there');
    await waitUntilCaughtUp(worker, never);
    const rows = worker.herder.sourceMetrics().reduce((sum, each) => sum + each.snapshotRows, 0);
    const copied = rows === 0 ? 'goes on where it was' : `copied ${formatCount(rows)} rows`;
    progress.say(line('replica', `${copied} in ${formatDuration(performance.now() - begunMs)}`));
    await runWorkload(server, { seconds: options.seconds, progress }, stop);
    progress.setPhase('Draining');
    await waitUntilCaughtUp(worker, never);
  }
  writeOut(`\n${paint('bold', 'Verify: every value of every row, source against replica, at one position')}\n`);
  const params = { tables: [], onePosition: false, maxDifferences: 10 };
  const report = await worker.handlers.verify(params, (verdict) => writeOut(`${formatVerdict(verdict, paint)}\n`), never);
  writeOut(`${formatSummary(report, paint)}\n`);
  process.exitCode = verifyExitCode(report);
  if (!sink.stays) await showOrders(worker, sink.orders, never);
  await worker.stop();
  sayHowToLook(server, sink);
}

/** What a reader of the replica sees, while it is there. */
async function showOrders({ handlers }: RunningWorker, sql: string, signal: AbortSignal): Promise<void> {
  const { columns, rows } = await handlers.query({ sql, maxRows: 10 }, () => undefined, signal);
  const aligned = columns.map(({ name, type }) => ({ name, right: type.startsWith('NUMBER') }));
  writeOut(`\n${paint('dim', sql)}\n${formatTable(aligned, rows, paint)}\n`);
}

async function runWorkload(
  { admin, database }: DemoServer,
  { seconds, progress }: { readonly seconds: number; readonly progress: Progress },
  stop: AbortSignal,
): Promise<void> {
  progress.setPhase(`A workload runs for ${seconds} s (Ctrl-C ends it)`);
  const workload = startWorkload({ settings: admin, database, seconds, onSchemaChange: (sql) => progress.say(line('schema', sql)) }, stop);
  const { transactions, schemaChanges } = await workload.done;
  progress.say(line('workload', `${formatCount(transactions)} transactions, ${schemaChanges} schema changes`));
}

async function fillShop(server: DemoServer, rows: number, signal: AbortSignal): Promise<void> {
  await using connection = await openConnection(server.admin, signal);
  const begunMs = performance.now();
  const filled = await prepareShop(connection, { database: server.database, size: shopSize(rows) }, signal);
  say(
    'shop',
    filled
      ? `database ${server.database} made and filled in ${formatDuration(performance.now() - begunMs)}`
      : `database ${server.database} is there from an earlier run`,
  );
}

/** The connector files, as a user would write them; they stay in the folder. */
function writeConnectors({ flavor, replicator, database, folder }: DemoServer, sink: ConnectorConfig): readonly ConnectorConfig[] {
  const source: ConnectorConfig = {
    name: 'shop-source',
    config: {
      'connector.class': flavor === 'mysql' ? mysqlConnectorClass : mariadbConnectorClass,
      'database.hostname': replicator.host,
      'database.port': String(replicator.port),
      'database.user': replicator.user,
      'database.password': replicator.password ?? '',
      'topic.prefix': 'demo',
      'database.include.list': database,
      'snapshot.max.threads': '2',
    },
  };
  const files = { 'source.json': source, 'sink.json': sink };
  for (const [name, connector] of Object.entries(files)) {
    writeFileSync(join(folder, name), `${JSON.stringify(connector, undefined, 2)}\n`, { mode: 0o600 });
  }
  return [source, sink];
}

function sayHowToLook({ folder, database, isPrivate }: DemoServer, { orders, leaves, stays }: DemoSink): void {
  const near = relative('.', folder);
  const data = near.startsWith('..') ? folder : near;
  const commands = [
    ...(stays ? [[`bin/millrace query --data ${data} "${orders}"`, 'look into the replica'] as const] : []),
    [`bin/millrace tail --data ${data} --all --json | head -3`, 'the changes, as Debezium writes them'],
    [stays ? 'npm start' : 'npm start -- --to snowflake', 'go on from here'],
    [`rm -r ${data}`, isPrivate ? 'remove all that it made' : `remove what it made here; on the server it is the database ${database}`],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  writeOut(`\nEverything is in ${data}: ${isPrivate ? "the server's data, " : ''}source.json, sink.json, the log, ${leaves}, worker.log\n`);
  for (const [command, why] of commands) writeOut(`  ${paint('cyan', command.padEnd(width))}  ${paint('dim', why)}\n`);
}

function line(what: string, text: string): string {
  return `${paint('cyan', what.padEnd(9))} ${text}`;
}

function say(what: string, text: string): void {
  writeOut(`${line(what, text)}\n`);
}
