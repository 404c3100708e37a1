import { sleep } from '../src/base/abort.ts';
import { openControlClient } from '../src/cli/control-client.ts';
import type { PrivateServer } from '../src/cli/private-server.ts';
import { readUsage, startMillrace } from './measured-process.ts';
import { insertRows, openRoot, tableSql } from './workload.ts';

export interface LatencyJob {
  /** Rows that the table has before. */
  readonly rows?: number;
  /** Transactions per second. */
  readonly rate: number;
  readonly seconds: number;
  readonly cwd: string;
  readonly args: readonly string[];
  readonly data: string;
}

/** How often the replica is asked for its newest row: the resolution of the figures. */
const pollMs = 10;

/**
 * Time from the acknowledgement of a commit to a reader of the replica seeing its row. Writers insert rows with ascending
 * ids at a fixed rate; a poller asks the replica for the greatest id, and each id counts as seen at the end of the first
 * answer that has it or a later one.
 */
export async function measureLatency(server: PrivateServer, { rate, seconds, cwd, args, data, rows = 0 }: LatencyJob): Promise<void> {
  const table = `latency_${rate}`;
  const root = await openRoot(server.root.url, 'bench');
  await root.query(tableSql(table));
  // Their ids are negative, so that the newest of all is always the last that was written.
  await insertRows(root, table, { first: -rows, count: rows, seed: 11 });
  const worker = startMillrace([...args, '--log-level', 'warn'], cwd);
  let said = '';
  worker.stdout?.resume();
  worker.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const ended = new Promise<void>((resolve) => worker.once('close', () => resolve()));
  const committedAt: number[] = [];
  const seenAt: number[] = [];
  const done = new AbortController();
  const poll = async (): Promise<void> => {
    while (!done.signal.aborted) {
      try {
        const client = openControlClient(data);
        const answer = await client.call('query', { sql: `SELECT max(id) FROM bench.${table}`, maxRows: 1 }, { signal: done.signal });
        const now = performance.now();
        const newest = Number(answer.rows[0]?.[0] ?? -1);
        for (let id = seenAt.length; id <= newest; id++) seenAt[id] = now;
      } catch (error) {
        if (done.signal.aborted) return;
        if (worker.exitCode !== null) throw new Error(`the worker ended: ${said}`, { cause: error });
      }
      await sleep(pollMs, done.signal).catch(() => undefined);
    }
  };
  const polling = poll();
  await root.query(insert(table, 0));
  while (seenAt.length === 0) await sleep(50, done.signal);
  const cpuBefore = readUsage(worker.pid ?? 0)?.cpuMs ?? 0;
  const begun = performance.now();
  const total = rate * seconds;
  const writers = await Promise.all(Array.from({ length: 4 }, () => openRoot(server.root.url, 'bench')));
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let i = w + 1; i <= total; i += writers.length) {
        const due = begun + (i * 1000) / rate;
        const ahead = due - performance.now();
        if (ahead > 1) await sleep(ahead, done.signal);
        await writer.query(insert(table, i));
        committedAt[i] = performance.now();
      }
    }),
  );
  const writtenMs = performance.now() - begun;
  const deadline = performance.now() + 30_000;
  while (seenAt.length <= total && performance.now() < deadline) await sleep(10, done.signal);
  const usage = readUsage(worker.pid ?? 0);
  done.abort(new Error('measured'));
  await polling;
  worker.kill('SIGTERM');
  await ended;
  for (const connection of [root, ...writers]) await connection.end();
  const latencies = committedAt.map((at, id) => (seenAt[id] ?? Number.POSITIVE_INFINITY) - at).filter((_, id) => id > 0);
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => `${(latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(0)} ms`;
  console.log(
    `latency at ${rate} transactions/s${rows === 0 ? '' : ` on ${rows} rows`} (really ${((total * 1000) / writtenMs).toFixed(0)}/s)  p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(0.999999)}` +
      `  CPU ${(((usage?.cpuMs ?? 0) - cpuBefore) / writtenMs).toFixed(2)} cores, peak RSS ${usage?.peakRssMb.toFixed(0) ?? '?'} MB`,
  );
}

function insert(table: string, id: number): string {
  return (
    `INSERT INTO ${table} VALUES (${id}, ${id % 1000}, 'new', ${id % 997}.25, 'EUR', ${id % 100}, 'quick brown naïve ${id}',` +
    ` '{"sku": "A-${id}", "tags": ["fox"], "express": true}', 0, ${id} / 7e0, '2026-03-04 05:06:07.089', '2026-03-04 05:06:07.089')`
  );
}
