/**
 * A whole pipeline for a test: connector files, data folder and DuckDB file in a temporary folder, and the worker as a
 * process of its own, so that it can be killed as the system kills it.
 *
 *   await using pipeline = await openPipeline({ server, databases: [database.name] });
 *   const worker = await pipeline.start();
 *   await pipeline.caughtUp(database.root);
 *   await pipeline.assertEqual();
 *   await worker.kill9();
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { sleep } from '../../src/base/abort.ts';
import { compareBinlogPositions } from '../../src/binlog/positions.ts';
import { openControlClient } from '../../src/cli/control-client.ts';
import type { VerifyParams, WorkerStatus } from '../../src/cli/control-methods.ts';
import type { ReplicasReport } from '../../src/cli/verify-replicas.ts';
import type { SharedServer } from '../servers/shared.ts';

const mainFile = join(import.meta.dirname, '../../src/cli/main.ts');

export interface PipelineOptions {
  readonly server: Pick<SharedServer, 'flavor' | 'host' | 'port' | 'user' | 'password'>;
  /** Databases to capture; without them all of the server's. */
  readonly databases?: readonly string[];
  /** Properties of the source connector, over the usual ones. */
  readonly source?: Readonly<Record<string, string>>;
  readonly sink?: Readonly<Record<string, string>>;
  /** Further connector files, or others in place of source.json and sink.json. */
  readonly connectors?: readonly Connector[];
}

export interface Connector {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface StartOptions {
  /** Name of a failpoint, `name:3` for its third pass; see src/base/failpoint.ts. */
  readonly failpoint?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** A command that runs the worker's command line, given behind its own words, in its own process. */
  readonly under?: readonly string[];
  /** Whether to wait until the worker answers; default true. Without it, it may still be starting, or end at once. */
  readonly wait?: boolean;
}

/** How a process ended, and what it had said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WorkerProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly hasEnded: boolean;
  /** What it has said so far. */
  readonly stderr: string;
  kill9(): Promise<Ended>;
  /** SIGTERM, and the end. */
  stop(): Promise<Ended>;
}

export interface Pipeline extends AsyncDisposable {
  readonly folder: string;
  readonly dataFolder: string;
  readonly duckdbFile: string;
  /** Names of the source's topics begin so. */
  readonly prefix: string;
  readonly failpointFile: string;
  /** The connector files, in the order they were made in. */
  readonly files: readonly string[];
  /** Starts `millrace run` on all connectors. */
  start(options?: StartOptions): Promise<WorkerProcess>;
  /** Runs a command of the command line to its end. */
  millrace(...args: readonly string[]): Promise<Ended>;
  /** Writes a connector's file anew; it counts from the next start on. */
  configure(connector: Connector): Promise<void>;
  /** The usual source and sink, with other properties of the sink. */
  configureUsual(sink: Readonly<Record<string, string>>): Promise<void>;
  /** Leaves a connector out from the next start on. */
  remove(name: string): void;
  status(): Promise<WorkerStatus>;
  /** Waits until what the server has written by now is committed in the replica; fails when the worker ends meanwhile. */
  caughtUp(root: Connection, deadlineMs?: number): Promise<void>;
  /** Rows of the replica as text, by the worker's control socket. */
  query(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  verify(params?: Partial<VerifyParams>): Promise<ReplicasReport>;
  /** Verifies, and fails naming what differs. Gives the report. */
  assertEqual(params?: Partial<VerifyParams>): Promise<ReplicasReport>;
  /** As `assertEqual`, with time for tables that a schema change left uncertain and that are read again by themselves. */
  becomesEqual(): Promise<void>;
  /** The failpoint that the last worker died at. */
  takeFailpoint(): string | undefined;
}

/** The usual source connector of a server. */
export function sourceConnector(
  { server, databases, source = {} }: PipelineOptions,
  { name = 'source', prefix }: { readonly name?: string; readonly prefix: string },
): Connector {
  const isMysql = server.flavor === 'mysql';
  return {
    name,
    config: {
      'connector.class': isMysql ? 'io.debezium.connector.mysql.MySqlConnector' : 'io.debezium.connector.mariadb.MariaDbConnector',
      'database.hostname': server.host,
      'database.port': String(server.port),
      'database.user': server.user,
      'database.password': server.password,
      'database.server.id': String(uniqueServerId()),
      'topic.prefix': prefix,
      ...(databases === undefined ? {} : { 'database.include.list': databases.join(',') }),
      ...source,
    },
  };
}

let serverIds = 0;

/** One that no other test process on the same server uses. */
function uniqueServerId(): number {
  return 100_000 + (process.pid % 20_000) * 200 + ++serverIds;
}

let pipelines = 0;

export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pipeline-'));
  const dataFolder = join(folder, 'data');
  const duckdbFile = join(folder, 'replica.duckdb');
  const failpointFile = join(folder, 'failpoint');
  const prefix = `p${++pipelines}`;
  const files = new Map<string, string>();
  const workers: WorkerProcess[] = [];
  let last: WorkerProcess | undefined;

  const configure = async (connector: Connector): Promise<void> => {
    const file = join(folder, `${connector.name}.json`);
    await writeFile(file, JSON.stringify(connector, undefined, 2));
    files.set(connector.name, file);
  };
  const configureUsual = async (sink: Readonly<Record<string, string>>): Promise<void> => {
    await configure(sourceConnector(options, { prefix }));
    const own = { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': `${prefix}\\..*`, 'duckdb.file': duckdbFile };
    await configure({ name: 'sink', config: { ...own, ...sink } });
  };
  if (options.connectors === undefined) await configureUsual(options.sink ?? {});
  else for (const connector of options.connectors) await configure(connector);

  const failIfEnded = (): void => {
    if (last?.hasEnded === true) throw new Error(`the worker has ended:\n${last.stderr.slice(-4000)}`);
  };
  const status = async (): Promise<WorkerStatus> => {
    try {
      return await openControlClient(dataFolder).call('status', null, { signal: AbortSignal.timeout(10_000) });
    } catch (error) {
      // One that is about to end gives its reason a moment later.
      await Promise.race([last?.ended, sleep(1000, new AbortController().signal)]);
      failIfEnded();
      throw error;
    }
  };

  const pipeline: Pipeline = {
    folder,
    dataFolder,
    duckdbFile,
    failpointFile,
    get files() {
      return [...files.values()];
    },
    prefix,
    configure,
    configureUsual,
    remove: (name) => void files.delete(name),
    status,
    async start({ failpoint, env = {}, args = [], under = [], wait = true } = {}) {
      rmSync(failpointFile, { force: true });
      const armed = failpoint === undefined ? {} : { MILLRACE_FAILPOINT: failpoint, MILLRACE_FAILPOINT_FILE: failpointFile };
      const words = ['run', ...files.values(), '--data', dataFolder, ...args];
      const worker = spawnMillrace(words, { env: { ...env, ...armed }, under });
      workers.push(worker);
      last = worker;
      if (wait) await answers(worker, dataFolder);
      return worker;
    },
    async millrace(command, ...args) {
      const words = command === undefined ? [] : [command, ...args];
      const needsData = command !== undefined && command !== 'doctor' && !args.includes('--data');
      return spawnMillrace([...words, ...(needsData ? ['--data', dataFolder] : [])]).ended;
    },
    async caughtUp(root, deadlineMs = 60_000) {
      const end = await binlogEnd(root);
      await until(
        `the replica is at ${end.file}:${end.position}`,
        async () => {
          failIfEnded();
          return isCaughtUp(await status(), end);
        },
        { deadlineMs, describe: async () => `${JSON.stringify(await status(), undefined, 1)}\n${last?.stderr.slice(-4000)}` },
      );
    },
    async query(sql) {
      const answer = await openControlClient(dataFolder).call(
        'query',
        { sql, maxRows: 1_000_000 },
        { signal: AbortSignal.timeout(60_000) },
      );
      return answer.rows;
    },
    async verify(params = {}) {
      const all = { tables: [], onePosition: false, maxDifferences: 20, ...params };
      return openControlClient(dataFolder).call('verify', all, { signal: AbortSignal.timeout(180_000) });
    },
    async assertEqual(params = {}) {
      const report = await pipeline.verify(params);
      const bad = report.tables.filter((table) => !table.equal);
      assert.equal(bad.length, 0, `source and replica differ (${folder}):\n${JSON.stringify(bad, undefined, 1).slice(0, 4000)}`);
      return report;
    },
    async becomesEqual() {
      const isEqual = async (): Promise<boolean> => {
        failIfEnded();
        // Before the snapshot's end there is no table to compare.
        const report = await pipeline.verify().catch(() => undefined);
        return report?.tables.every((table) => table.equal) === true;
      };
      await until('both sides are equal', isEqual, { deadlineMs: 30_000, intervalMs: 200 }).catch(() => undefined);
      await pipeline.assertEqual();
    },
    takeFailpoint() {
      return existsSync(failpointFile) ? readFileSync(failpointFile, 'utf8') : undefined;
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker.kill9();
      // For looking into a failure: everything stays, and says where.
      if (process.env['MILLRACE_KEEP'] === '1') {
        await writeFile(join(folder, 'stderr.txt'), workers.map((worker) => worker.stderr).join('\n---\n'));
        return;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
  return pipeline;
}

/** Waits until the worker has written its address and answers; an early end fails. */
async function answers(worker: WorkerProcess, dataFolder: string): Promise<void> {
  await until('the worker answers', async () => {
    if (worker.hasEnded) throw new Error(`the worker ended while it started:\n${worker.stderr.slice(-4000)}`);
    try {
      const { pid } = await openControlClient(dataFolder).call('status', null, { signal: AbortSignal.timeout(5000) });
      return pid === worker.pid;
    } catch {
      return false;
    }
  });
}

interface UntilOptions {
  readonly deadlineMs?: number;
  readonly intervalMs?: number;
  /** What to say beside the name when it did not become true. */
  readonly describe?: () => Promise<string> | string;
}

/** Waits until a condition holds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, options: UntilOptions = {}): Promise<void> {
  const { deadlineMs = 60_000, intervalMs = 20, describe } = options;
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      const more = describe === undefined ? '' : `\n${await describe()}`;
      throw new Error(`not within ${deadlineMs / 1000} s: ${what}${more}`);
    }
    await sleep(intervalMs, new AbortController().signal);
  }
}

interface BinlogEnd {
  readonly file: string;
  readonly position: number;
}

/** Where the server's binlog ends. */
async function binlogEnd(root: Connection): Promise<BinlogEnd> {
  const [[version]] = await root.query<RowDataPacket[]>('SELECT VERSION() AS text');
  const isMariadb = String(version?.['text']).includes('MariaDB');
  const [[row]] = await root.query<RowDataPacket[]>(isMariadb ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
  return { file: String(row?.['File']), position: Number(row?.['Position']) };
}

/** In two steps: the source has everything in the log, then every sink has committed the log up to there. */
function isCaughtUp({ sources, sinks, tasks }: WorkerStatus, end: BinlogEnd): boolean {
  if (sources.length === 0 || sinks.length === 0 || tasks.some((task) => task.state !== 'RUNNING')) return false;
  return sources.every(({ position, snapshotting, source, seq }) => {
    if (position === undefined || snapshotting) return false;
    const order = compareBinlogPositions({ file: position.file, position: position.pos }, end);
    if (order === undefined || order < 0) return false;
    return sinks.every((sink) => sink.sources.some((each) => each.source === source && each.seq >= seq));
  });
}

/** A process of the command line; its pid is that of Node itself. */
function spawnMillrace(args: readonly string[], { env = {}, under = [] }: Pick<StartOptions, 'env' | 'under'> = {}): WorkerProcess {
  const [program = process.execPath, ...words] = [...under, process.execPath, mainFile, ...args];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the process did not start');
  const watcher = endWithUs(pid);
  let stdout = '';
  let stderr = '';
  let hasEnded = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    hasEnded = true;
    watcher.kill('SIGKILL');
    return { code, signal, stdout, stderr };
  });
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    if (!hasEnded) child.kill(signal);
    return ended;
  };
  return {
    pid,
    ended,
    get hasEnded() {
      return hasEnded;
    },
    get stderr() {
      return stderr;
    },
    kill9: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

/** A test process that is itself killed must not leave a worker behind: a shell waits for the end of a pipe that only we hold. */
function endWithUs(pid: number): ChildProcess {
  const watcher = spawn('/bin/sh', ['-c', 'read -r _; kill -KILL "$1" 2>/dev/null', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  // The pipe is a socket, whatever its type says; it must not keep this process alive.
  if (watcher.stdin instanceof Socket) watcher.stdin.unref();
  return watcher;
}
