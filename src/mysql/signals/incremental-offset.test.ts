import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from '../../event/table-schema.ts';
import { incrementalOffset, incrementalOfOffset } from './incremental-offset.ts';
import type { IncrementalState } from './incremental-state.ts';

const integers =
  'aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c020000787000000001737200116a6176612e6c616e672e496e746567' +
  '657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b0200007870';
/** As a real Debezium stored them, paused at the 23rd of 200 rows. */
const recorded = {
  incremental_snapshot_correlation_id: 's1',
  incremental_snapshot_maximum_key: `${integers}000000c8`,
  incremental_snapshot_collections:
    '[{"incremental_snapshot_collections_id":"incremental_stop.big","incremental_snapshot_collections_additional_condition":null,' +
    '"incremental_snapshot_collections_surrogate_key":null}]',
  incremental_snapshot_primary_key: `${integers}00000017`,
};
const big = { database: 'incremental_stop', table: 'big', filter: null, surrogateKey: null };
const state: IncrementalState = { id: 's1', tables: [big], maximum: ['200'], last: ['23'], rows: 0, paused: false };

function column(kind: 'int' | 'text' | 'date'): Column {
  const type = kind === 'int' ? ({ kind, bits: 32, unsigned: false } as const) : { kind };
  return { name: kind, type, nullable: false, nativeType: kind.toUpperCase() };
}

test('an open incremental snapshot is in the offset as Debezium stores it, and is read back', () => {
  assert.deepEqual(
    incrementalOffset(state, () => [column('int')]),
    recorded,
  );
  assert.deepEqual(incrementalOfOffset({ file: 'b.1', pos: 4, ...recorded }), state);
});

test('keys of texts keep their characters', () => {
  const texts: IncrementalState = { ...state, maximum: ["_utf8mb4 x'7ac3a9'", '7'], last: ["_utf8mb4 x'61'", '-7'] };
  const offset = incrementalOffset(texts, () => [column('text'), column('int')]);
  assert.deepEqual(incrementalOfOffset(offset), texts);
});

test('a table whose key is of other types, or not begun, is read from its begin', () => {
  const begun = { ...state, maximum: null, last: null };
  const dates = incrementalOffset({ ...state, maximum: ["_utf8mb4 x'32'"], last: ["_utf8mb4 x'31'"] }, () => [column('date')]);
  for (const offset of [dates, incrementalOffset(begun, () => [column('int')])]) {
    assert.equal(offset['incremental_snapshot_primary_key'], 'aced000570');
    assert.deepEqual(incrementalOfOffset(offset), begun);
  }
});

test('conditions and surrogate keys of tables that wait are told', () => {
  const tables = [big, { database: 'shop', table: 'a.b', filter: 'id > 3', surrogateKey: 'v' }];
  assert.deepEqual(incrementalOfOffset(incrementalOffset({ ...state, tables }, () => [column('int')]))?.tables, tables);
});

test('an offset without any tells of none', () => {
  assert.deepEqual(
    incrementalOffset(undefined, () => undefined),
    {},
  );
  for (const offset of [undefined, {}, { incremental_snapshot_collections: '[]' }, { incremental_snapshot_collections: 'x' }]) {
    assert.equal(incrementalOfOffset(offset), null);
  }
});
