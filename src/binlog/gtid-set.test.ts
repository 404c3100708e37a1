import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMillraceError } from '../base/errors.ts';
import { Cursor } from './cursor.ts';
import { GtidSet, formatUuid } from './gtid-set.ts';

const a = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const b = '4350f323-7565-4e59-8763-4b1b83a0ce0e';

test('a GTID set is printed as the server prints it, whatever order and white space it was written in', () => {
  const text = `${b.toUpperCase()}: 7 ,\n${a}:1-5:9:6:backup:3-4:2 , ${a}:Alpha:1`;
  assert.equal(GtidSet.parse(text).toString(), `${a}:1-6:9:alpha:1:backup:2-4,${b}:7`);
  assert.equal(GtidSet.parse('').toString(), '');
  assert.equal(GtidSet.parse(`${a}:5-3`).isEmpty, true);
  assert.equal(GtidSet.parse(`${a.replaceAll('-', '')}:1`).toString(), `${a}:1`);
});

test('text that is no GTID set is refused with the item that is wrong', () => {
  for (const text of [
    'x',
    `${a}:0`,
    `${a}:1-`,
    `${a}:-`,
    `${a}:1:9tag`,
    `${a}x:1`,
    `${a}:${'t'.repeat(33)}:1`,
    ':1',
    `${a}:99999999999999999999`,
  ]) {
    assert.throws(
      () => GtidSet.parse(text),
      (error) => isMillraceError(error, 'CONFIG_INVALID'),
      text,
    );
  }
});

test('the tagged binary form is the one that MySQL 8.3 and newer read', () => {
  const set = GtidSet.parse(`${a}:1-2:t1:5`);
  assert.equal(
    Buffer.from(set.encode()).toString('hex'),
    '0102000000000001' +
      '3e11fa4771ca11e19e33c80aa9429562' +
      '00' +
      '0100000000000000' +
      '0100000000000000' +
      '0300000000000000' +
      '3e11fa4771ca11e19e33c80aa9429562' +
      '047431' +
      '0100000000000000' +
      '0500000000000000' +
      '0600000000000000',
  );
});

test('the untagged binary form starts with the plain number of sources', () => {
  assert.equal(
    Buffer.from(GtidSet.parse(`${a}:1`).encode())
      .subarray(0, 8)
      .toString('hex'),
    '0100000000000000',
  );
  assert.equal(Buffer.from(new GtidSet().encode()).toString('hex'), '0000000000000000');
});

test('a UUID is formatted from its sixteen bytes', () => {
  assert.equal(formatUuid(Buffer.from(`00${a.replaceAll('-', '')}`, 'hex'), 1), a);
});

const gno = fc.integer({ min: 1, max: 40 });
const source = fc.constantFrom(a, b, `${a}:t`, `${a}:u1`);
const gtids = fc.array(fc.tuple(source, gno), { maxLength: 60 });

function build(list: readonly (readonly [string, number])[]): { set: GtidSet; model: Set<string> } {
  const set = new GtidSet();
  const model = new Set<string>();
  for (const [from, number] of list) {
    set.add(from, number);
    model.add(`${from}/${number}`);
  }
  return { set, model };
}

function members(set: GtidSet): Set<string> {
  const result = new Set<string>();
  for (const from of [a, b, `${a}:t`, `${a}:u1`]) {
    for (let number = 1; number <= 45; number++) if (set.has(from, number)) result.add(`${from}/${number}`);
  }
  return result;
}

test('add, has, count, union, subtract, contains and equals agree with a plain set of ids', () => {
  fc.assert(
    fc.property(gtids, gtids, (left, right) => {
      const x = build(left);
      const y = build(right);
      assert.deepEqual(members(x.set), x.model);
      assert.equal(x.set.count, x.model.size);
      assert.deepEqual(members(x.set.union(y.set)), x.model.union(y.model));
      assert.deepEqual(members(x.set.subtract(y.set)), x.model.difference(y.model));
      assert.equal(x.set.contains(y.set), y.model.isSubsetOf(x.model));
      assert.equal(x.set.equals(y.set), y.model.symmetricDifference(x.model).size === 0);
      assert.equal(x.set.isEmpty, x.model.size === 0);
      assert.deepEqual(members(x.set), x.model, 'the operands are not changed');
    }),
  );
});

test('text and bytes of a set read back to the same set', () => {
  fc.assert(
    fc.property(gtids, (list) => {
      const { set } = build(list);
      assert.equal(GtidSet.parse(set.toString()).toString(), set.toString());
      const bytes = set.encode();
      const cursor = new Cursor(bytes, 0, bytes.length, 'test');
      assert.equal(GtidSet.decode(cursor).toString(), set.toString());
      assert.equal(cursor.remaining, 0);
    }),
  );
});

test('ranges added in any order give the same text', () => {
  const range = fc.tuple(source, gno, fc.integer({ min: 0, max: 6 }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (list) => {
      const forward = new GtidSet();
      const single = new GtidSet();
      for (const [from, first, more] of list) forward.addRange(from, first, first + more);
      for (const [from, first, more] of list.toReversed()) {
        for (let number = first + more; number >= first; number--) single.add(from, number);
      }
      assert.equal(forward.toString(), single.toString());
    }),
  );
});

test('a cut binary form is TRUNCATED, never a crash', () => {
  const bytes = GtidSet.parse(`${a}:1-5:7:tag:1,${b}:3`).encode();
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(
      () => GtidSet.decode(new Cursor(bytes, 0, end, 'test')),
      (error) => isMillraceError(error, 'TRUNCATED'),
    );
  }
});
