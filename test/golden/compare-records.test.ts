/* Differences of each kind, planted into recordings, are found where they are; what varies from run to run is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRecords, type CompareOptions } from './compare-records.ts';
import { mapPayload, payloadOf, withoutSchemas, type GoldenRecord, type Side } from './golden-record.ts';
import { isList, JsonNumber, JsonObject, parseJson, type Json } from './lossless-json.ts';
import { loadScenarios, type Scenario } from './scenario.ts';

const mysql = loadScenarios('mysql');
const mariadb = loadScenarios('mariadb');

function scenario(name: string, all: ReadonlyMap<string, Scenario> = mysql): Scenario {
  const own = all.get(name);
  assert.ok(own, name);
  return own;
}

type Change = (record: GoldenRecord, index: number) => GoldenRecord | readonly GoldenRecord[];

/** `topic path` of the differences that the changed recording has from itself. */
function found(
  name: string,
  change: (records: readonly GoldenRecord[]) => readonly GoldenRecord[],
  options?: CompareOptions,
): readonly string[] {
  const own = scenario(name);
  return compareRecords(own, change(own.records), options).map(({ topic, path }) => `${topic} ${path}`.trim());
}

/** Changes the streamed insert of `id` in the table's topic. */
function row(table: string, id: number, change: Change): (records: readonly GoldenRecord[]) => readonly GoldenRecord[] {
  return (records) => records.flatMap((record, index) => (isInsert(record, table, id) ? change(record, index) : [record]));
}

function isInsert({ topic, value }: GoldenRecord, table: string, id: number): boolean {
  const payload = payloadOf(value);
  if (!topic.endsWith(`.${table}`) || !(payload instanceof JsonObject) || payload.get('op') !== 'c') return false;
  return textAt(payload, ['after', 'id']) === String(id);
}

function at(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((each, name) => (each instanceof JsonObject ? each.get(name) : undefined), value);
}

function textAt(value: Json, path: readonly string[]): string | undefined {
  const place = at(value, path);
  return place instanceof JsonNumber ? place.text : undefined;
}

function replaceAt(value: Json, [name, ...rest]: readonly string[], change: (value: Json) => Json): Json {
  if (name === undefined) return change(value);
  return value instanceof JsonObject ? value.map((member, each) => (each === name ? replaceAt(member, rest, change) : member)) : value;
}

/** A change of the value's payload at a path. */
function inValue(path: string, change: (value: Json) => Json): Change {
  return (record) => ({ ...record, value: mapPayload(record.value, (payload) => replaceAt(payload, path.split('.'), change)) });
}

const number =
  (text: string): (() => Json) =>
  () =>
    new JsonNumber(text);

const restartA = 'restart.restart.a';

test('every recording equals itself', () => {
  for (const own of [...mysql.values(), ...mariadb.values()]) assert.deepEqual(compareRecords(own, own.records), [], own.name);
});

const planted: readonly (readonly [what: string, change: Change, path: string])[] = [
  ['another value', inValue('after.n', number('2')), 'value.payload.after.n'],
  ['another spelling of a number', inValue('after.n', number('1.0')), 'value.payload.after.n'],
  ['a value that became null', inValue('after.v', () => null), 'value.payload.after.v'],
  ['a number that became a text', inValue('after.n', () => '1'), 'value.payload.after.n'],
  [
    'a member that is missing',
    inValue(
      'source',
      (source) => new JsonObject(source instanceof JsonObject ? source.members.filter(([name]) => name !== 'sequence') : []),
    ),
    'value.payload.source.sequence',
  ],
  [
    'members in another order',
    inValue('after', (after) => new JsonObject(after instanceof JsonObject ? after.members.toReversed() : [])),
    'value.payload.after',
  ],
  ['a varying value that is null', inValue('source.gtid', () => null), 'value.payload.source.gtid'],
  ['a time in seconds', inValue('ts_ms', number('1795385733')), 'value.payload.ts_ms'],
  ['a server id of a snapshot', inValue('source.server_id', number('0')), 'value.payload.source.server_id'],
  ['a time that is not the one beside it', inValue('source.ts_us', number('1795385733000001')), 'value.payload.source.ts_us'],
  [
    'a key of another type',
    (record) => ({ ...record, key: mapPayload(record.key, (key) => replaceAt(key, ['id'], () => '10')) }),
    'key.payload.id',
  ],
  ['no key', (record) => ({ ...record, key: { kind: 'none' } }), 'key'],
  ['a value without its schema', (record) => ({ ...withoutSchemas(record), key: record.key }), 'value.schema'],
  ['a tombstone', (record) => ({ ...record, value: { kind: 'none' } }), 'value'],
  ['a text', (record) => ({ ...record, value: { kind: 'text', text: 'x' } }), 'value'],
  ['another partition', (record) => ({ ...record, partition: 1 }), 'record'],
  [
    'another header',
    (record) => ({ ...record, headers: record.headers.map(([name, text]) => [name, name.endsWith('taskId') ? '1' : text]) }),
    'headers["__debezium.context.taskId"]',
  ],
  ['a header less', (record) => ({ ...record, headers: record.headers.slice(1) }), 'headers'],
  ['headers in another order', (record) => ({ ...record, headers: record.headers.toReversed() }), 'headers'],
  [
    'a run that is no UUID',
    (record) => ({ ...record, headers: record.headers.map(([name, text]) => [name, name.endsWith('runId') ? '1' : text]) }),
    'headers["__debezium.context.runId"]',
  ],
];

for (const [what, change, path] of planted) {
  test(`${what} is found`, () => {
    const paths = found('restart', row('a', 10, change));
    assert.ok(paths.includes(`${restartA} ${path}`), paths.join('\n'));
  });
}

test('a change inside of a schema is found', () => {
  const change: Change = (record) => ({ ...record, value: inSchema(record.value) });
  const inSchema = (side: Side): Side => {
    if (side.kind !== 'json') return side;
    return { kind: 'json', json: replaceAt(side.json, ['schema'], (schema) => replaceText(schema)) };
  };
  const replaceText = (value: Json): Json => {
    if (value === 'dflt') return 'other';
    if (value instanceof JsonObject) return value.map((each) => replaceText(each));
    return isList(value) ? value.map((each) => replaceText(each)) : value;
  };
  const paths = found('restart', row('a', 10, change));
  assert.ok(paths.includes(`${restartA} value.schema.fields[1].fields[1].default`), paths.join('\n'));
});

test('a missing record, an extra one and one at another place are told as that', () => {
  const index = (records: readonly GoldenRecord[]): number => records.findIndex((record) => isInsert(record, 'a', 11));
  assert.deepEqual(
    found(
      'restart',
      row('a', 11, () => []),
    ),
    [`${restartA} record`],
  );
  assert.deepEqual(
    found(
      'restart',
      row('a', 11, (record) => [record, { ...record, offset: record.offset + 0.5 }]),
    ).filter((each) => each.endsWith(' record')),
    [`${restartA} record`],
  );
  const moved = found('restart', (records) => {
    const from = index(records);
    const [one, other] = [records[from], records[from + 2]];
    assert.ok(one !== undefined && other !== undefined);
    return records.with(from, { ...other, offset: one.offset }).with(from + 2, { ...one, offset: other.offset });
  });
  assert.ok(moved.length > 0);
});

test('a topic that is missing or should not be is found, and an offset that comes twice', () => {
  assert.ok(found('restart', (records) => records.filter(({ topic }) => topic !== 'restart')).includes('restart topic'));
  assert.ok(found('restart', (records) => [...records, { ...(records[0] as GoldenRecord), topic: 'other' }]).includes('other topic'));
  const twice = found(
    'restart',
    row('a', 11, (record) => ({ ...record, offset: record.offset - 1 })),
  );
  assert.ok(twice.includes(`${restartA} offset`), twice.join('\n'));
});

const related: readonly (readonly [what: string, name: string, table: string, id: number, change: Change, path: string])[] = [
  [
    'rows of one transaction with different GTIDs',
    'restart',
    'a',
    12,
    inValue('source.gtid', () => 'a207a0dc-e6bb-11f1-a945-02fc00000001:99999'),
    'value.payload.source.gtid',
  ],
  ['rows of one event at different positions', 'restart', 'a', 12, inValue('source.pos', number('955290')), 'value.payload.source.pos'],
  [
    'rows of one session with different threads',
    'restart',
    'a',
    12,
    inValue('source.thread', number('99999')),
    'value.payload.source.thread',
  ],
  ['an event that stands before an earlier one', 'restart', 'zz_end', 1, inValue('source.pos', number('5')), 'value.payload.source.pos'],
  [
    'a transaction id that is not the GTID',
    'transactions',
    'zz_end',
    1,
    inValue('transaction.id', () => 'a207a0dc-e6bb-11f1-a945-02fc00000001:99999'),
    'value.payload.transaction.id',
  ],
  [
    'a time that differs within a transaction',
    'restart',
    'a',
    12,
    inValue('source.ts_ns', number('1795385749000001000')),
    'value.payload.source.ts_ns',
  ],
];

for (const [what, name, table, id, change, path] of related) {
  test(`${what} are found`, () => {
    const paths = found(name, row(table, id, change));
    assert.ok(
      paths.some((each) => each.endsWith(` ${path}`)),
      paths.join('\n'),
    );
  });
}

test('a run that is the same after a restart is found', () => {
  const first = scenario('restart').records[0]?.headers.find(([name]) => name.endsWith('runId'))?.[1] ?? null;
  const paths = found(
    'restart',
    row('a', 16, (record) => ({ ...record, headers: record.headers.map(([name, text]) => [name, name.endsWith('runId') ? first : text]) })),
  );
  assert.ok(
    paths.some((each) => each.startsWith(restartA)),
    paths.join('\n'),
  );
});

test('times of another grain are found', () => {
  const seconds = (value: Json): Json =>
    value instanceof JsonNumber ? new JsonNumber(value.text.slice(0, 10).padEnd(value.text.length, '7')) : value;
  const change = (records: readonly GoldenRecord[]): readonly GoldenRecord[] =>
    records.map((record) =>
      ['ts_ms', 'ts_us', 'ts_ns'].reduce((each, name) => [inValue(`source.${name}`, seconds)(each, 0)].flat()[0] as GoldenRecord, record),
    );
  assert.ok(found('restart', change).some((each) => each.endsWith('source.ts_ns')));
});

test('what varies from run to run is no difference', () => {
  const own = scenario('transactions');
  // Another server: all its GTIDs, positions, threads and times are others, in the same relations.
  const other = (value: Json, name: string): Json => {
    if (name === 'thread' && value instanceof JsonNumber) return new JsonNumber(String(Number(value.text) + 5));
    if (name === 'pos' && value instanceof JsonNumber) return new JsonNumber(String(Number(value.text) + 1000));
    if (name === 'file' && typeof value === 'string') return 'mysql-bin.000777';
    if (/^ts_.s$/.test(name) && value instanceof JsonNumber) return new JsonNumber(`18${value.text.slice(2)}`);
    if ((name === 'gtid' || name === 'id') && typeof value === 'string') return value.replace(/^[0-9a-f]{8}/, '00000000');
    return value instanceof JsonObject
      ? value.map((each, own_) => (own_ === 'after' || own_ === 'before' ? each : other(each, own_)))
      : value;
  };
  const records = own.records.map((record) => ({
    ...record,
    offset: record.offset * 2,
    key: mapPayload(record.key, (key) => other(key, '')),
    value: mapPayload(record.value, (value) => other(value, '')),
  }));
  assert.deepEqual(compareRecords(own, records), []);
});

test('of heartbeats only that there are some counts, and what they are', () => {
  const topic = scenario('heartbeat').heartbeatTopic;
  const isBeat = (record: GoldenRecord): boolean => record.topic === topic;
  assert.deepEqual(
    found('heartbeat', (records) => records.filter((record) => !isBeat(record) || record.offset === 0)),
    [],
  );
  assert.ok(found('heartbeat', (records) => records.filter((record) => !isBeat(record))).length > 0);
});

test('records after the end of one that failed count only when they are asked for', () => {
  const more = (records: readonly GoldenRecord[]): readonly GoldenRecord[] =>
    records.flatMap((record) => [record, ...(isInsert(record, 'zz_end', 1) ? [{ ...record, offset: record.offset + 1 }] : [])]);
  assert.ok(found('restart', more).length > 0);
  assert.deepEqual(found('restart', more, { extraAtEnd: true }), []);
});

test('JSON is read with its digits, its order and its repeated members', () => {
  const value = parseJson('{"b":1.0E10,"a":[18446744073709551616,"\\u00e9",null,true],"b":{}}');
  assert.ok(value instanceof JsonObject);
  assert.deepEqual(value.names, ['b', 'a', 'b']);
  assert.equal(textAt(value, ['b']), '1.0E10');
  for (const bad of ['', '{', '[1,]', '{"a":1,}', '01', '1 2', "{'a':1}", 'nul']) assert.throws(() => parseJson(bad), SyntaxError, bad);
});
