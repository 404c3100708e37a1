/*
 * A sink that takes records, as a whole: imported into the log, decoded in a worker, into DuckDB; records that are no rows go to
 * the dead letter topic. Each once, also when the process is killed at any point.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../src/base/logger.ts';
import { defaultReplicaOptions, openDuckDbReplica } from '../src/warehouse/duckdb/replica.ts';

const program = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');

interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function millrace(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const { promise, resolve, reject } = Promise.withResolvers<Run>();
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += String(text)));
  child.stderr.on('data', (text) => (stderr += String(text)));
  child.on('error', reject);
  child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  return promise;
}

interface TestFiles extends Disposable {
  readonly data: string;
  readonly replica: string;
  /** Writes connector or records; gives the path. */
  write(name: string, text: string): string;
  path(name: string): string;
}

function temporaryFiles(): TestFiles {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-record-sink-'));
  const path = (name: string): string => join(folder, name);
  return {
    data: path('data'),
    replica: path('replica.duckdb'),
    path,
    write(name, text) {
      writeFileSync(path(name), text);
      return path(name);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function sinkFile(files: TestFiles, config: Readonly<Record<string, string>>): string {
  return files.write(
    'sink.json',
    JSON.stringify({
      name: 'sink',
      config: { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': 'p\\..*', 'duckdb.file': files.replica, ...config },
    }),
  );
}

async function query(file: string, sql: string): Promise<readonly (readonly (string | null)[])[]> {
  const { signal } = new AbortController();
  await using replica = await openDuckDbReplica({ ...defaultReplicaOptions, file }, silentLogger, signal);
  return (await replica.query(sql, { maxRows: 100_000 }, signal)).rows;
}

const row = (id: number, v: string): Record<string, unknown> => ({ id, v, n: id * 10 });

/** A record without schemas, as Debezium's envelope. */
function envelope(op: string, pos: number, images: { readonly before?: unknown; readonly after?: unknown }): unknown {
  return {
    before: images.before ?? null,
    after: images.after ?? null,
    source: { version: '3', connector: 'mysql', name: 'p', snapshot: 'false', db: 'd', table: 't', file: 'binlog.000001', pos, row: 0 },
    transaction: null,
    op,
    ts_ms: 1,
  };
}

/** Inserts, updates and deletes of p.d.t, every 97th record one whose value is no row. */
function history(count: number): { readonly lines: string; readonly rows: ReadonlyMap<number, string>; readonly bad: readonly number[] } {
  const rows = new Map<number, string>();
  const bad: number[] = [];
  const lines: string[] = [];
  for (let offset = 0; offset < count; offset++) {
    const id = (offset * 7) % 500;
    const known = rows.get(id);
    const line = (value: unknown): number =>
      lines.push(JSON.stringify({ topic: 'p.d.t', partition: 0, offset, key: { id }, value, headers: [['h', 'x']] }));
    if (offset % 97 === 96) {
      bad.push(offset);
      line([`no row ${offset}`]);
    } else if (known === undefined) {
      rows.set(id, `v${offset}`);
      line(envelope('c', offset, { after: row(id, `v${offset}`) }));
    } else if (offset % 5 === 0) {
      rows.delete(id);
      line(envelope('d', offset, { before: row(id, known) }));
    } else {
      rows.set(id, `v${offset}`);
      line(envelope('u', offset, { before: row(id, known), after: row(id, `v${offset}`) }));
    }
  }
  return { lines: lines.join('\n'), rows, bad };
}

const field = (type: string, name: string, optional: boolean): unknown => ({ type, optional, field: name });
const rowSchema = {
  type: 'struct',
  optional: true,
  fields: [field('int32', 'id', false), field('string', 'v', true), field('int32', 'n', true)],
};
const source = ['version', 'connector', 'name', 'snapshot', 'db', 'table', 'file'].map((name) => field('string', name, false));
const valueSchema = {
  type: 'struct',
  optional: false,
  name: 'p.d.t.Envelope',
  fields: [
    { ...rowSchema, name: 'p.d.t.Value', field: 'before' },
    { ...rowSchema, name: 'p.d.t.Value', field: 'after' },
    { type: 'struct', optional: false, fields: [...source, field('int64', 'pos', false), field('int32', 'row', false)], field: 'source' },
    field('string', 'transaction', true),
    field('string', 'op', false),
    field('int64', 'ts_ms', true),
  ],
};

function withSchemas(line: { readonly key: unknown; readonly value: unknown }): unknown {
  const keySchema = { type: 'struct', optional: false, name: 'p.d.t.Key', fields: [field('int32', 'id', false)] };
  return { ...line, key: { schema: keySchema, payload: line.key }, value: { schema: valueSchema, payload: line.value } };
}

const tolerant = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dead',
  'errors.deadletterqueue.context.headers.enable': 'true',
};

interface DeadLetter {
  readonly offset: number;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers: readonly (readonly [string, string])[];
}

async function deadLetters(files: TestFiles): Promise<readonly DeadLetter[]> {
  const { stdout, stderr } = await millrace(['tail', 'dead', '--json', '--data', files.data]);
  assert.equal(stderr, '');
  // our own lines
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DeadLetter);
}

test('killed at each point, a sink has every row once, and every dead letter', async () => {
  for (const failpoint of ['dead-letters:2', 'staged:2', 'commit:1', 'committed:1']) {
    using files = temporaryFiles();
    const { lines, rows, bad } = history(5000);
    const events = files.write('events.jsonl', lines);
    const sink = sinkFile(files, { ...tolerant, 'flush.max.rows': '1000' });
    assert.equal((await millrace(['import', events, '--prefix', 'p', '--data', files.data])).code, 0);
    const marker = files.path('hit');
    const killed = await millrace(['run', sink, '--data', files.data, '--until-caught-up'], {
      MILLRACE_FAILPOINT: failpoint,
      MILLRACE_FAILPOINT_FILE: marker,
    });
    assert.equal(killed.signal, 'SIGKILL', `${failpoint}: ${killed.stderr}`);
    assert.equal(readFileSync(marker, 'utf8'), failpoint.slice(0, failpoint.indexOf(':')));
    const again = await millrace(['run', sink, '--data', files.data, '--until-caught-up']);
    assert.equal(again.code, 0, again.stderr);
    const found = await query(files.replica, 'SELECT id, v, n FROM d.t ORDER BY id');
    const expected = [...rows].toSorted(([a], [b]) => a - b).map(([id, v]) => [String(id), v, String(id * 10)]);
    assert.deepEqual(found, expected, failpoint);
    const dead = await deadLetters(files);
    assert.deepEqual(
      dead.map(({ value }) => value),
      bad.map((offset) => [`no row ${offset}`]),
      failpoint,
    );
    assert.deepEqual(
      dead.map(({ offset }) => offset),
      bad.map((_, index) => index),
    );
  }
});

test('a dead letter has the bytes and headers of its record, and tells what went wrong', async () => {
  using files = temporaryFiles();
  const lines = [
    { topic: 'p.d.t', partition: 0, offset: 0, key: { id: 1 }, value: envelope('c', 1, { after: row(1, 'a') }), headers: [] },
    { topic: 'p.d.t', partition: 0, offset: 1, key: { id: 2 }, value: 'some text', headers: [['own', 'header']] },
  ];
  const events = files.write('events.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
  await millrace(['import', events, '--prefix', 'p', '--data', files.data]);
  const run = await millrace(['run', sinkFile(files, tolerant), '--data', files.data, '--until-caught-up']);
  assert.equal(run.code, 0, run.stderr);
  const [letter, ...more] = await deadLetters(files);
  assert.deepEqual(more, []);
  assert.ok(letter !== undefined);
  assert.deepEqual([letter.key, letter.value], [{ id: 2 }, 'some text']);
  const headers = new Map(letter.headers);
  assert.deepEqual(
    [...headers.keys()],
    [
      'own',
      '__connect.errors.topic',
      '__connect.errors.partition',
      '__connect.errors.offset',
      '__connect.errors.connector.name',
      '__connect.errors.task.id',
      '__connect.errors.stage',
      '__connect.errors.class.name',
      '__connect.errors.exception.class.name',
      '__connect.errors.exception.message',
      '__connect.errors.exception.stacktrace',
    ],
  );
  assert.deepEqual([headers.get('__connect.errors.topic'), headers.get('__connect.errors.offset')], ['p.d.t', '1']);
  assert.match(headers.get('__connect.errors.exception.message') ?? '', /the value is no row/);
});

test('without tolerance the sink fails at such a record, and keeps what came before', async () => {
  using files = temporaryFiles();
  const lines = [
    { topic: 'p.d.t', partition: 0, offset: 0, key: { id: 1 }, value: envelope('c', 1, { after: row(1, 'a') }), headers: [] },
    { topic: 'p.d.t', partition: 0, offset: 1, key: { id: 2 }, value: 'some text', headers: [] },
  ];
  const [first = '', second = ''] = lines.map((line) => JSON.stringify(line));
  const sink = sinkFile(files, {});
  await millrace(['import', files.write('1.jsonl', first), '--prefix', 'p', '--data', files.data]);
  assert.equal((await millrace(['run', sink, '--data', files.data, '--until-caught-up'])).code, 0);
  await millrace(['import', files.write('2.jsonl', second), '--prefix', 'p', '--data', files.data]);
  const run = await millrace(['run', sink, '--data', files.data, '--until-caught-up']);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /CONVERSION_FAILED.*p\.d\.t/);
  assert.deepEqual(await query(files.replica, 'SELECT id FROM d.t'), [['1']]);
  assert.ok(!existsSync(files.path('dead')));
});

test("a sink's transformations name its tables and make its rows", async () => {
  using files = temporaryFiles();
  const { lines, rows } = history(90);
  const described = lines
    .split('\n')
    .map((line) => JSON.stringify(withSchemas(JSON.parse(line) as { key: unknown; value: unknown })))
    .join('\n');
  await millrace(['import', files.write('events.jsonl', described), '--prefix', 'p', '--data', files.data]);
  const sink = sinkFile(files, {
    transforms: 'unwrap,drop,route',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
    'transforms.drop.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
    'transforms.drop.exclude': 'n',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': 'p\\.d\\.(.*)',
    'transforms.route.replacement': 'p.flat.$1_rows',
  });
  const run = await millrace(['run', sink, '--data', files.data, '--until-caught-up']);
  assert.equal(run.code, 0, run.stderr);
  const expected = [...rows].toSorted(([a], [b]) => a - b).map(([id, v]) => [String(id), v]);
  assert.deepEqual(await query(files.replica, 'SELECT * FROM flat.t_rows ORDER BY id'), expected);
});

test("what a sink's transformations name is not asked for in its own topics", async () => {
  using files = temporaryFiles();
  const { lines, rows } = history(90);
  const described = lines.split('\n').map((line) => JSON.stringify(withSchemas(JSON.parse(line) as { key: unknown; value: unknown })));
  const sink = sinkFile(files, {
    'topics.regex': 'p\\.d\\.t',
    transforms: 'route',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': '.*\\.(.*)',
    'transforms.route.replacement': 'p.flat.$1_rows',
  });
  // the second half comes to a worker that knows the table from its notes
  for (const [name, half] of [
    ['first.jsonl', described.slice(0, 45)],
    ['second.jsonl', described],
  ] as const) {
    await millrace(['import', files.write(name, half.join('\n')), '--prefix', 'p', '--data', files.data]);
    const run = await millrace(['run', sink, '--data', files.data, '--until-caught-up']);
    assert.equal(run.code, 0, run.stderr);
  }
  const expected = [...rows].toSorted(([a], [b]) => a - b).map(([id, v]) => [String(id), v]);
  assert.deepEqual(await query(files.replica, 'SELECT id, v FROM flat.t_rows ORDER BY id'), expected);
  const tables = await query(files.replica, "SELECT table_name FROM duckdb_tables() WHERE schema_name IN ('d', 'flat')");
  assert.deepEqual(tables, [['t_rows']]);
});

test('declared columns are those of the table', async () => {
  using files = temporaryFiles();
  await millrace(['import', files.write('events.jsonl', history(90).lines), '--prefix', 'p', '--data', files.data]);
  const sink = sinkFile(files, {
    'millrace.types.d.t': 'id INT UNSIGNED PRIMARY KEY, v VARCHAR(20) NOT NULL, n DECIMAL(12,2), later DATE',
  });
  const run = await millrace(['run', sink, '--data', files.data, '--until-caught-up']);
  assert.equal(run.code, 0, run.stderr);
  const columns = await query(files.replica, "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name = 't'");
  assert.deepEqual(columns, [
    ['id', 'UINTEGER', 'false'],
    ['v', 'VARCHAR', 'false'],
    ['n', 'DECIMAL(12,2)', 'true'],
    ['later', 'DATE', 'true'],
  ]);
});
