/*
 * Debezium records per second on one core, rendered from batches of the benchmark's twelve-column table.
 *
 *   node bench/json-edge.ts [seconds per line]
 *
 * Half of the changes are inserts, a third updates, the rest deletes with their tombstones; a tenth of the notes is not
 * ASCII. Events of 22 rows, as MySQL's 8 KB row events have, and of one row, as small transactions have. Then the record
 * path: the same rows through transformations, ready for the log. The last line prints the same records with
 * JSON.stringify, as a scale.
 */
import { ByteWriter } from '../src/base/byte-writer.ts';
import { silentLogger } from '../src/base/logger.ts';
import { debeziumOptions, type DebeziumOptions } from '../src/codec/debezium-options.ts';
import { createDebeziumRenderer } from '../src/codec/debezium-renderer.ts';
import { renderRecordLine } from '../src/codec/record-line.ts';
import type { CommitGroup, Entry } from '../src/connect/commit-group.ts';
import { writeImage } from '../src/event/cell.ts';
import { ChangeBatchBuilder, copyBatch, op, type ChangeBatch } from '../src/event/change-batch.ts';
import { openRecordPath } from '../src/worker/record-path.ts';
import { rowOf, schema } from './sample-orders.ts';

const secondsPerLine = Number(process.argv[2] ?? 3);
const rows = 1000;

function sampleBatch(rowsPerEvent: number): ChangeBatch {
  const builder = new ChangeBatchBuilder(schema);
  for (let i = 0; i < rows; i++) {
    const code = i % 20 < 10 ? op.insert : i % 20 < 17 ? op.update : op.delete;
    builder.begin(code, Math.floor(i / rowsPerEvent));
    if (code !== op.insert) writeImage(schema, rowOf(i, 100), builder.writer);
    builder.middle();
    if (code !== op.delete) writeImage(schema, rowOf(i, 101), builder.writer);
    builder.end();
  }
  return copyBatch(builder.view());
}

function groupOf(events: number): CommitGroup {
  const numbers = Array.from({ length: events }, (_, i) => i);
  return {
    source: 'bench',
    seq: 1,
    position: { file: 'binlog.000042', pos: 4, gtids: '' },
    open: false,
    file: 'binlog.000042',
    madeMicros: 1_795_000_000_123_456,
    transactions: {
      count: events,
      gtidSources: ['a207a0dc-e6bb-11f1-a945-02fc00000001'],
      gtidSource: new Uint16Array(events),
      gtidSequence: Float64Array.from(numbers),
      committedMicros: Float64Array.from(numbers, (n) => 1_795_000_000_000_000 + n * 137),
      threadId: new Uint32Array(events).fill(873),
      serverId: new Uint32Array(events).fill(1),
    },
    events: {
      count: events,
      transaction: Uint32Array.from(numbers),
      pos: Float64Array.from(numbers, (n) => 100_000 + n * 931),
      seconds: new Uint32Array(events).fill(1_795_000_000),
    },
    entries: [],
  };
}

interface Run {
  readonly title: string;
  readonly options: Partial<DebeziumOptions>;
  readonly rowsPerEvent: number;
  /** Lines as `tail` prints them, not records alone. */
  readonly lines?: boolean;
}

/** Renders for a while; prints records per second and bytes per record. */
function measure({ title, options, rowsPerEvent, lines }: Run): void {
  const renderer = createDebeziumRenderer(debeziumOptions({ connector: 'mysql', topicPrefix: 'bench', ...options }));
  const group = groupOf(Math.ceil(rows / rowsPerEvent));
  const entry: Entry = { kind: 'changes', batch: sampleBatch(rowsPerEvent) };
  const out = new ByteWriter(1 << 20);
  let records = 0;
  let bytes = 0;
  const pass = (): void => {
    out.clear();
    renderer.render(group, entry, (record) => {
      if (lines) renderRecordLine(record, 0, records, out);
      records++;
      bytes += record.keyEnd - record.keyStart + Math.max(0, record.valueEnd - record.valueStart);
    });
  };
  for (let i = 0; i < 50; i++) pass();
  records = 0;
  bytes = 0;
  const before = process.cpuUsage();
  const end = performance.now() + secondsPerLine * 1000;
  while (performance.now() < end) pass();
  const { user, system } = process.cpuUsage(before);
  print(title, records, bytes, (user + system) / 1e6);
}

/** The record path with these transformations; records that they drop count, too. */
async function measureRecordPath(title: string, properties: Readonly<Record<string, string>>): Promise<void> {
  const path = openRecordPath({
    connector: 'bench',
    properties: { 'key.converter.schemas.enable': 'false', 'value.converter.schemas.enable': 'false', ...properties },
    debezium: debeziumOptions({ connector: 'mysql', topicPrefix: 'bench' }),
    log: silentLogger,
  });
  if (path === undefined) throw new Error('no record path');
  const group = { ...groupOf(46), entries: [{ kind: 'changes' as const, batch: sampleBatch(22) }] };
  const { signal } = new AbortController();
  for (let i = 0; i < 20; i++) await path.convert(group, signal);
  const first = path.counts.sent + path.counts.dropped;
  const before = process.cpuUsage();
  const end = performance.now() + secondsPerLine * 1000;
  let bytes = 0;
  while (performance.now() < end) {
    const { entries } = await path.convert(group, signal);
    for (const entry of entries) {
      if (entry.kind === 'records') for (const { key, value } of entry.records) bytes += (key?.length ?? 0) + (value?.length ?? 0);
    }
  }
  const { user, system } = process.cpuUsage(before);
  print(title, path.counts.sent + path.counts.dropped - first, bytes, (user + system) / 1e6);
}

/** What JSON.parse and JSON.stringify of the same envelopes cost. */
function measureScale(): void {
  const renderer = createDebeziumRenderer(
    debeziumOptions({ connector: 'mysql', topicPrefix: 'bench', keySchemas: false, valueSchemas: false }),
  );
  const texts: string[] = [];
  renderer.render(groupOf(46), { kind: 'changes', batch: sampleBatch(22) }, (record) => {
    if (record.valueEnd >= 0) texts.push(Buffer.from(record.bytes.subarray(record.valueStart, record.valueEnd)).toString());
  });
  const values = texts.map((text): unknown => JSON.parse(text));
  let records = 0;
  let bytes = 0;
  const before = process.cpuUsage();
  const end = performance.now() + secondsPerLine * 1000;
  while (performance.now() < end) {
    for (const value of values) bytes += Buffer.from(JSON.stringify(value)).length;
    records += values.length;
  }
  const { user, system } = process.cpuUsage(before);
  print('scale: JSON.stringify of ready objects', records, bytes, (user + system) / 1e6);
}

function print(title: string, records: number, bytes: number, cpuSeconds: number): void {
  const perSecond = Math.round(records / cpuSeconds).toLocaleString('en');
  console.log(`${title.padEnd(44)} ${perSecond.padStart(9)} records/s of CPU  ${Math.round(bytes / records)} bytes each`);
}

const plain = { keySchemas: false, valueSchemas: false };
measure({ title: 'schemas off, 22 rows per event', options: plain, rowsPerEvent: 22 });
measure({ title: 'schemas off, 1 row per event', options: plain, rowsPerEvent: 1 });
measure({ title: 'schemas off, 22 rows per event, lines of tail', options: plain, rowsPerEvent: 22, lines: true });
measure({ title: 'schemas on, 22 rows per event', options: {}, rowsPerEvent: 22 });
measure({ title: 'schemas on, 1 row per event', options: {}, rowsPerEvent: 1 });
const kafka = 'org.apache.kafka.connect.transforms';
const router = { 'transforms.r.type': `${kafka}.RegexRouter`, 'transforms.r.regex': 'bench\\.(.*)', 'transforms.r.replacement': '$1' };
const unwrap = { 'transforms.u.type': 'io.debezium.transforms.ExtractNewRecordState' };
const cast = { 'transforms.c.type': `${kafka}.Cast$Value`, 'transforms.c.spec': 'qty:string' };
const filter = {
  'transforms.f.type': 'io.millrace.transforms.Filter',
  'transforms.f.condition': "value.op != 'x' && value.source.db == 'shop'",
};
await measureRecordPath('record path: RegexRouter', { transforms: 'r', ...router });
await measureRecordPath('record path: RegexRouter, schemas on', { transforms: 'r', ...router, 'value.converter.schemas.enable': 'true' });
await measureRecordPath('record path: Filter by expression', { transforms: 'f', ...filter });
await measureRecordPath('record path: unwrap', { transforms: 'u', ...unwrap });
await measureRecordPath('record path: unwrap, Cast', { transforms: 'u,c', ...unwrap, ...cast });
measureScale();
