import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDebeziumRenderer } from './debezium-renderer.ts';
import { loadCorrected, recordText, type RecordText } from './golden-expected.ts';
import { fixtureNames, tableAt, type GoldenFixture } from './golden-fixture.ts';
import { replayTopic, type Substitute } from './golden-replay.ts';
import { elementsOf, membersOf } from './golden-text.ts';

for (const name of fixtureNames()) {
  const fixture = loadCorrected(name);

  test(`${name}: keys, values, schemas and headers are those that Debezium wrote`, () => {
    compare(fixture, (_column, value) => value);
  });

  test(
    `${name}: NULL in a column with a default is its default`,
    { skip: !fixture.options.replaceNullWithDefault && 'this recording keeps NULL, as it was configured' },
    () => {
      const defaults = defaultsOf(fixture);
      compare(fixture, (column, value, token) => (column.nullable && token === defaults.get(column) ? null : value));
    },
  );

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
    const expected = fixture.records.filter((record) => record.schema.topic === topic).map((record) => recordText(fixture, record));
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

/** Compares long texts; says where they part. */
function assertSame(actual: string | null | undefined, expected: string | null, where: string): void {
  if (actual === expected) return;
  const [a, b] = [String(actual), String(expected)];
  let at = 0;
  while (a[at] === b[at]) at++;
  const from = Math.max(0, at - 80);
  assert.fail(`${where}, at ${at}\n  is  ${a.slice(from, at + 100)}\n  not ${b.slice(from, at + 100)}`);
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
