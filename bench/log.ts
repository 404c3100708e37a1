/*
 * How fast the embedded log takes groups (an fsync each) while another thread reads, decodes and acknowledges them.
 *
 *   node bench/log.ts [groups] [folder]
 *
 * Groups of 1,000 rows of about 350 bytes (350 KB), and of 20 rows. Figures of a shared machine move by a third from run
 * to run, with its disk most of all: compare the lines of one run, and the ratio to the bare disk.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SourceBatch } from '../src/connect/tasks.ts';
import { openEmbeddedLog } from '../src/log/embedded/open-embedded-log.ts';
import { decodeGroup, encodeGroup } from '../src/log/group-codec.ts';
import { countDebeziumRecords } from '../src/log/record-count.ts';
import { sampleBatch, sampleGroup, sampleSchema } from '../src/log/sample-batches.ts';
import type { SampleRow } from '../src/log/sample-batches.ts';

const groups = Number(process.argv[2] ?? 2000);
const parent = process.argv[3] ?? tmpdir();
const limits = { maxBytes: 20e9, retentionMs: Infinity, retentionBytes: Infinity };
const { signal } = new AbortController();

function makeBatch(rows: number, kind: SampleRow['op'], tables = 1): SourceBatch {
  const bytes = kind === 'update' ? 155 : 330;
  const entries = Array.from({ length: tables }, (_, table) => {
    const schema = sampleSchema('shop', `table_${table}`);
    const list = Array.from({ length: rows / tables }, (_unused, id) => ({ op: kind, id, note: `${id}`.padEnd(bytes, 'millrace ') }));
    return { kind: 'changes' as const, batch: sampleBatch(schema, list) };
  });
  return { group: sampleGroup('shop', entries), offset: { file: 'binlog.000001', pos: 4, gtids: 'a'.repeat(60) }, state: [] };
}

function perSecond(count: number, ms: number): string {
  return `${Math.round((count / ms) * 1000).toLocaleString('en')}/s`;
}

/** Milliseconds per call. */
function time(calls: number, work: () => void): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) work();
  return (performance.now() - start) / calls;
}

function bareDisk(folder: string, bytes: number): number {
  const file = openSync(join(folder, 'bare'), 'w');
  const block = new Uint8Array(bytes).fill(7);
  const ms = time(300, () => {
    writeSync(file, block);
    fdatasyncSync(file);
  });
  closeSync(file);
  rmSync(join(folder, 'bare'));
  return ms;
}

async function run(title: string, batch: SourceBatch, rows: number, withReader: boolean): Promise<void> {
  const folder = mkdtempSync(join(parent, 'millrace-bench-'));
  try {
    const bytes = encodeGroup(batch.group).bytes.length;
    const bareMs = bareDisk(folder, bytes);
    await using log = await openEmbeddedLog({ ...limits, folder }, signal);
    log.register('sink', ['shop']);
    const reader = withReader ? new Worker(new URL('./log-reader.ts', import.meta.url), { workerData: [folder, groups] }) : undefined;
    const read = reader === undefined ? undefined : new Promise<Record<string, number>>((resolve) => reader.once('message', resolve));
    const times: number[] = [];
    let walBytes = 0;
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (let i = 0; i < groups; i++) {
      const begin = performance.now();
      await log.append(batch, { connector: 'shop' }, signal);
      times.push(performance.now() - begin);
      reader?.postMessage('appended');
      if (i % 50 === 0) walBytes = Math.max(walBytes, statSync(join(folder, 'log.sqlite-wal')).size);
    }
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    const readings = await read;
    const endMs = performance.now() - start;
    await reader?.terminate();
    times.sort((a, b) => a - b);
    const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
    console.log(`${title}: ${groups} groups of ${rows} rows, ${Math.round(bytes / 1000)} KB`);
    console.log(
      `  appended ${perSecond(groups * rows, ms)} rows, ${perSecond(groups, ms)} groups; ms p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(0.999999)}`,
    );
    console.log(
      `  write and fdatasync of as many bytes: ${bareMs.toFixed(2)} ms; the log's mean is ${(ms / groups / bareMs).toFixed(1)} × that`,
    );
    console.log(
      `  CPU ${((user + system) / groups / rows).toFixed(2)} µs/row (all threads); largest WAL ${(walBytes / 1e6).toFixed(0)} MB`,
    );
    if (readings !== undefined) {
      console.log(`  read and acknowledged by ${perSecond(groups * rows, endMs)} rows; reader:`, readings);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const large = makeBatch(1000, 'insert');
const encoded = encodeGroup(large.group);
const schemas = new Map(encoded.schemas.map((schema) => [schema.fingerprint, schema]));
const updates = makeBatch(1000, 'update').group.entries[0];
console.log(`encode ${(1000 * time(500, () => encodeGroup(large.group))).toFixed(0)} µs per 350 KB group`);
console.log(`decode ${(1000 * time(500, () => decodeGroup(encoded.bytes, (one) => schemas.get(one)))).toFixed(0)} µs`);
if (updates !== undefined) {
  console.log(`count records ${(1000 * time(500, () => countDebeziumRecords(updates))).toFixed(0)} µs per 1,000 updates`);
}
await run('append only', large, 1000, false);
await run('append and read', large, 1000, true);
await run('append and read, 20 tables', makeBatch(1000, 'insert', 20), 1000, true);
await run('append and read, small groups', makeBatch(20, 'insert'), 20, true);
