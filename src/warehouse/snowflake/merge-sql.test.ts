import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, int, text } from '../group.fixture.ts';
import { mapSnowflakeColumns } from './column-mapping.ts';
import { ownIdentifier } from './identifiers.ts';
import { completeSql, deleteEqualSql, insertSql, mergeSql } from './merge-sql.ts';
import { likePattern, literal, quoted } from './sql-text.ts';

const columns = mapSnowflakeColumns(
  [column('id', int, { nullable: false }), column('seen', { kind: 'timestamp', fsp: 0 }), column('doc', { kind: 'json' })],
  { invalidTemporal: 'null', letters: 'upper', json: 'VARIANT' },
);
const place = { database: 'D', schema: 'S', table: 'T' };
const rows = { database: 'D', schema: 'M', table: 'R' };
const target = { place, columns, key: [0] };

test('a MERGE has one row per key, a branch for deletes, and conversions in its source alone', () => {
  assert.equal(
    mergeSql(target, rows, true),
    'MERGE INTO "D"."S"."T" AS t USING ( SELECT "C0", CAST("C1" AS TIMESTAMP_TZ(0)) AS "C1", PARSE_JSON("C2") AS "C2", "D" FROM "D"."M"."R" ' +
      'QUALIFY ROW_NUMBER() OVER (PARTITION BY "C0" ORDER BY "D") = 1 ) AS s ON t."ID" = s."C0" WHEN MATCHED AND s."D" THEN DELETE ' +
      'WHEN MATCHED THEN UPDATE SET "SEEN" = s."C1", "DOC" = s."C2" ' +
      'WHEN NOT MATCHED AND NOT s."D" THEN INSERT ("ID", "SEEN", "DOC") VALUES (s."C0", s."C1", s."C2")',
  );
  assert.equal(insertSql(target, rows, false), 'INSERT INTO "D"."S"."T" ("ID", "SEEN", "DOC") SELECT "C0", "C1", "C2" FROM "D"."M"."R"');
});

test('what a row image lacks comes from the row that was there, or is the default', () => {
  assert.equal(
    completeSql({ place, columns: columns.slice(0, 1), key: [0] }, { partials: rows, whole: { ...rows, table: 'W' }, fills: ['7'] }),
    `INSERT INTO "D"."M"."W" ("C0", "D") SELECT CASE WHEN SUBSTR(p."P", 1, 1) = '1' THEN p."C0" ` +
      `WHEN SUBSTR(p."P", 2, 1) = '1' AND t."ID" IS NOT NULL THEN t."ID" ELSE 7 END, FALSE FROM "D"."M"."R" AS p ` +
      `LEFT JOIN "D"."S"."T" AS t ON SUBSTR(p."P", 2, 1) = '1' AND t."ID" = p."K0"`,
  );
});

test('rows without a key are compared by all values, NULL with NULL, documents by their text', () => {
  const { keep, remove } = deleteEqualSql({ place, columns, key: [] }, { deletes: rows, kept: { ...rows, table: 'K' } });
  assert.match(
    remove,
    /EQUAL_NULL\(t\."SEEN", d\."C1"\) AND EQUAL_NULL\(TO_JSON\(t\."DOC"\), TO_JSON\(d\."C2"\)\) WHEN MATCHED THEN DELETE$/,
  );
  assert.match(keep, /QUALIFY ROW_NUMBER\(\) OVER \(PARTITION BY d\."C0", d\."C1", TO_JSON\(d\."C2"\) ORDER BY d\."N"\) > d\."N"$/);
});

test('names and texts are quoted whole, and names of sinks never begin with one another', () => {
  assert.equal(quoted('we"ird'), '"we""ird"');
  assert.equal(literal(`it's a \\ here`), `'it''s a \\\\ here'`);
  assert.equal(likePattern('A_B'), `'A_B'`);
  const names = ['SINK', 'sink', 'SINK_', 'SINK__X', 'Sink', 'ß', 'x'.repeat(300)].map(ownIdentifier);
  assert.equal(new Set(names).size, names.length);
  for (const [index, name] of names.entries()) {
    assert.ok(name.length < 120 && /^[A-Z0-9_]+$/.test(name));
    assert.ok(names.every((other, nth) => nth === index || !`${other}__STATE`.startsWith(`${name}__`)));
  }
});

test('columns whose names would be one are refused', () => {
  const both = [column('ß', text), column('ss', text)];
  const options = { invalidTemporal: 'null', json: 'VARIANT' } as const;
  assert.throws(() => mapSnowflakeColumns(both, { ...options, letters: 'upper' }), { code: 'NAME_COLLISION' });
  assert.deepEqual(
    mapSnowflakeColumns(both, { ...options, letters: 'preserve' }).map(({ name }) => name),
    ['ß', 'ss'],
  );
});
