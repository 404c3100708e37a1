import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDebeziumRenderer } from './debezium-renderer.ts';
import { correctImage, correctRow, fixColumn } from './golden-corrections.ts';
import { loadFixture, tableAt, type GoldenFixture, type GoldenRecord } from './golden-fixture.ts';
import { replayClock, replayTopic, type Substitute } from './golden-replay.ts';
import { elementsOf, membersOf } from './golden-text.ts';

const fixtures = readdirSync(join(import.meta.dirname, 'fixtures'))
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.slice(0, -'.jsonl'.length));

for (const name of fixtures) {
  const fixture = corrected(loadFixture(name, (table, column) => fixColumn(name, table, column)));

  test(`${name}: keys, values, schemas and headers are those that Debezium wrote`, () => {
    compare(fixture, (_column, value) => value);
  });

  test(`${name}: NULL in a column with a default is its default`, { skip: !fixture.options.replaceNullWithDefault }, () => {
    const defaults = defaultsOf(fixture);
    compare(fixture, (column, value, token) => (column.nullable && token === defaults.get(column) ? null : value));
  });

  test(`${name}: what a temporal type cannot hold is null, the default, or the epoch`, () => {
    const defaults = defaultsOf(fixture);
    compare(fixture, (column, value, token) => {
      const zero = zeros[column.type.kind];
      if (zero === undefined) return value;
      const day = fixture.options.timeMode;
      if (column.type.kind === 'time' && day !== 'connect' && day !== 'isostring') return value;
      const fallback = defaults.get(column) ?? (column.nullable ? 'null' : undefined);
      return token === fallback || (fallback === undefined && epochs.has(token)) ? zero : value;
    });
  });
}

const zeros: Readonly<Record<string, string>> = {
  date: '2020-00-10',
  datetime: '0000-00-00 00:00:00',
  timestamp: '0000-00-00 00:00:00',
  time: '-00:00:01',
};
const epochs = new Set(['0', '"1970-01-01Z"', '"1970-01-01T00:00:00Z"', '"00:00:00Z"']);

function compare(fixture: GoldenFixture, substitute: Substitute): void {
  const renderer = createDebeziumRenderer(fixture.options);
  for (const topic of new Set(fixture.records.map((record) => record.schema.topic))) {
    const expected = fixture.records.filter((record) => record.schema.topic === topic).map((record) => textOf(fixture, record));
    const rendered: RecordText[] = [];
    for (const { group, entry } of replayTopic(fixture, topic, substitute)) {
      renderer.render(group, entry, ({ topic: to, bytes, keyStart, keyEnd, valueStart, valueEnd, headers }) => {
        const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        rendered.push({
          topic: to,
          key: keyEnd < 0 ? null : text.toString('utf8', keyStart, keyEnd),
          value: valueEnd < 0 ? null : text.toString('utf8', valueStart, valueEnd),
          headers: headers.map((header) => [header.name, String(header.value === null ? null : Buffer.from(header.value))]),
        });
      });
    }
    for (const [at, record] of expected.entries()) {
      const where = `${topic}, record ${at}`;
      assertSame(rendered[at]?.key, record.key, `${where}, key`);
      assertSame(rendered[at]?.value, record.value, `${where}, value`);
      assert.equal(rendered[at]?.topic, topic);
      assert.deepEqual(rendered[at]?.headers, record.headers, `${where}, headers`);
    }
    assert.equal(rendered.length, expected.length);
  }
}

interface RecordText {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

/** Compares long texts; says where they part. */
function assertSame(actual: string | null | undefined, expected: string | null, where: string): void {
  if (actual === expected) return;
  const [a, b] = [String(actual), String(expected)];
  let at = 0;
  while (a[at] === b[at]) at++;
  const from = Math.max(0, at - 80);
  assert.fail(`${where}, at ${at}\n  is  ${a.slice(from, at + 100)}\n  not ${b.slice(from, at + 100)}`);
}

/** The record as it was written, with one clock for all. */
function textOf(fixture: GoldenFixture, record: GoldenRecord): RecordText {
  const { options, payloadForm, schemaForm } = fixture;
  const { schema: schemas, key, before, after, op, source, headers } = record;
  const context: Readonly<Record<string, string>> = {
    connectorLogicalName: options.topicPrefix,
    taskId: '0',
    connectorName: options.connector,
    runId: options.runId,
  };
  const contextHeaders = Object.entries(context).map(([name, text]) => [`__debezium.context.${name}`, text] as const);
  let value: string | null = null;
  if (source !== undefined) {
    const parts: Readonly<Record<string, unknown>> = {
      ts_ms: Math.floor(source.tsMicros / 1000),
      ts_us: source.tsMicros,
      ts_ns: `${source.tsMicros}000`,
      snapshot: JSON.stringify(source.snapshot),
      db: JSON.stringify(source.database),
      table: JSON.stringify(source.table),
      server_id: source.serverId,
      gtid: JSON.stringify(source.gtid),
      file: JSON.stringify(source.file),
      pos: source.pos,
      row: source.row,
      thread: source.thread,
      clock_ms: Math.floor(replayClock / 1000),
      clock_us: replayClock,
      clock_ns: `${replayClock}000`,
      before: before ?? 'null',
      after: after ?? 'null',
      op: JSON.stringify(op),
    };
    value = payloadForm.replaceAll(/<(\w+)>/g, (_match, part: string) => String(parts[part]));
    if (schemaForm !== undefined) {
      const row = schemas.row ?? '';
      const name = membersOf(`${row}}`).get('name') ?? '';
      const envelope = `${name.slice(1, -'.Value"'.length)}.Envelope`;
      const schema = schemaForm.replaceAll('<row>', () => row).replace('<name>.Envelope', () => envelope);
      value = `{"schema":${schema},"payload":${value}}`;
    }
  }
  const keyText = key === undefined ? null : schemas.key === undefined ? key : `{"schema":${schemas.key},"payload":${key}}`;
  return { topic: schemas.topic, key: keyText, value, headers: [...headers, ...(options.contextHeaders ? contextHeaders : [])] };
}

/** The fixture with Debezium's wrong values put right; see golden-corrections.ts. */
function corrected(fixture: GoldenFixture): GoldenFixture {
  return {
    ...fixture,
    records: fixture.records.map((record) => ({
      ...record,
      schema: { ...record.schema, row: correctRow(fixture.name, record) },
      before: correctImage(fixture, record, record.before),
      after: correctImage(fixture, record, record.after),
    })),
  };
}

/** JSON text of each column's default, as the recorded schema has it. */
function defaultsOf(fixture: GoldenFixture): ReadonlyMap<object, string> {
  const defaults = new Map<object, string>();
  for (const { schema, source } of fixture.records) {
    if (source === undefined || schema.row === undefined) continue;
    const fields = elementsOf(membersOf(`${schema.row}}`).get('fields') ?? '[]').map(membersOf);
    for (const [position, column] of tableAt(fixture, source).columns.entries()) {
      const text = fields[position]?.get('default');
      if (text !== undefined) defaults.set(column, text);
    }
  }
  return defaults;
}
