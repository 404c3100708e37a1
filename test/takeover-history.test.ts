/** What a takeover makes of the schema histories that a real Debezium wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flavors } from '../src/cli/private-server.ts';
import { usualCharsets } from '../src/mysql/ddl/server-charsets.ts';
import { isHashColumn } from '../src/mysql/read-schema.ts';
import { parseSchemaHistory } from '../src/mysql/takeover/schema-history.ts';
import { tablesAt } from '../src/mysql/takeover/tables-at.ts';
import { loadRecordedFiles } from './golden-sink/recorded-files.ts';

for (const flavor of flavors) {
  test(`after each recorded statement the tables have the columns that Debezium gave them, on ${flavor}`, () => {
    let compared = 0;
    for (const { name, history } of loadRecordedFiles(flavor)) {
      const text = history.map(({ record }) => Buffer.from(record.value ?? []).toString('utf8')).join('\n');
      const records = parseSchemaHistory(text);
      assert.equal(records.length, history.length, name);
      for (const [at, { place, changes, statement }] of records.entries()) {
        // one statement can have several records, and one place
        if (place.snapshot || records[at + 1]?.place.pos === place.pos) continue;
        const tables = tablesAt(records, { file: place.file, pos: place.pos, gtids: '', eventsDone: 0 }, usualCharsets(flavor));
        for (const { id, table } of changes) {
          const found = tables.find(({ schema }) => schema.database === id.database && schema.table === id.table)?.schema;
          const columns = found?.columns.filter((column) => !isHashColumn(column) && column.invisible !== true);
          const expected = table?.columns.filter((column) => columns === undefined || columns.some((each) => each.name === column.name));
          assert.deepEqual(
            columns?.map((column) => column.name),
            expected?.map((column) => column.name),
            `${name}: ${statement}`,
          );
          compared++;
        }
      }
    }
    assert.ok(compared > 30, `${compared} tables`);
  });
}
