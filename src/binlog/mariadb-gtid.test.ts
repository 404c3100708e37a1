import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMillraceError } from '../base/errors.ts';
import { MariadbGtidList, formatMariadbGtid, parseMariadbGtid } from './mariadb-gtid.ts';

test('a position keeps the last transaction of each domain', () => {
  const list = MariadbGtidList.parse(' 1-2-3, 0-1-100 ,0-7-99');
  assert.equal(list.toString(), '0-1-100,1-2-3');
  list.add(parseMariadbGtid('0-9-101'));
  assert.equal(list.toString(), '0-9-101,1-2-3');
  assert.equal(list.has(parseMariadbGtid('0-1-100')), true);
  assert.equal(list.has(parseMariadbGtid('1-2-4')), false);
  assert.equal(list.has(parseMariadbGtid('2-2-1')), false);
  assert.equal(MariadbGtidList.parse('').isEmpty, true);
});

test('text that is no GTID is refused', () => {
  for (const text of ['1-2', '1-2-3-4', 'a-1-1', '4294967296-1-1', '0-1-9007199254740992']) {
    assert.throws(
      () => MariadbGtidList.parse(text),
      (error) => isMillraceError(error, 'CONFIG_INVALID'),
    );
  }
});

const gtid = fc.record({
  domain: fc.integer({ min: 0, max: 3 }),
  server: fc.integer({ min: 1, max: 3 }),
  sequence: fc.integer({ min: 1, max: 20 }),
});
const position = fc.array(gtid, { maxLength: 8 }).map((list) => MariadbGtidList.parse(list.map(formatMariadbGtid).join(',')));

test('union is the least position that contains both, and subtract leaves what is missing', () => {
  fc.assert(
    fc.property(position, position, (x, y) => {
      const both = x.union(y);
      assert.ok(both.contains(x) && both.contains(y));
      for (const each of both.gtids) {
        assert.ok(x.get(each.domain)?.sequence === each.sequence || y.get(each.domain)?.sequence === each.sequence);
      }
      assert.equal(x.subtract(y).isEmpty, y.contains(x));
      assert.ok(MariadbGtidList.parse(x.toString()).equals(x));
    }),
  );
});
