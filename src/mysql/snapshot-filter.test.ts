import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { writeImage } from '../event/cell.ts';
import type { TableSchema } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { SnapshotFilter, decision } from './snapshot-filter.ts';
import { KeyReader, compareKeys, keyOrderOf } from './snapshot-key.ts';
import type { KeyBytes, KeyOrder } from './snapshot-key.ts';
import { headerRecord, partRecord, readSnapshotState, restoreTable, snapshotTopic, tableRecords } from './snapshot-state.ts';
import { applyChunk, createSnapshotTable, isDone, resumeKey } from './snapshot-table.ts';
import type { Part, SnapshotTable } from './snapshot-table.ts';
import { column, int, schemaOf } from './snapshot.fixture.ts';

const keyed = schemaOf(
  { database: 'd', table: 'keyed' },
  [
    column('v', int),
    column('a', { kind: 'int', bits: 8, unsigned: false }, { nullable: false }),
    column('b', { kind: 'binary' }, { nullable: false }),
  ],
  [1, 2],
);
const collated = schemaOf(
  { database: 'd', table: 'collated' },
  [column('v', int), column('a', int), column('b', { kind: 'text' })],
  [1, 2],
);

/** A row of the model: its key is (a, b), b as hex. */
interface Row {
  readonly a: number;
  readonly b: string;
  readonly v: number;
}

interface Change {
  readonly pos: number;
  readonly before?: Row;
  readonly after?: Row;
}

const keyText = ({ a, b }: Row): string => `${a}/${b}`;
/** The server's order of keys, told apart from `compareKeys`: signed numbers, then bytes. */
const serverOrder = (x: Row, y: Row): number => x.a - y.a || (x.b < y.b ? -1 : x.b > y.b ? 1 : 0);

/** All keys there are, few enough to meet often. */
const keySpace: readonly Omit<Row, 'v'>[] = [-128, -1, 0, 1, 127].flatMap((a) =>
  ['', '00', '0000', '61', '61ff', 'ff'].map((b) => ({ a, b })),
);

function imageOf(schema: TableSchema, row: Row): Uint8Array {
  const writer = new ByteWriter(64);
  const b: Value = schema === keyed ? new Uint8Array(Buffer.from(row.b, 'hex')) : row.b;
  writeImage(schema, [row.v, row.a, b], writer);
  return writer.toBytes();
}

/** Every change is one transaction; its place is its number, a view at place p holds those up to p. */
function history(numbers: readonly number[]): { changes: Change[]; stateAt: (pos: number) => Map<string, Row> } {
  const state = new Map<string, Row>();
  const changes: Change[] = [];
  for (const [i, number] of numbers.entries()) {
    const pick = keySpace[number % keySpace.length] ?? { a: 0, b: '' };
    const row = { ...pick, v: i };
    const known = state.get(keyText(row));
    const other = [...state.values()][number % Math.max(1, state.size)];
    if (known === undefined && other !== undefined && number % 3 === 0) {
      changes.push({ pos: i + 1, before: other, after: row });
      state.delete(keyText(other));
      state.set(keyText(row), row);
    } else if (known === undefined) {
      changes.push({ pos: i + 1, after: row });
      state.set(keyText(row), row);
    } else if (number % 2 === 0) {
      changes.push({ pos: i + 1, before: known });
      state.delete(keyText(known));
    } else {
      changes.push({ pos: i + 1, before: known, after: row });
      state.set(keyText(row), row);
    }
  }
  return {
    changes,
    stateAt(pos) {
      const rows = new Map<string, Row>();
      for (const change of changes) {
        if (change.pos > pos) break;
        if (change.before !== undefined) rows.delete(keyText(change.before));
        if (change.after !== undefined) rows.set(keyText(change.after), change.after);
      }
      return rows;
    },
  };
}

/** The sink: a row that is there already, or that is not there, is an error. */
class Sink {
  readonly rows = new Map<string, Row>();

  insert(row: Row): void {
    assert.ok(!this.rows.has(keyText(row)), `${keyText(row)} is inserted twice`);
    this.rows.set(keyText(row), row);
  }

  delete(row: Row): void {
    assert.deepEqual(this.rows.get(keyText(row)), row, `${keyText(row)} is deleted, and is not there`);
    this.rows.delete(keyText(row));
  }
}

/** Place p lies behind transaction p, and transaction p has its events at 10 p - 5. */
const placeOf = (pos: number): { file: string; pos: number } => ({ file: 'bin.000001', pos: 10 * pos });
const eventPlace = (pos: number): { file: string; pos: number } => ({ file: 'bin.000001', pos: 10 * pos - 5 });

function keyOf(order: KeyOrder, row: Row): KeyBytes {
  const key = new KeyReader(order).read(imageOf(order.schema, row), 0);
  assert.ok(key !== undefined);
  return key;
}

interface Scenario {
  readonly schema: TableSchema;
  readonly numbers: readonly number[];
  readonly bounds: readonly number[];
  readonly schedule: readonly number[];
}

const byKey = ([a]: readonly [string, Row], [b]: readonly [string, Row]): number => (a < b ? -1 : 1);

function run({ schema, numbers, bounds, schedule }: Scenario): void {
  const { changes, stateAt } = history(numbers);
  const order = keyOrderOf(schema);
  const sortedBounds = [...new Set(bounds)].map((i) => keySpace[i % keySpace.length] ?? { a: 0, b: '' }).map((key) => ({ ...key, v: 0 }));
  sortedBounds.sort(serverOrder);
  const cuts = order === undefined ? [] : [...new Map(sortedBounds.map((row) => [keyText(row), keyOf(order, row)])).values()];
  let table: SnapshotTable = createSnapshotTable(schema, cuts, { estimate: 0 });
  const records = new Map<string, string>();
  const store = (list: readonly { topic: string; key: string; value: string | null }[]): void => {
    for (const { topic, key, value } of list) {
      assert.equal(topic, snapshotTopic);
      if (value === null) records.delete(key);
      else records.set(key, value);
    }
  };
  store([headerRecord('c', { snapshot: 's', initial: true }), ...tableRecords('c', table)]);
  const filter = new SnapshotFilter();
  filter.set(table);
  const sink = new Sink();
  let streamed = 0;
  const last = changes.length;

  const stream = (until: number): void => {
    for (; streamed < until; streamed++) {
      const change = changes[streamed];
      if (change !== undefined) apply({ schema, filter, sink }, change);
    }
  };
  const readChunk = (choice: number): void => {
    const open = table.parts.filter(({ done }) => !done);
    const part: Part | undefined = open[choice % open.length];
    if (part === undefined) return;
    // A view at or after the stream.
    const view = streamed + (Math.floor(choice / 7) % (last - streamed + 1));
    const from = resumeKey(part);
    const inside = [...stateAt(view).values()].sort(serverOrder).filter((row) => {
      if (order === undefined) return true;
      const key = keyOf(order, row);
      return (
        (from === undefined || compareKeys(order, from, key) < 0) && (part.high === undefined || compareKeys(order, key, part.high) <= 0)
      );
    });
    const count = order === undefined ? inside.length : Math.floor(choice / 3) % (inside.length + 2);
    const chunk = inside.slice(0, count);
    const done = count > inside.length || order === undefined;
    const lastRow = chunk.at(-1);
    if (!done && lastRow === undefined) return;
    for (const row of chunk) sink.insert(row);
    const to = done || order === undefined || lastRow === undefined ? undefined : keyOf(order, lastRow);
    applyChunk({ table, part, to, done, place: placeOf(view), rows: chunk.length });
    filter.changed(table.name);
    store([partRecord('c', table, part)]);
  };
  const restart = (): void => {
    const stored = readSnapshotState('c', records)?.tables[0];
    const restored = stored === undefined ? undefined : restoreTable(stored, schema, undefined);
    assert.ok(restored !== undefined);
    table = restored;
    filter.clear();
    filter.set(table);
  };

  for (const choice of schedule) {
    if (choice % 5 === 0) stream(streamed + (Math.floor(choice / 5) % (last - streamed + 1)));
    else if (choice % 11 === 0) restart();
    else readChunk(choice);
  }
  for (let i = 0; !isDone(table); i++) readChunk(3 * keySpace.length + 7 * i + 1);
  stream(last);
  assert.deepEqual(new Map([...sink.rows].sort(byKey)), new Map([...stateAt(last)].sort(byKey)));
}

function apply({ schema, filter, sink }: { schema: TableSchema; filter: SnapshotFilter; sink: Sink }, change: Change): void {
  const before = change.before === undefined ? undefined : imageOf(schema, change.before);
  const after = change.after === undefined ? undefined : imageOf(schema, change.after);
  const bytes = Buffer.concat([before ?? Buffer.alloc(0), after ?? Buffer.alloc(0)]);
  const images = { schema, bytes, before: before === undefined ? -1 : 0, after: after === undefined ? -1 : (before?.length ?? 0) };
  const verdict = filter.table(schema)?.decide(images, eventPlace(change.pos)) ?? decision.keep;
  assert.notEqual(verdict, decision.restart);
  if (change.before !== undefined && (verdict === decision.keep || verdict === decision.splitToDelete)) sink.delete(change.before);
  if (change.after !== undefined && (verdict === decision.keep || verdict === decision.splitToInsert)) sink.insert(change.after);
}

const numbers = fc.array(fc.nat(10_000), { maxLength: 60 });

test('chunks of any views and the changes that the filter keeps make the final state, each row once', () => {
  fc.assert(
    fc.property(numbers, fc.array(fc.nat(100), { maxLength: 4 }), fc.array(fc.nat(10_000), { maxLength: 40 }), (past, bounds, schedule) =>
      run({ schema: keyed, numbers: past, bounds, schedule }),
    ),
    { numRuns: 2000 },
  );
});

test('a table that is read in one chunk is told apart by its view alone', () => {
  fc.assert(
    fc.property(numbers, fc.array(fc.nat(10_000), { maxLength: 10 }), (past, schedule) =>
      run({ schema: collated, numbers: past, bounds: [], schedule }),
    ),
    { numRuns: 500 },
  );
});

/** Two parts, split at key (0, ''): the lower one read at place 20, the upper one at place 40. */
function split(): SnapshotFilter {
  const order = keyOrderOf(keyed);
  assert.ok(order !== undefined);
  const table = createSnapshotTable(keyed, [keyOf(order, { a: 0, b: '', v: 0 })], { estimate: 0 });
  const [lower, upper] = table.parts;
  assert.ok(lower !== undefined && upper !== undefined);
  applyChunk({ table, part: lower, to: undefined, done: true, place: { file: 'bin.000001', pos: 20 }, rows: 1 });
  applyChunk({ table, part: upper, to: undefined, done: true, place: { file: 'bin.000001', pos: 40 }, rows: 1 });
  const filter = new SnapshotFilter();
  filter.set(table);
  return filter;
}

function decideImages(values: { before?: readonly Value[]; after?: readonly Value[] }, pos: number): number | undefined {
  const writer = new ByteWriter(64);
  if (values.before !== undefined) writeImage(keyed, values.before, writer);
  const middle = writer.length;
  if (values.after !== undefined) writeImage(keyed, values.after, writer);
  const images = {
    schema: keyed,
    bytes: writer.toBytes(),
    before: values.before === undefined ? -1 : 0,
    after: values.after === undefined ? -1 : middle,
  };
  return split().table(keyed)?.decide(images, { file: 'bin.000001', pos });
}

test('key columns that a minimal row image leaves out are those of the before image', () => {
  const x = new Uint8Array([0x61]);
  assert.equal(decideImages({ before: [undefined, -1, x], after: [7, undefined, undefined] }, 30), decision.keep);
  assert.equal(decideImages({ before: [undefined, 1, x], after: [7, undefined, undefined] }, 30), decision.drop);
  assert.equal(decideImages({ before: [undefined, -1, x], after: [undefined, 1, undefined] }, 30), decision.splitToDelete);
  assert.equal(
    decideImages({ before: [undefined, 1, x], after: [undefined, -1, undefined] }, 30),
    decision.restart,
    'no chunk has the whole row',
  );
  assert.equal(decideImages({ before: [5, 1, x], after: [5, -1, x] }, 30), decision.splitToInsert);
});

test('a statement between the views of a table asks for reading it anew', () => {
  const table = split().table(keyed);
  assert.equal(table?.decideStatement({ file: 'bin.000001', pos: 15 }), decision.drop);
  assert.equal(table?.decideStatement({ file: 'bin.000001', pos: 20 }), decision.restart);
  assert.equal(table?.decideStatement({ file: 'bin.000001', pos: 40 }), decision.keep);
  assert.equal(table?.decideStatement({ file: 'bin.000002', pos: 4 }), decision.keep);
  assert.equal(split().table(collated), undefined);
});

test('a table that was gone drops everything until its filter is removed', () => {
  const filter = new SnapshotFilter();
  filter.setGone(createSnapshotTable(keyed, [], { estimate: 0 }));
  assert.equal(filter.table(keyed)?.decideStatement({ file: 'bin.000009', pos: 4 }), decision.drop);
  filter.delete(keyed);
  assert.equal(filter.table(keyed), undefined);
});
