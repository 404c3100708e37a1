import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noEvents, noTransactions, type CommitGroup } from '../../src/connect/commit-group.ts';
import { createDatabase } from '../../src/warehouse/snowflake/account.fixture.ts';
import type { LandingIntake } from '../../src/warehouse/snowflake/landing/landing-task.ts';
import { columnOf } from '../../src/warehouse/snowflake/session.ts';
import { openRecordReader } from '../../src/worker/sink-pipeline.ts';
import { loadRecordedFiles, type RecordedFiles } from '../golden-sink/recorded-files.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';
import { landingSchema, never, openTestLanding, type TestLanding } from './landing.fixture.ts';

/*
 * What Debezium wrote lands and is merged: the replica must hold, of each key, the row of the last record. That row is read
 * here by itself from the recorded bytes, value by value.
 */

let emulator: SnowflakeEmulator;
before(async () => {
  emulator = await openSnowflakeEmulator();
});
after(() => emulator[Symbol.asyncDispose]());

const scenarios = [
  'types-numeric',
  'types-temporal',
  'types-text-binary',
  'types-json',
  'operations',
  'operations-truncate',
  'modes-decimal-string',
  'modes-bigint-precise',
  'propagate-type',
  'incremental-snapshot',
  'smt-unwrap-rewrite',
];

interface FieldSchema {
  readonly field: string;
  readonly type: string;
  readonly name?: string;
  readonly default?: unknown;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly fields?: readonly FieldSchema[];
}

type Row = Readonly<Record<string, unknown>>;

interface ExpectedTable {
  place: string;
  fields: readonly FieldSchema[];
  readonly rows: Map<string, Row>;
}

/** Numbers keep their text: those of a row may have more digits than a double. */
function parse(bytes: Uint8Array): { readonly schema: FieldSchema; readonly payload: Row } {
  const keep = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? (context?.source ?? value) : value;
  return JSON.parse(Buffer.from(bytes).toString('utf8'), keep) as {
    schema: FieldSchema;
    payload: Row;
  };
}

function expectedOf({ events }: RecordedFiles): ReadonlyMap<string, ExpectedTable> {
  const tables = new Map<string, ExpectedTable>();
  for (const { topic, record } of events) {
    if (record.value === null || topic.split('.').length < 3) continue;
    const { schema, payload } = parse(record.value);
    if (payload['op'] === 't') tables.get(topic)?.rows.clear();
    if (record.key === null) continue;
    const table = tables.get(topic) ?? { place: '', fields: [], rows: new Map<string, Row>() };
    tables.set(topic, table);
    const [database, name] = topic.split('.').slice(-2);
    const source = payload['source'] as Readonly<Record<string, string>> | undefined;
    table.place = [source?.['db'] ?? database, source?.['table'] ?? name].map((part) => `"${(part ?? '').toUpperCase()}"`).join('.');
    const isFlat = !(schema.fields ?? []).some(({ field }) => field === 'op');
    const row = isFlat ? schema : (schema.fields ?? []).find(({ field }) => field === 'after');
    table.fields = (row?.fields ?? []).filter(({ field }) => !isFlat || !field.startsWith('__'));
    const key = Buffer.from(record.key)
      .toString('utf8')
      .replace(/^.*"payload":/, '');
    if (payload['op'] === 'd' || payload['__deleted'] === 'true') table.rows.delete(key);
    else table.rows.set(key, isFlat ? payload : (payload['after'] as Row));
  }
  return tables;
}

function clock(units: bigint, perSecond: bigint): string {
  const fraction = (units % perSecond)
    .toString()
    .padStart(perSecond.toString().length - 1, '0')
    .slice(0, 6)
    .padEnd(6, '0');
  const seconds = units / perSecond;
  const two = (value: bigint): string => value.toString().padStart(2, '0');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}.${fraction}`;
}

function instant(units: bigint, perSecond: bigint): string {
  const perDay = perSecond * 86_400n;
  const day = units >= 0n ? units / perDay : -((-units + perDay - 1n) / perDay);
  return `${new Date(Number(day) * 86_400_000).toISOString().slice(0, 10)} ${clock(units - day * perDay, perSecond)}`;
}

function decimal(base64: string, scale: number): string {
  const bytes = Buffer.from(base64, 'base64');
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`}`;
}

/** A recorded value in the words of `shown`. */
function cellOf(schema: FieldSchema, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  switch (schema.name) {
    case 'org.apache.kafka.connect.data.Decimal':
      return decimal(text, Number(schema.parameters?.['scale'] ?? 0));
    case 'io.debezium.time.Date':
      return new Date(Number(text) * 86_400_000).toISOString().slice(0, 10);
    case 'io.debezium.time.Timestamp':
      return instant(BigInt(text), 1000n);
    case 'io.debezium.time.MicroTimestamp':
      return instant(BigInt(text), 1_000_000n);
    case 'io.debezium.time.MicroTime': {
      const units = BigInt(text);
      return units < 0n ? `-${clock(-units, 1_000_000n)}` : clock(units, 1_000_000n);
    }
    case 'io.debezium.time.ZonedTimestamp': {
      const [, seconds = '', fraction = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(text) ?? [];
      return `${seconds.replace('T', ' ')}.${fraction.padEnd(6, '0')}`;
    }
    case 'io.debezium.data.Json':
      return rounded(JSON.parse(text));
    default:
      return plainCell(schema, text);
  }
}

function plainCell(schema: FieldSchema, text: string): unknown {
  switch (schema.type) {
    case 'bytes':
      return Buffer.from(text, 'base64').toString('hex').toUpperCase();
    case 'float':
      return Math.fround(Number(text));
    case 'double':
      return Number(text);
    case 'struct':
    case 'array':
      return JSON.parse(text) as unknown;
    default:
      return text;
  }
}

/** A VARIANT keeps numbers of JSON by their value: neither the zero's sign nor the last digits of a double are told. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(15)) + 0;
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, rounded(each)]));
}

/** Expressions that show a column's values in one way only. */
function shown(name: string, type: string): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  if (type.startsWith('TIMESTAMP')) return `TO_VARCHAR(CAST(${column} AS TIMESTAMP_NTZ(6)), 'YYYY-MM-DD HH24:MI:SS.FF6')`;
  if (type === 'DATE') return `TO_VARCHAR(${column}, 'YYYY-MM-DD')`;
  if (type.startsWith('BINARY')) return `TO_VARCHAR(${column}, 'HEX')`;
  if (type === 'VARIANT' || type === 'ARRAY') return `TO_JSON(${column})`;
  return `CAST(${column} AS VARCHAR)`;
}

function cellShown(type: string, text: string | null, field: FieldSchema | undefined): unknown {
  if (text === null) return null;
  if (type === 'FLOAT') return field?.type === 'float' ? Math.fround(Number(text)) : Number(text);
  return type === 'VARIANT' || type === 'ARRAY' ? rounded(JSON.parse(text)) : text;
}

function intakeOf({ events }: RecordedFiles): LandingIntake {
  const read = openRecordReader({});
  const offsets = new Map<string, number>();
  const items = events.map((from) => {
    const offset = offsets.get(from.topic) ?? 0;
    offsets.set(from.topic, offset + 1);
    return { kind: 'record' as const, record: read(from), offset };
  });
  return { open: () => Promise.resolve(), take: () => Promise.resolve(items) };
}

async function replicaRows(landing: TestLanding, { place, fields }: ExpectedTable): Promise<readonly unknown[]> {
  const described = await landing.session.run(`DESCRIBE TABLE ${place}`);
  const names = columnOf(described, 'name').map((name) => name ?? '');
  const types = columnOf(described, 'type').map((type) => type ?? '');
  assert.deepEqual(
    names,
    fields.map(({ field }) => field.toUpperCase()),
  );
  const { rows } = await landing.session.run(
    `SELECT ${names.map((name, index) => shown(name, types[index] ?? '')).join(', ')} FROM ${place}`,
  );
  return rows.map((row) => row.map((cell, index) => cellShown(types[index] ?? '', cell, fields[index])));
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
const recorded = loadRecordedFiles('mysql').filter(({ name }) => scenarios.includes(name));

for (const scenario of recorded) {
  test(`${scenario.name}: what Debezium wrote lands, and the replica has each key's last row`, async () => {
    await using landing = await openTestLanding(await createDatabase(emulator), { intake: intakeOf(scenario), table: true });
    const group: CommitGroup = {
      source: scenario.connector['topic.prefix'] ?? '',
      seq: 1,
      position: { file: 'binlog.000001', pos: 4, gtids: '' },
      open: false,
      file: 'binlog.000001',
      transactions: noTransactions,
      events: noEvents,
      entries: [],
    };
    await landing.task.put(group, never);
    await landing.task.flush(never);
    const tables = expectedOf(scenario);
    assert.ok(tables.size > 0);
    for (const [topic, table] of tables) {
      const expected = [...table.rows.values()].map((row) =>
        table.fields.map((field) => cellOf(field, row[field.field] === undefined ? field.default : row[field.field])),
      );
      assert.deepEqual((await replicaRows(landing, table)).toSorted(byText), expected.toSorted(byText), topic);
    }
    const [landed] = (
      await landing.session.run(`SELECT COUNT(*) FROM "INFORMATION_SCHEMA"."TABLES" WHERE "TABLE_SCHEMA" = '${landingSchema}'`)
    ).rows;
    assert.ok(Number(landed?.[0]) > 0);
  });
}
