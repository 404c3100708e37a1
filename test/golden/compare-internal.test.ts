import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareInternalTopic, compareOffsets } from './compare-internal.ts';
import { loadScenarios } from './scenario.ts';
import { splitStatements } from './statements.ts';

const [restart] = [...loadScenarios('mysql').values()].filter(({ name }) => name === 'restart');
assert.ok(restart);
const { connectorName } = restart;
const key = JSON.stringify([connectorName, { server: 'restart' }]);
const offset = { ts_sec: 1, file: 'b.000009', pos: 4, gtids: 'x', row: 1, server_id: 7, event: 2 };

function offsets(value: object): readonly string[] {
  const ours = new Map([
    [key, JSON.stringify(value)],
    ['["another",{}]', '{}'],
  ]);
  assert.ok(restart);
  return compareInternalTopic('connect-offsets', restart.offsetLines, { connectorName, ours }).map(({ path }) => path);
}

test('a topic of the worker is compared by the last record of each key, but for places and times', () => {
  assert.deepEqual(offsets(offset), []);
  assert.deepEqual(offsets({ ...offset, event: 3 }), ['value.event']);
  assert.deepEqual(offsets({ ...offset, pos: '4' }), ['value.pos']);
  assert.deepEqual(offsets({ ...offset, more: 1 }), ['value.more']);
  const { row: _, ...rest } = offset;
  assert.deepEqual(offsets(rest), ['value.row']);
});

test('a key that is missing or should not be is found', () => {
  const ours = new Map([[`connector-${connectorName}-2`, '{}']]);
  const found = compareInternalTopic('connect-configs', restart.configLines, { connectorName, ours });
  const expected = [...new Set(restart.configLines.map((line) => String(JSON.parse(line).key)))].filter(
    (each) => !each.startsWith('task-'),
  );
  for (const name of expected) {
    assert.ok(
      found.some(({ record, got }) => record === name && got === '(missing)'),
      name,
    );
  }
  assert.ok(found.some(({ record, expected: recorded }) => record === `connector-${connectorName}-2` && recorded === '(no such key)'));
});

test('the answers about offsets are compared in their order', () => {
  const answers = ['running', 'stopped', 'resumed'].map((after) => ({
    after,
    offsets: [{ partition: { server: 'restart' }, offset }],
  }));
  assert.deepEqual(compareOffsets(restart, answers), []);
  assert.ok(compareOffsets(restart, answers.slice(1)).length > 0);
});

test('statements end at a line that ends with a semicolon, and directives stand on lines of their own', () => {
  assert.deepEqual(
    splitStatements("-- a comment\nINSERT INTO t VALUES ('a; b\nc');\n-- @quiet 100\n-- @resume nowait\nSELECT 1;\n\nSELECT 2"),
    [
      { kind: 'sql', sql: "INSERT INTO t VALUES ('a; b\nc')" },
      { kind: 'directive', verb: 'quiet', rest: '100' },
      { kind: 'directive', verb: 'resume', rest: 'nowait' },
      { kind: 'sql', sql: 'SELECT 1' },
      { kind: 'sql', sql: 'SELECT 2' },
    ],
  );
});
