/**
 * Private MySQL and MariaDB servers on this machine, for the demo, the tests and the benchmarks. `npm run setup`
 * brings the programs; this file starts them:
 *
 *   await using server = await startServer({ flavor: 'mysql' });
 *   server.root.url   mysql://root:…@127.0.0.1:…   may do everything: create the tables, write the load
 *   server.url        mysql://millrace:…@…         has what a replicating user needs and no more
 *   await server.kill9(); await server.restart();  same port, same data
 *
 * Each server has a folder of its own. It ends with its process at the latest, however that ends: a small shell
 * waits for the end of a pipe that only this process holds, then stops the server and removes a temporary folder.
 * Signal handlers would not do: they change what Ctrl-C does here, and kill -9 passes them by.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants as fsConstants, existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sleep } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';

export const flavors = ['mysql', 'mariadb'] as const;
export type Flavor = (typeof flavors)[number];

export interface PrivateServerOptions {
  readonly flavor: Flavor;
  /** The server's folder; kept, and used again when it holds data. Without it a temporary one, removed at the end. */
  readonly dataDir?: string;
  /** Server options by name without dashes, `{ 'binlog-row-metadata': 'FULL' }`; they win over the ones given here. */
  readonly options?: Readonly<Record<string, string>>;
  /** Without it a free port. */
  readonly port?: number;
}

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly url: string;
}

/** A running server; `user`, `password` and `url` are the replicating user's. */
export interface PrivateServer extends Login, AsyncDisposable {
  readonly flavor: Flavor;
  readonly host: string;
  readonly port: number;
  readonly root: Login;
  /** As the server greets: `9.7.4`, `11.8.9-MariaDB-log`. */
  readonly version: string;
  /** Of the running process; another after `restart`. */
  readonly pid: number;
  readonly dataDir: string;
  /** An orderly end; the folder stays. */
  stop(): Promise<void>;
  /** A crash of the server process. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and data, after `stop` and `kill9` or by stopping it; new options are added to the old. */
  restart(options?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it, in order unless its folder is a temporary one, which is removed. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the replicating user is granted: Debezium's list, PROCESS to see long statements, XA RECOVER's on MySQL. */
export const replicationGrants: Readonly<Record<Flavor, string>> = {
  mysql: 'SELECT, RELOAD, PROCESS, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, XA_RECOVER_ADMIN',
  mariadb: 'SELECT, RELOAD, PROCESS, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT',
};

const serversFolder = resolve(import.meta.dirname, '../../.millrace/servers');
const host = '127.0.0.1';
const password = 'millrace';
const startDeadlineMs = 60_000;
const stopDeadlineMs = 60_000;

/** Whether `npm run setup` has brought the server. */
export function hasServer(flavor: Flavor): boolean {
  return existsSync(join(serversFolder, flavor, 'server.json'));
}

/**
 * Starts a server and waits until it answers. The first start of a folder makes the two users.
 *
 * @throws MYSQL_UNREACHABLE when the server is not there or does not come up; the message holds the end of its log
 */
export async function startServer({ flavor, dataDir, options = {}, port }: PrivateServerOptions): Promise<PrivateServer> {
  const command = await readCommand(flavor);
  const temporary = dataDir === undefined;
  const folder = temporary ? await mkdtemp(join(tmpdir(), `millrace-${flavor}-`)) : resolve(dataDir);
  const accounts = join(folder, 'accounts.sql');
  // The statements lie there until a start has answered: one that was cut short may have made no users, or one of two.
  const isNew = !existsSync(join(folder, 'data')) || existsSync(accounts);
  if (isNew) await prepareFolder(flavor, folder);
  // Of its own: a MariaDB that starts clears what it takes for remains of itself in a shared one.
  await mkdir(join(folder, 'tmp'), { recursive: true });

  let added = options;
  const launch = async (at: number, first: boolean): Promise<Launched> => {
    const init = first ? { 'init-file': accounts } : {};
    const args = { ...defaults(flavor), ...init, datadir: join(folder, 'data'), tmpdir: join(folder, 'tmp'), port: String(at), ...added };
    return launchServer({ command, args, folder, temporary, port: at });
  };

  let running: Launched | undefined;
  let listening = port ?? (await freePort());
  for (let attempt = 1; running === undefined; attempt++) {
    try {
      running = await launch(listening, isNew);
    } catch (error) {
      // Another process may take the port between the look and the start.
      const portTaken = error instanceof Error && /port: \d+ \?|Address already in use/.test(error.message);
      if (port !== undefined || !portTaken || attempt === 5) {
        if (temporary) await rm(folder, { recursive: true, force: true });
        throw error;
      }
      listening = await freePort();
    }
  }

  await rm(accounts, { force: true });
  let current = running;
  const login = (user: string): Login => ({ user, password, url: `mysql://${user}:${password}@${host}:${listening}` });
  const server: PrivateServer = {
    ...login('millrace'),
    root: login('root'),
    flavor,
    host,
    port: listening,
    dataDir: folder,
    get version() {
      return current.version;
    },
    get pid() {
      return current.pid;
    },
    stop: () => current.end('SIGTERM'),
    kill9: () => current.end('SIGKILL'),
    async restart(more = {}) {
      await current.end('SIGTERM');
      added = { ...added, ...more };
      current = await launch(listening, false);
    },
    async [Symbol.asyncDispose]() {
      // Nobody reads a temporary folder again, and an orderly end takes MySQL over a second.
      await current.end(temporary ? 'SIGKILL' : 'SIGTERM');
      if (temporary) await rm(folder, { recursive: true, force: true });
    },
  };
  return server;
}

/** Small and quick, yet with the guarantees that count here: what was committed survives a killed server process. */
function defaults(flavor: Flavor): Record<string, string> {
  const own: Record<Flavor, Record<string, string>> = {
    mysql: {
      'gtid-mode': 'ON',
      'enforce-gtid-consistency': 'ON',
      mysqlx: 'OFF',
      'innodb-redo-log-capacity': '64M',
      'secure-file-priv': '',
    },
    mariadb: { 'innodb-log-file-size': '64M' },
  };
  return {
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
    'bind-address': host,
    'skip-name-resolve': 'ON',
    // Relative to the data folder, which the server makes its own: a socket's path may have 107 bytes only.
    socket: 'server.sock',
    'pid-file': 'server.pid',
    'server-id': '1',
    'log-bin': 'binlog',
    'binlog-format': 'ROW',
    'default-time-zone': '+00:00',
    'innodb-buffer-pool-size': '128M',
    'innodb-flush-log-at-trx-commit': '2',
    'sync-binlog': '0',
    ...own[flavor],
  };
}

async function readCommand(flavor: Flavor): Promise<readonly string[]> {
  const here = join(serversFolder, flavor);
  let text: string;
  try {
    text = await readFile(join(here, 'server.json'), 'utf8');
  } catch (cause) {
    throw new MillraceError('MYSQL_UNREACHABLE', `There is no private ${flavor} server in this checkout.`, {
      cause,
      nextStep: 'Run `npm run setup`, which brings it.',
    });
  }
  const manifest: unknown = JSON.parse(text);
  const command = typeof manifest === 'object' && manifest !== null && 'command' in manifest ? manifest.command : undefined;
  if (!Array.isArray(command)) throw new MillraceError('INTERNAL', `${here}/server.json names no command`);
  return command.map((word) => String(word).replaceAll('${here}', here));
}

/** Writes the statements that the first start runs, and copies the data folder that setup made; it has its name when it is whole. */
async function prepareFolder(flavor: Flavor, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const accounts = [
    'SET SESSION sql_log_bin = 0;',
    `CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;",
    `CREATE USER IF NOT EXISTS 'millrace'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ${replicationGrants[flavor]} ON *.* TO 'millrace'@'%';`,
  ];
  await writeFile(join(folder, 'accounts.sql'), `${accounts.join('\n')}\n`);
  if (existsSync(join(folder, 'data'))) return;
  const template = join(serversFolder, flavor, 'data');
  const copy = join(folder, 'data.copying');
  await rm(copy, { recursive: true, force: true });
  await cp(template, copy, { recursive: true, mode: fsConstants.COPYFILE_FICLONE });
  await rename(copy, join(folder, 'data'));
}

interface LaunchOptions {
  readonly command: readonly string[];
  readonly args: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Whether the folder is to be removed when this process dies without ending the server. */
  readonly temporary: boolean;
  readonly port: number;
}

interface Launched {
  readonly pid: number;
  readonly version: string;
  /** Ends the process and waits for it; nothing when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

async function launchServer({ command, args, folder, temporary, port }: LaunchOptions): Promise<Launched> {
  const [program = '', ...words] = command;
  const options = Object.entries(args).map(([name, value]) => `--${name}=${value}`);
  const logFile = join(folder, 'server.log');
  const log = await open(logFile, 'w');
  // A process group of its own: Ctrl-C in the terminal is for us, and we end the server when we are done with it.
  const child = spawn(program, [...words, ...options], { stdio: ['ignore', log.fd, log.fd], detached: true });
  child.unref();
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  await log.close();
  const watcher = child.pid === undefined ? undefined : watch(child.pid, temporary ? folder : '');
  void exited.then(() => watcher?.kill('SIGKILL'));

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (!isRunning(child)) return;
    child.ref();
    child.kill(signal);
    const forced = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    await exited;
    clearTimeout(forced);
  };
  const deadline = Date.now() + startDeadlineMs;
  while (isRunning(child) && child.pid !== undefined) {
    const version = await greeting(port);
    if (version !== undefined && isRunning(child)) return { pid: child.pid, version, end };
    if (Date.now() > deadline) break;
    await sleep(20, new AbortController().signal);
  }
  const why = isRunning(child) ? `it did not answer within ${startDeadlineMs / 1000} s` : 'its process ended';
  await end('SIGKILL');
  const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-15).join('\n');
  throw new MillraceError('MYSQL_UNREACHABLE', `The private server did not start: ${why}. The end of its log:\n${tail}`, {
    nextStep: 'Correct what the log says. `npm run setup` brings the server anew when its folder .millrace/servers is removed.',
  });
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Ends the server when this process is gone; see the top of the file. */
function watch(pid: number, folder: string): ChildProcess {
  const script = `
    read -r _
    kill -TERM "$1" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      kill -0 "$1" 2>/dev/null || break
      sleep 0.5
    done
    kill -KILL "$1" 2>/dev/null
    [ -z "$2" ] || rm -rf -- "$2"`;
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(pid), folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.unref();
  // The pipe is a socket, whatever its type says; it must not keep this process alive.
  if (watcher.stdin instanceof Socket) watcher.stdin.unref();
  return watcher;
}

/**
 * The version in the server's greeting, undefined while nobody greets.
 *
 *   3+1  packet length and number
 *   1    protocol version, 10
 *   …    server version, NUL
 *
 * Source: MySQL internals, Protocol::HandshakeV10. MariaDB from 11 on no longer puts 5.5.5- before its version.
 */
async function greeting(port: number): Promise<string | undefined> {
  const socket = connect({ host, port });
  try {
    const events = await once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
    const chunk: unknown = events[0];
    if (!Buffer.isBuffer(chunk) || chunk[4] !== 10) return undefined;
    return chunk.toString('latin1', 5, chunk.indexOf(0, 5)).replace(/^5\.5\.5-/, '');
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** A free port below the range from which the system takes those of outgoing connections, so that a restart finds it free again. */
async function freePort(): Promise<number> {
  for (;;) {
    const candidate = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const free = new Promise<boolean>((done) => {
      probe.once('error', () => done(false));
      probe.listen(candidate, host, () => probe.close(() => done(true)));
    });
    if (await free) return candidate;
  }
}
