import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration, formatTable } from './table-text.ts';
import { createPaint, hasColors } from './terminal.ts';

const plain = createPaint(false);

test('columns are aligned, numbers to the right, nulls told from empty texts', () => {
  const columns = [{ name: 'name' }, { name: 'n', right: true }];
  assert.equal(
    formatTable(
      columns,
      [
        ['a', '10'],
        [null, '2'],
        ['', null],
      ],
      plain,
    ),
    ['name   n', '────  ──', 'a     10', '∅      2', '       ∅'].join('\n'),
  );
});

test('a text of two columns a character is aligned as the terminal shows it', () => {
  const text = formatTable(
    [{ name: 'x' }, { name: 'y' }],
    [
      ['大輔', 'a'],
      ['abcd', 'b'],
      ['é́', 'c'],
    ],
    plain,
  );
  assert.deepEqual(text.split('\n').slice(2), ['大輔  a', 'abcd  b', 'é́     c']);
});

test('line breaks do not break the table, and long texts are cut', () => {
  const [, , first, second] = formatTable([{ name: 'x' }], [['a\nb\tc'], ['y'.repeat(500)]], plain).split('\n');
  assert.equal(first, 'a⏎b⇥c');
  assert.equal(second, `${'y'.repeat(59)}…`);
});

test('durations and sizes are in the unit that people would use', () => {
  assert.deepEqual([850, 4200, 200_000, 7_500_000].map(formatDuration), ['850 ms', '4.2 s', '3 m 20 s', '2 h 5 m']);
  assert.deepEqual([0, 999, 350_000, 1.2e9].map(formatBytes), ['0 B', '999 B', '350 KB', '1.2 GB']);
});

test('colours need a terminal, and NO_COLOR, TERM and FORCE_COLOR are obeyed', () => {
  assert.equal(hasColors({ isTTY: true }, {}), true);
  assert.equal(hasColors({}, {}), false);
  assert.equal(hasColors({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(hasColors({ isTTY: true }, { NO_COLOR: '' }), true);
  assert.equal(hasColors({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(hasColors({}, { FORCE_COLOR: '1' }), true);
  assert.equal(hasColors({ isTTY: true }, { FORCE_COLOR: '0' }), false);
});
