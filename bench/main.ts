/**
 * `npm run bench`: snapshot, catch-up of large and of small transactions, and latency from commit to replica, on a private
 * server that shares this machine. Prints a table; RESULTS.md keeps runs with machine and date.
 *
 *   --flavor mysql|mariadb   --only snapshot,large,small,latency   --scale 0.1
 */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../src/cli/private-server.ts';
import type { Flavor, PrivateServer } from '../src/cli/private-server.ts';
import { measureLatency } from './latency.ts';
import { runLong } from './long.ts';
import { measureMillrace, readUsage } from './measured-process.ts';
import type { MeasuredRun } from './measured-process.ts';
import { insertRows, openRoot, tableSql, writeLargeTransactions, writeSmallTransactions } from './workload.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string', default: 'mysql' },
    only: { type: 'string', default: 'snapshot,large,small,latency' },
    scale: { type: 'string', default: '1' },
    long: { type: 'boolean', default: false },
  },
});
const flavor: Flavor = values.flavor === 'mariadb' ? 'mariadb' : 'mysql';
const scale = Number(values.scale);
const parts = new Set(values.only.split(','));
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));

/** Connector files for one table in a folder of their own; the paths, and the arguments of `run`. */
function writeConnectors(
  server: PrivateServer,
  name: string,
  extra: Record<string, string> = {},
): { cwd: string; args: string[]; data: string } {
  const cwd = join(folder, name);
  mkdirSync(cwd, { recursive: true });
  const source = {
    'connector.class': flavor === 'mysql' ? 'io.debezium.connector.mysql.MySqlConnector' : 'io.debezium.connector.mariadb.MariaDbConnector',
    'database.hostname': server.host,
    'database.port': String(server.port),
    'database.user': server.user,
    'database.password': server.password,
    'topic.prefix': name,
    'table.include.list': `bench\\.${name}`,
    ...extra,
  };
  const sink = {
    'connector.class': 'io.millrace.DuckDbSinkConnector',
    'topics.regex': `${name}\\..*`,
    'duckdb.file': join(cwd, 'replica.duckdb'),
  };
  writeFileSync(join(cwd, 'source.json'), JSON.stringify({ name: `${name}-source`, config: source }));
  writeFileSync(join(cwd, 'sink.json'), JSON.stringify({ name: `${name}-sink`, config: sink }));
  const data = join(cwd, 'data');
  return { cwd, data, args: ['run', '--data', data, join(cwd, 'source.json'), join(cwd, 'sink.json')] };
}

interface Line {
  readonly what: string;
  readonly rows: number;
  readonly run: MeasuredRun;
  /** Wall time of the same command with nothing to do: start and end of the process. */
  readonly idleMs: number;
  readonly serverCpuMs: number;
}

function print({ what, rows, run, idleMs, serverCpuMs }: Line): void {
  const seconds = (run.wallMs - idleMs) / 1000;
  const perRow = (ms: number): string => `${((ms * 1000) / rows).toFixed(1)} µs/row`;
  console.log(
    `${what.padEnd(34)} ${String(rows).padStart(9)} rows  ${(rows / seconds / 1000).toFixed(0).padStart(5)} k rows/s` +
      `  (with start and stop ${(rows / run.wallMs).toFixed(0)} k/s)  CPU ${perRow(run.cpuMs)}, server ${perRow(serverCpuMs)}, peak RSS ${run.peakRssMb.toFixed(0)} MB`,
  );
}

async function measureLine(server: PrivateServer, what: string, job: { cwd: string; args: string[]; rows: number }): Promise<void> {
  const before = readUsage(server.pid)?.cpuMs ?? 0;
  const run = await measureMillrace([...job.args, '--until-caught-up', '--log-level', 'warn'], job.cwd);
  const serverCpuMs = (readUsage(server.pid)?.cpuMs ?? 0) - before;
  const idle = await measureMillrace([...job.args, '--until-caught-up', '--log-level', 'warn'], job.cwd);
  print({ what, rows: job.rows, run, idleMs: idle.wallMs, serverCpuMs });
  await measureMillrace(['verify', '--data', job.args[2] ?? '', ...job.args.slice(3)], job.cwd);
  console.log(`${''.padEnd(34)} verified equal`);
}

async function benchSnapshot(server: PrivateServer): Promise<void> {
  const rows = Math.round(500_000 * scale);
  const root = await openRoot(server.root.url, 'bench');
  await root.query(tableSql('snapshot'));
  await insertRows(root, 'snapshot', { first: 1, count: rows, seed: 7 });
  await root.end();
  for (const threads of ['1', '2']) {
    const job = writeConnectors(server, 'snapshot', { 'snapshot.max.threads': threads });
    await measureLine(server, `snapshot, ${threads} thread(s)`, { ...job, rows });
    rmSync(job.cwd, { recursive: true });
  }
}

async function benchCatchUp(server: PrivateServer, name: 'large' | 'small'): Promise<void> {
  const root = await openRoot(server.root.url, 'bench');
  await root.query(tableSql(name));
  const job = writeConnectors(server, name, { 'snapshot.mode': 'no_data' });
  await measureMillrace([...job.args, '--until-caught-up'], job.cwd);
  const written =
    name === 'large'
      ? await writeLargeTransactions(root, name, Math.round(1000 * scale))
      : await writeSmallTransactions(root, name, Math.round(190_000 * scale));
  await root.end();
  await measureLine(server, `catch-up, ${name} transactions`, { ...job, rows: written.changes });
}

console.log(
  `${new Date().toISOString().slice(0, 10)}  ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.version}, ${flavor}`,
);
try {
  if (values.long) {
    await runLong({ flavor, folder, scale, writeConnectors });
  } else {
    await using server = await startServer({ flavor, options: { 'sync-binlog': '0', 'innodb-flush-log-at-trx-commit': '0' } });
    console.log(`server ${server.version}, sync_binlog=0`);
    if (parts.has('snapshot')) await benchSnapshot(server);
    if (parts.has('large')) await benchCatchUp(server, 'large');
    if (parts.has('small')) await benchCatchUp(server, 'small');
    if (parts.has('latency')) {
      const seconds = Math.max(5, 20 * scale);
      for (const rate of [100, 1000]) await measureLatency(server, { rate, seconds, ...writeConnectors(server, `latency_${rate}`) });
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
