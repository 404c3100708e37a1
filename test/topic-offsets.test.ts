import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { debeziumOptions } from '../src/codec/debezium-options.ts';
import { createDebeziumRenderer } from '../src/codec/debezium-renderer.ts';
import type { CommitGroup, Entry } from '../src/connect/commit-group.ts';
import { writeImage } from '../src/event/cell.ts';
import { ChangeBatchBuilder, op } from '../src/event/change-batch.ts';
import { createTableSchema } from '../src/event/table-schema.ts';
import type { Value } from '../src/event/value.ts';
import { recordRules } from '../src/cli/record-rules.ts';
import { optionsOfProperties } from '../src/codec/options-of-properties.ts';
import { countDebeziumRecords } from '../src/log/record-count.ts';

const column = (name: string) => ({ name, type: { kind: 'text' as const }, nullable: true, nativeType: 'VARCHAR' });
const columns = ['a', 'b', 'c', 'd', 'e'].map(column);
const group: CommitGroup = {
  source: 'p',
  seq: 1,
  position: { file: 'b', pos: 4, gtids: '' },
  open: false,
  file: 'b',
  transactions: {
    count: 1,
    gtidSources: [''],
    gtidSource: new Uint16Array(1),
    gtidSequence: new Float64Array(1),
    committedMicros: new Float64Array(1),
    threadId: new Uint32Array(1),
    serverId: new Uint32Array(1),
  },
  events: { count: 1, transaction: new Uint32Array(1), pos: new Float64Array(1), seconds: new Uint32Array(1) },
  entries: [],
};

const cell: fc.Arbitrary<Value> = fc.constantFrom(null, undefined, '', 'x', 'y');
const image = fc.tuple(cell, cell, cell, cell, cell);
const change = fc.tuple(fc.constantFrom(op.insert, op.update, op.delete), image, image);

type Change = typeof change extends fc.Arbitrary<infer Each> ? Each : never;

function changesEntry(primaryKey: readonly number[], changes: readonly Change[]): Extract<Entry, { kind: 'changes' }> {
  const schema = createTableSchema({ database: 'd', table: 't', columns, primaryKey });
  const builder = new ChangeBatchBuilder(schema);
  for (const [code, before, after] of changes) {
    builder.begin(code, 0);
    if (code !== op.insert) writeImage(schema, before, builder.writer);
    builder.middle();
    if (code !== op.delete) writeImage(schema, after, builder.writer);
    builder.end();
  }
  return { kind: 'changes', batch: builder.view() };
}

test('the log counts as many records for a batch as the renderer makes of it', () => {
  fc.assert(
    fc.property(fc.subarray([0, 1, 2, 3, 4]), fc.array(change, { maxLength: 20 }), (primaryKey, changes) => {
      const entry = changesEntry(primaryKey, changes);
      let records = 0;
      createDebeziumRenderer(debeziumOptions({ connector: 'mysql', topicPrefix: 'p' })).render(group, entry, () => records++);
      assert.equal(records, countDebeziumRecords(entry));
    }),
  );
});

test('so it does for connectors whose records leave out, split and name changes in their own way', () => {
  const properties = fc.record(
    {
      'tombstones.on.delete': fc.constantFrom('true', 'false'),
      'skipped.operations': fc.constantFrom('none', 'u', 'c,d', 'd,t', 'u,d'),
      'skip.messages.without.change': fc.constantFrom('true', 'false'),
      'message.key.columns': fc.constantFrom('d.t:b,a', 'd.t:e', 'd.x:a'),
      'column.exclude.list': fc.constantFrom('d.t.(a|c)', 'd.t.e'),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.subarray([0, 1, 2, 3, 4]), fc.array(change, { maxLength: 20 }), properties, (primaryKey, changes, chosen) => {
      const config = {
        'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
        'topic.prefix': 'p',
        'database.hostname': 'h',
        'database.user': 'u',
        ...chosen,
      };
      const entry = changesEntry(primaryKey, changes);
      let records = 0;
      createDebeziumRenderer(optionsOfProperties('mysql', config)).render(group, entry, () => records++);
      assert.equal(records, recordRules({ name: 'c', config }).countRecords?.(entry));
    }),
  );
});
