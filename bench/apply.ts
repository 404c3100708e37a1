/**
 * How fast the DuckDB sink applies commit groups that are ready: one million changes of the workload in large
 * transactions, at several flush sizes, on a fresh file each; and small merges into a large table.
 *
 *   node bench/apply.ts [changes]     default 1000000
 *
 * `BENCH_FLUSH_BYTES` bounds a flush by bytes too (the sink's default is 32 MB), `BENCH_MEMORY` is DuckDB's memory_limit.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../src/base/logger.ts';
import type { CommitGroup } from '../src/connect/commit-group.ts';
import { writeImage } from '../src/event/cell.ts';
import { ChangeBatchBuilder, op } from '../src/event/change-batch.ts';
import { createTableSchema, type Column, type TableSchema } from '../src/event/table-schema.ts';
import type { Value } from '../src/event/value.ts';
import { decodeGroup, encodeGroup } from '../src/log/group-codec.ts';
import { defaultReplicaOptions, openDuckDbReplica } from '../src/warehouse/duckdb/replica.ts';
import { createNaming, defaultNameFormat } from '../src/warehouse/replica-names.ts';
import { createSinkTask } from '../src/warehouse/sink-task.ts';
import { createRandom } from './workload.ts';

const statuses = ['new', 'paid', 'packed', 'sent', 'done', 'returned'] as const;
const words = ['quick', 'brown', 'fox', 'jumps', 'over', 'lazy', 'dog', 'Übergröße', 'naïve', 'smörgåsbord', '東京', 'gift wrap'];

function column(name: string, type: Column['type'], nullable = false): Column {
  return { name, type, nullable, nativeType: type.kind.toUpperCase() };
}

const schema: TableSchema = createTableSchema({
  database: 'bench',
  table: 'orders',
  primaryKey: [0],
  columns: [
    column('id', { kind: 'int', bits: 64, unsigned: false }),
    column('customer_id', { kind: 'int', bits: 32, unsigned: false }),
    column('status', { kind: 'enum', labels: statuses }),
    column('amount', { kind: 'decimal', precision: 12, scale: 2, unsigned: false }),
    column('currency', { kind: 'text' }),
    column('qty', { kind: 'int', bits: 16, unsigned: true }),
    column('note', { kind: 'text' }, true),
    column('payload', { kind: 'json' }, true),
    column('is_gift', { kind: 'int', bits: 8, unsigned: false }),
    column('weight', { kind: 'double', unsigned: false }, true),
    column('created_at', { kind: 'datetime', fsp: 3 }),
    column('updated_at', { kind: 'timestamp', fsp: 3 }),
  ],
});

const random = createRandom(1);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = (list: readonly string[]): string => list[below(list.length)] ?? '';

function row(id: number): Value[] {
  const note = random() < 0.2 ? null : Array.from({ length: 3 + below(8) }, () => pick(words)).join(' ');
  const payload =
    random() < 0.1
      ? null
      : `{"sku": "A-${below(1e6)}", "tags": ["${pick(words)}", "${pick(words)}"], "dims": {"w": ${below(100)}, "h": ${below(100)}, "d": ${random().toFixed(4)}}, "express": true, "note": "${pick(words)} ${pick(words)}", "ref": ${below(1e9)}}`;
  const time = `${10 + below(10)}:${10 + below(50)}:${10 + below(50)}.${100 + below(900)}`;
  const amount = (random() * 10_000).toFixed(2);
  const weight = random() < 0.1 ? null : random() * 100;
  return [
    BigInt(id),
    below(100_000),
    pick(statuses),
    amount,
    'EUR',
    below(1000),
    note,
    payload,
    below(2),
    weight,
    `2026-0${1 + below(9)}-1${below(10)} ${time}`,
    `2026-0${1 + below(9)}-2${below(9)} ${time}`,
  ];
}

interface Change {
  readonly code: 1 | 2 | 3;
  readonly before: readonly Value[] | undefined;
  readonly after: readonly Value[] | undefined;
}

/** Writes groups of one transaction each to a file: a length of 4 bytes and the group. */
class GroupFile {
  readonly #file: number;
  #seq = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  write(changes: readonly Change[]): void {
    const builder = new ChangeBatchBuilder(schema);
    for (const [event, { code, before, after }] of changes.entries()) {
      builder.begin(code, event);
      if (before !== undefined) writeImage(schema, before, builder.writer);
      builder.middle();
      if (after !== undefined) writeImage(schema, after, builder.writer);
      builder.end();
    }
    const seq = ++this.#seq;
    const group: CommitGroup = {
      source: 'bench',
      seq,
      position: { file: 'binlog.000001', pos: seq * 1_000_000, gtids: '' },
      open: false,
      file: 'binlog.000001',
      transactions: {
        count: 1,
        gtidSources: [''],
        gtidSource: new Uint16Array(1),
        gtidSequence: new Float64Array(1),
        committedMicros: new Float64Array(1),
        threadId: new Uint32Array(1),
        serverId: new Uint32Array(1),
      },
      events: {
        count: changes.length,
        transaction: new Uint32Array(changes.length),
        pos: Float64Array.from(changes, (_, index) => (seq - 1) * 1_000_000 + index),
        seconds: new Uint32Array(changes.length),
      },
      entries: [{ kind: 'changes', batch: builder.view() }],
    };
    const { bytes } = encodeGroup(group);
    const length = new Uint32Array([bytes.length]);
    writeSync(this.#file, new Uint8Array(length.buffer));
    writeSync(this.#file, bytes);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Half inserts, 35 % updates, 15 % deletes, a thousand changes a transaction; a live row is kept as its values. */
function generate(path: string, changes: number): void {
  const file = new GroupFile(path);
  const live: Value[][] = [];
  let next = 1;
  for (let done = 0; done < changes; done += 1000) {
    const group: Change[] = [];
    for (let i = 0; i < 1000; i++) {
      const dice = done === 0 ? 0 : random();
      if (dice < 0.5 || live.length < 10) {
        const after = row(next++);
        live.push(after);
        group.push({ code: op.insert, before: undefined, after });
        continue;
      }
      const at = below(live.length);
      const before = live[at] ?? [];
      if (dice < 0.85) {
        const after = row(0);
        after[0] = before[0];
        live[at] = after;
        group.push({ code: op.update, before, after });
      } else {
        const last = live.pop();
        if (last !== undefined && at < live.length) live[at] = last;
        group.push({ code: op.delete, before, after: undefined });
      }
    }
    file.write(group);
  }
  file.close();
}

function* readGroups(path: string): Iterable<CommitGroup> {
  const file = openSync(path, 'r');
  const size = statSync(path).size;
  const head = new Uint8Array(4);
  for (let at = 0; at < size;) {
    readSync(file, head, 0, 4, at);
    const length = new DataView(head.buffer).getUint32(0, true);
    const bytes = new Uint8Array(length);
    readSync(file, bytes, 0, length, at + 4);
    at += 4 + length;
    yield { ...decodeGroup(bytes, () => schema), seq: ++seq };
  }
  closeSync(file);
}

let seq = 0;

interface Measurement {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
  readonly fileMb: number;
  readonly rows: number;
}

function parseMeasurement(text: string): Measurement {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError(text);
  const number = (name: keyof Measurement): number => Number(Reflect.get(value, name));
  return {
    seconds: number('seconds'),
    cpuSeconds: number('cpuSeconds'),
    peakRssMb: number('peakRssMb'),
    fileMb: number('fileMb'),
    rows: number('rows'),
  };
}

async function apply(path: string, flushRows: number): Promise<Measurement> {
  const signal = new AbortController().signal;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const file = join(folder, 'replica.duckdb');
  try {
    const replica = await openDuckDbReplica(
      { ...defaultReplicaOptions, memoryLimit: process.env['BENCH_MEMORY'] ?? defaultReplicaOptions.memoryLimit, file },
      silentLogger,
      signal,
    );
    const naming = createNaming({ format: defaultNameFormat, map: '' });
    const store = replica.openSink({ connector: 'bench', naming, invalidTemporal: 'null', log: silentLogger });
    const log = process.env['BENCH_VERBOSE'] === undefined ? silentLogger : { ...silentLogger, debug: console.log, child: () => log };
    const task = createSinkTask({
      connector: 'bench',
      store,
      takes: () => true,
      flushRows,
      flushBytes: Number(process.env['BENCH_FLUSH_BYTES'] ?? 1e9),
      log,
      onResync: () => undefined,
    });
    await task.open('log', signal);
    let changes = 0;
    const cpu = process.cpuUsage();
    const begunMs = performance.now();
    for (const group of readGroups(path)) {
      changes += group.events.count;
      await task.put(group, signal);
    }
    await task.flush(signal);
    const seconds = (performance.now() - begunMs) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const { rows } = await replica.query('SELECT count(*), sum(amount) FROM bench.orders', { maxRows: 1 }, signal);
    if (process.env['BENCH_VERBOSE'] !== undefined) console.log(changes, rows);
    await task[Symbol.asyncDispose]();
    await replica[Symbol.asyncDispose]();
    return {
      seconds,
      cpuSeconds: (user + system) / 1e6,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
      fileMb: statSync(file).size / 1e6,
      rows: Number(rows[0]?.[0]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Merges of 10,000 random keys into a table of `tableRows` rows, made in SQL. */
async function smallMerges(tableRows: number): Promise<readonly number[]> {
  const signal = new AbortController().signal;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const file = join(folder, 'replica.duckdb');
  const path = join(folder, 'groups');
  try {
    const groups = new GroupFile(path);
    groups.write(Array.from({ length: 1000 }, (_, i) => ({ code: op.insert, before: undefined, after: row(tableRows + 1 + i) })));
    for (let round = 0; round < 10; round++) {
      const keys = new Set<number>();
      while (keys.size < 10_000) keys.add(1 + below(tableRows));
      groups.write(Array.from(keys, (id) => ({ code: op.update, before: row(id), after: row(id) })));
    }
    groups.close();
    const replica = await openDuckDbReplica({ ...defaultReplicaOptions, file }, silentLogger, signal);
    const naming = createNaming({ format: defaultNameFormat, map: '' });
    const store = replica.openSink({ connector: 'bench', naming, invalidTemporal: 'null', log: silentLogger });
    const task = createSinkTask({
      connector: 'bench',
      store,
      takes: () => true,
      flushRows: 1e6,
      flushBytes: 1e9,
      log: silentLogger,
      onResync: () => undefined,
    });
    await task.open('log', signal);
    const times: number[] = [];
    for (const group of readGroups(path)) {
      if (times.length === 1) {
        await replica.exclusive(async () => {
          using session = await replica.openSession();
          await session.run(
            `INSERT INTO bench.orders SELECT r, r % 1000, 'new', 5, 'EUR', 1, 'a note of some length ' || r, '{"a": ' || r || '}', 0, r / 7, TIMESTAMP '2026-01-01', TIMESTAMPTZ '2026-01-01' FROM range(1, ${tableRows + 1}) AS t(r)`,
          );
          await session.run('CHECKPOINT');
        });
      }
      const begunMs = performance.now();
      await task.put(group, signal);
      await task.flush(signal);
      times.push(performance.now() - begunMs);
    }
    await task[Symbol.asyncDispose]();
    await replica[Symbol.asyncDispose]();
    return times.slice(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [mode, path = '', flushRows = ''] = process.argv.slice(2);
if (mode === '--generate') {
  generate(path, Number(flushRows));
} else if (mode === '--run') {
  console.log(JSON.stringify(await apply(path, Number(flushRows))));
} else if (mode === '--merge') {
  const times = (await smallMerges(Number(path))).toSorted((a, b) => a - b);
  console.log(
    `10,000 random keys into ${path} rows: median ${Math.round(times[times.length >> 1] ?? 0)} ms, greatest ${Math.round(times.at(-1) ?? 0)} ms`,
  );
} else {
  const changes = Number(mode ?? 1_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const groups = join(folder, 'groups');
    generate(groups, changes);
    console.log(`${changes} changes, ${Math.round(statSync(groups).size / 1e6)} MB of groups`);
    for (const size of [5_000, 20_000, 100_000, 500_000]) {
      const out = execFileSync(process.execPath, [import.meta.filename, '--run', groups, String(size)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const m = parseMeasurement(out.trim().split('\n').at(-1) ?? '');
      console.log(
        `flush at ${size}: ${Math.round(changes / m.seconds / 1000)} k rows/s, ${((m.cpuSeconds * 1e6) / changes).toFixed(2)} µs CPU/row, ` +
          `RSS ${Math.round(m.peakRssMb)} MB, file ${Math.round(m.fileMb)} MB, ${m.rows} rows`,
      );
    }
    execFileSync(process.execPath, [import.meta.filename, '--merge', '10000000'], { stdio: 'inherit' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
