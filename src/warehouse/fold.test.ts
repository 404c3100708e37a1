import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readImage } from '../event/cell.ts';
import type { TableSchema } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import type { Fold, ImageBytes } from './fold.ts';
import { column, History, int, table, text, type Row } from './group.fixture.ts';
import { KeyedFold } from './keyed-fold.ts';
import { KeylessFold } from './keyless-fold.ts';
import { createRowLayout, locateCells } from './row-image.ts';

const columns = [column('id', int, { nullable: false }), column('name', text), column('size', { kind: 'double', unsigned: false })];
const byId = table('d', 't', columns, [0]);
const byName = table('d', 't', columns, [1, 0]);
const keyless = table('d', 't', columns, []);
const lastKey = table('d', 't', [column('name', text), column('id', { kind: 'int', bits: 64, unsigned: true })], [1]);

function valuesAt(schema: Pick<TableSchema, 'columns'>, { bytes }: ImageBytes, start: number): Value[] {
  const layout = createRowLayout(schema.columns);
  const cells = new Float64Array(layout.columns + 1);
  locateCells(bytes, start, layout, cells);
  const whole = { ...byId, columns: schema.columns };
  return readImage(whole, bytes, start, cells[layout.columns] ?? 0);
}

function listOf(set: Fold['deletes']): Value[][] {
  const rows: Value[][] = [];
  set.visit(0, set.extent, (image, start) => rows.push(valuesAt({ columns: set.columns }, image, start)));
  assert.equal(rows.length, set.count);
  return rows;
}

function foldHistory(history: History, fold: Fold): Fold {
  for (const entry of history.group().entries) if (entry.kind === 'changes') fold.add(entry.batch, 0, entry.batch.count);
  return fold;
}

const sorted = (rows: readonly (readonly Value[])[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value === undefined ? 'absent' : value)),
    )
    .toSorted();

interface Step {
  readonly kind: 'insert' | 'update' | 'delete' | 'move';
  readonly key: number;
  readonly name: string | null;
  readonly size: number | null;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('insert', 'update', 'update', 'delete', 'move'),
  key: fc.integer({ min: 0, max: 12 }),
  name: fc.option(fc.constantFrom('a', 'b', 'a longer name of thirty bytes..'), { nil: null }),
  size: fc.option(fc.constantFrom(0, 1.5, -2), { nil: null }),
});

/** Plays steps over some rows; the rows before and after, and the history. */
function play(schema: TableSchema, keyOf: (row: Row) => string, rowOf: (step: Step) => Row, steps: readonly Step[]) {
  const before = new Map<string, Row>();
  for (let key = 0; key < 6; key++) {
    const row = rowOf({ kind: 'insert', key, name: 'start', size: key });
    before.set(keyOf(row), row);
  }
  const live = new Map(before);
  const history = new History();
  const fold = new KeyedFold(schema);
  history.transaction((tx) => {
    for (const each of steps) {
      const row = rowOf(each);
      const old = [...live.values()][each.key % Math.max(1, live.size)];
      if (each.kind === 'insert') {
        if (live.has(keyOf(row))) continue;
        tx.insert(schema, row);
      } else if (old === undefined) {
        continue;
      } else if (each.kind === 'delete') {
        tx.delete(schema, old);
        live.delete(keyOf(old));
        continue;
      } else {
        const target = each.kind === 'move' ? row : row.map((value, index) => (schema.primaryKey.includes(index) ? old[index] : value));
        if (keyOf(target) !== keyOf(old) && live.has(keyOf(target))) continue;
        tx.update(schema, old, target);
        live.delete(keyOf(old));
        live.set(keyOf(target), target);
        continue;
      }
      live.set(keyOf(row), row);
    }
  });
  foldHistory(history, fold);
  return { before, live, fold };
}

function checkKeyed(schema: TableSchema, keyOf: (row: Row) => string, rowOf: (step: Step) => Row): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { before, live, fold } = play(schema, keyOf, rowOf, steps);
      const replica = new Map(before);
      for (const key of listOf(fold.deletes)) {
        const row: Value[] = [];
        for (const [index, position] of schema.primaryKey.entries()) row[position] = key[index];
        assert.ok(replica.delete(keyOf(row)), 'a key to delete stands in the replica');
      }
      for (const row of listOf(fold.inserts)) {
        assert.ok(!replica.has(keyOf(row)), 'a row to insert has a free key');
        replica.set(keyOf(row), row);
      }
      assert.equal(fold.partials.count, 0);
      assert.deepEqual(sorted([...replica.values()]), sorted([...live.values()]));
    }),
  );
}

test('deletes and inserts of a fold make the state after from the state before, for an integer key', () => {
  checkKeyed(
    byId,
    (row) => String(row[0]),
    ({ key, name, size }) => [key, name, size],
  );
});

test('so they do for a key of several columns, one of them text', () => {
  checkKeyed(
    byName,
    (row) => `${String(row[1])}/${String(row[0])}`,
    ({ key, name, size }) => [key, name ?? 'none', size],
  );
});

test('so they do for a 64-bit key behind a column of no fixed width', () => {
  checkKeyed(
    lastKey,
    (row) => String(row[1]),
    ({ key, name }) => [name, (BigInt(key) << 60n) | BigInt(key)],
  );
});

test('rows without a key are counted, each by all of its bytes', () => {
  const row = fc.tuple(fc.integer({ min: 0, max: 1 }), fc.constantFrom('x', 'y', null), fc.constantFrom(1, null));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), fc.array(fc.tuple(fc.nat(2), row, fc.nat(20)), { maxLength: 30 }), (start, steps) => {
      const live: Row[] = [...start];
      const history = new History();
      history.transaction((tx) => {
        for (const [kind, values, at] of steps) {
          const old = live[at % Math.max(1, live.length)];
          if (kind === 0 || old === undefined) {
            tx.insert(keyless, values);
            live.push(values);
          } else if (kind === 1) {
            tx.delete(keyless, old);
            live.splice(live.indexOf(old), 1);
          } else {
            tx.update(keyless, old, values);
            live[live.indexOf(old)] = values;
          }
        }
      });
      const fold = foldHistory(history, new KeylessFold(keyless));
      const replica = sorted(start);
      for (const gone of sorted(listOf(fold.deletes))) {
        const at = replica.indexOf(gone);
        assert.ok(at >= 0);
        replica.splice(at, 1);
      }
      assert.deepEqual([...replica, ...sorted(listOf(fold.inserts))].toSorted(), sorted(live));
    }),
  );
});

interface Partial {
  readonly row: Row;
  readonly origin: readonly Value[] | undefined;
}

function partialsOf(fold: Fold): Partial[] {
  const found: Partial[] = [];
  const set = fold.partials;
  set.visitWithOrigins(0, set.extent, (image, start, origin, originStart) => {
    found.push({
      row: valuesAt({ columns: set.columns }, image, start),
      origin: origin === undefined ? undefined : valuesAt({ columns: set.originColumns }, origin, originStart),
    });
  });
  return found;
}

test('partial images are laid over each other, and what is missing comes from the old row of the replica', () => {
  const history = new History().transaction((tx) => {
    tx.update(byId, [1, undefined, undefined], [undefined, 'new', undefined]);
    tx.update(byId, [2, undefined, undefined], [undefined, 'first', undefined]);
    tx.update(byId, [2, undefined, undefined], [undefined, undefined, 7]);
  });
  const fold = foldHistory(history, new KeyedFold(byId));
  assert.deepEqual(partialsOf(fold), [{ row: [1, 'new', undefined], origin: [1] }]);
  assert.deepEqual(listOf(fold.inserts), [[2, 'first', 7]]);
  assert.deepEqual(listOf(fold.deletes), [[1], [2]]);
});

test('a row that moves to another key is completed from the key that it had in the replica', () => {
  const history = new History().transaction((tx) => {
    tx.update(byId, [1, undefined, undefined], [5, undefined, undefined]);
    tx.update(byId, [5, undefined, undefined], [6, 'moved twice', undefined]);
    tx.insert(byId, [1, 'another', 0]);
  });
  const fold = foldHistory(history, new KeyedFold(byId));
  assert.deepEqual(partialsOf(fold), [{ row: [6, 'moved twice', undefined], origin: [1] }]);
  assert.deepEqual(listOf(fold.deletes), [[1]]);
  assert.deepEqual(listOf(fold.inserts), [[1, 'another', 0]]);
});

test('a row that was inserted in the same fold needs nothing of the replica', () => {
  const history = new History().transaction((tx) => {
    tx.insert(byId, [1, 'a', 1]);
    tx.update(byId, [1, undefined, undefined], [undefined, 'b', undefined]);
  });
  const fold = foldHistory(history, new KeyedFold(byId));
  assert.deepEqual(listOf(fold.inserts), [[1, 'b', 1]]);
  assert.equal(fold.deletes.count, 0);
});
