/*
 * How fast records of a real Debezium's form become rows: decoded alone, and on into DuckDB, beside the same changes as batches.
 *
 *   node bench/records.ts [groups of 1,000 changes]     default 100
 *
 * The table, its rows and the mix of changes are those of bench/json-edge.ts: half inserts, a third updates, the rest deletes with
 * tombstones. Rendering the records is not counted. Large transactions span ten groups, and are put into a sink with a small flush.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../src/base/logger.ts';
import { debeziumOptions } from '../src/codec/debezium-options.ts';
import { createDebeziumRenderer } from '../src/codec/debezium-renderer.ts';
import { copyRecord } from '../src/codec/connect-record.ts';
import { openDecoder } from '../src/codec/decode/decode.fixture.ts';
import type { CommitGroup } from '../src/connect/commit-group.ts';
import type { SerializedRecord } from '../src/connect/record.ts';
import { writeImage } from '../src/event/cell.ts';
import { ChangeBatchBuilder, copyBatch, op } from '../src/event/change-batch.ts';
import { createDuckDbSinkConnector } from '../src/warehouse/duckdb/connector.ts';
import { defaultReplicaOptions, openDuckDbReplica } from '../src/warehouse/duckdb/replica.ts';
import { rowOf, schema } from './sample-orders.ts';

const groups = Number(process.argv[2] ?? 100);
const changesPerGroup = 1000;
const rowsPerTransaction = 20;
const groupsPerLarge = 10;
const smallFlush = { 'flush.max.rows': '300', 'flush.max.bytes': '200000' };
const { signal } = new AbortController();

/** Inserts of new ids, updates and deletes of ids that the group before has inserted; `large`: its transaction spans groups. */
function nativeGroup(number: number, large: boolean): CommitGroup {
  const builder = new ChangeBatchBuilder(schema);
  const base = number * changesPerGroup;
  for (let i = 0; i < changesPerGroup; i++) {
    const code = number === 0 || i % 20 < 10 ? op.insert : i % 20 < 17 ? op.update : op.delete;
    const id = code === op.insert ? base + i : base - changesPerGroup + Math.floor(i / 20) * 20 + (i % 10);
    builder.begin(code, i);
    if (code !== op.insert) writeImage(schema, rowOf(id, 100), builder.writer);
    builder.middle();
    if (code !== op.delete) writeImage(schema, rowOf(id, 101), builder.writer);
    builder.end();
  }
  const count = large ? 1 : changesPerGroup / rowsPerTransaction;
  const ends = large ? Math.floor((number + 1) / groupsPerLarge) * groupsPerLarge : number + 1;
  return {
    source: 'bench',
    seq: number + 1,
    position: { file: 'binlog.000042', pos: ends * 1_000_000, gtids: '' },
    open: ends !== number + 1,
    file: 'binlog.000042',
    madeMicros: 1_795_000_000_123_456,
    transactions: {
      count,
      gtidSources: ['a207a0dc-e6bb-11f1-a945-02fc00000001'],
      gtidSource: new Uint16Array(count),
      gtidSequence: Float64Array.from({ length: count }, (_, n) => number * count + n),
      committedMicros: new Float64Array(count).fill(1_795_000_000_000_000),
      threadId: new Uint32Array(count),
      serverId: new Uint32Array(count).fill(1),
    },
    events: {
      count: changesPerGroup,
      transaction: Uint32Array.from({ length: changesPerGroup }, (_, i) => (large ? 0 : Math.floor(i / rowsPerTransaction))),
      pos: Float64Array.from({ length: changesPerGroup }, (_, i) => number * 1_000_000 + i * 900),
      seconds: new Uint32Array(changesPerGroup),
    },
    entries: [{ kind: 'changes', batch: copyBatch(builder.view()) }],
  };
}

function recordGroup(native: CommitGroup, schemas: boolean): CommitGroup {
  const options = debeziumOptions({ connector: 'mysql', topicPrefix: 'bench', keySchemas: schemas, valueSchemas: schemas });
  const renderer = createDebeziumRenderer(options);
  const records: SerializedRecord[] = [];
  for (const entry of native.entries) {
    renderer.render(native, entry, (rendered) => {
      const record = { ...copyRecord(rendered), headers: [] };
      records.push(rendered.transaction === undefined ? record : { ...record, transaction: rendered.transaction });
    });
  }
  return { ...native, entries: [{ kind: 'records', topic: 'bench.shop.orders', records }] };
}

function countRecords(all: readonly CommitGroup[]): number {
  let count = 0;
  for (const { entries } of all) for (const entry of entries) count += entry.kind === 'records' ? entry.records.length : changesPerGroup;
  return count;
}

function print(what: string, records: number, { wallMs, cpuMs }: { readonly wallMs: number; readonly cpuMs: number }): void {
  const rate = Math.round(records / (wallMs / 1000)).toLocaleString('en');
  console.log(`${what.padEnd(40)} ${rate.padStart(9)} records/s  CPU ${((cpuMs * 1000) / records).toFixed(1)} µs/record`);
}

async function measured(work: () => Promise<void> | void): Promise<{ readonly wallMs: number; readonly cpuMs: number }> {
  const cpu = process.cpuUsage();
  const begunMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - begunMs, cpuMs: (user + system) / 1000 };
}

async function intoDuckDb(all: readonly CommitGroup[], flush: Readonly<Record<string, string>> = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-records-'));
  const file = join(folder, 'replica.duckdb');
  try {
    await using replica = await openDuckDbReplica({ ...defaultReplicaOptions, file }, silentLogger, signal);
    const connector = createDuckDbSinkConnector({ replica, onResync: () => undefined });
    const properties = { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': '.*', 'duckdb.file': file, ...flush };
    await using task = await connector.openTask({ connector: 'bench', properties, log: silentLogger }, signal);
    await task.open('log', signal);
    const decoder = openDecoder({ source: 'bench' });
    for (const group of all) await task.put(decoder.decode(group), signal);
    await task.flush(signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const native = Array.from({ length: groups }, (_, number) => nativeGroup(number, false));
await intoDuckDb(native.slice(0, 5));
print('batches into DuckDB', countRecords(native), await measured(() => intoDuckDb(native)));
for (const schemas of [false, true]) {
  // a schema is some 5 KB with each record
  const all = native.slice(0, schemas ? Math.ceil(groups / 3) : groups).map((group) => recordGroup(group, schemas));
  const records = countRecords(all);
  const name = `records with schemas ${schemas ? 'on' : 'off'}`;
  const decodeAll = (): void => {
    const decoder = openDecoder({ source: 'bench' });
    for (const group of all) decoder.decode(group);
  };
  decodeAll();
  print(`${name}, decoded`, records, await measured(decodeAll));
  print(`${name}, into DuckDB`, records, await measured(() => intoDuckDb(all)));
}

const large = Array.from({ length: Math.ceil(groups / 3 / groupsPerLarge) * groupsPerLarge }, (_, number) => nativeGroup(number, true));
print('large transactions, batches', countRecords(large), await measured(() => intoDuckDb(large, smallFlush)));
const largeRecords = large.map((group) => recordGroup(group, true));
print('large transactions, with schemas', countRecords(largeRecords), await measured(() => intoDuckDb(largeRecords, smallFlush)));
