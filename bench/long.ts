import { sleep } from '../src/base/abort.ts';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../src/cli/private-server.ts';
import type { Flavor, PrivateServer } from '../src/cli/private-server.ts';
import { openControlClient } from '../src/cli/control-client.ts';
import { measureLatency } from './latency.ts';
import { readUsage, startMillrace } from './measured-process.ts';
import { insertRows, openRoot, tableSql } from './workload.ts';

export interface LongJob {
  readonly flavor: Flavor;
  readonly folder: string;
  readonly scale: number;
  readonly writeConnectors: (
    server: PrivateServer,
    name: string,
    extra?: Record<string, string>,
  ) => { cwd: string; args: string[]; data: string };
}

/**
 * `npm run bench:long`: updates on one table of a million rows, again and again; file size, memory and the time that a burst
 * takes to arrive are printed as they develop: they must stay flat.
 */
export async function runLong({ flavor, scale, writeConnectors }: LongJob): Promise<void> {
  await using server = await startServer({ flavor, options: { 'sync-binlog': '0', 'innodb-flush-log-at-trx-commit': '0' } });
  const rows = Math.round(1_000_000 * scale);
  const updates = Math.round(50_000_000 * scale);
  const burst = Math.min(100_000, rows / 2);
  const root = await openRoot(server.root.url, 'bench');
  await root.query(tableSql('upkeep'));
  await root.query('SET GLOBAL binlog_expire_logs_seconds = 60').catch(() => undefined);
  await insertRows(root, 'upkeep', { first: 1, count: rows, seed: 5 });
  const job = writeConnectors(server, 'upkeep');
  const worker = startMillrace([...job.args, '--log-level', 'warn'], job.cwd);
  const ended = new Promise<void>((resolve) => worker.once('close', () => resolve()));
  const { signal } = new AbortController();
  const newest = async (): Promise<number> => {
    try {
      const answer = await openControlClient(job.data).call(
        'query',
        { sql: 'SELECT max(customer_id), count(*) FROM bench.upkeep', maxRows: 1 },
        { signal },
      );
      return Number(answer.rows[0]?.[1]) === rows ? Number(answer.rows[0]?.[0]) : -1;
    } catch {
      return -1;
    }
  };
  while ((await newest()) < 0) await sleep(200, signal);
  console.log(`updates      file MB   log MB   RSS MB   burst of ${burst}: s to write, s more to arrive`);
  for (let done = 0, marker = 1_000_000; done < updates; done += burst, marker++) {
    const written = performance.now();
    const first = 1 + Math.floor(Math.random() * (rows - burst));
    await root.query(
      `UPDATE upkeep SET qty = (qty + 1) % 1000, note = CONCAT('burst ', ${marker}), customer_id = ${marker} WHERE id >= ${first} AND id < ${first + burst}`,
    );
    const committed = performance.now();
    while ((await newest()) < marker) await sleep(20, signal);
    const arrived = performance.now();
    if (done % (burst * 10) === 0) {
      const size = (file: string): string => (statSync(file).size / 2 ** 20).toFixed(0).padStart(8);
      const usage = readUsage(worker.pid ?? 0);
      console.log(
        `${String(done + burst).padStart(9)}  ${size(join(job.cwd, 'replica.duckdb'))} ${size(join(job.data, 'log/log.sqlite'))} ${(usage?.rssMb ?? 0).toFixed(0).padStart(8)}   ` +
          `${((committed - written) / 1000).toFixed(2)}  ${((arrived - committed) / 1000).toFixed(2)}`,
      );
    }
  }
  worker.kill('SIGTERM');
  await ended;
  await root.query('DROP TABLE upkeep');
  await root.end();
  const rate = 1000;
  await measureLatency(server, { rate, seconds: 20, rows: Math.round(10_000_000 * scale), ...writeConnectors(server, `latency_${rate}`) });
}
