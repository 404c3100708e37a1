import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { readRows } from './row-image.ts';
import { eventsOf, plain, rowsEventsOf, rowsOf } from './stream.fixture.ts';

/** Documents that are easier to write in SQL: types that JSON text does not have, sizes, extremes. */
const expressions = [
  "JSON_OBJECT('date', DATE'2024-02-29', 'time', TIME'-838:59:58.500000', 'zero', TIME'00:00:00', 'datetime', TIMESTAMP'9999-12-31 23:59:59.999999')",
  "JSON_ARRAY(DATE'0001-01-01', TIME'-00:00:00.000001', TIME'100:00:00', CAST('2024-01-01' AS DATETIME(3)), CAST('2024-01-01' AS DATETIME))",
  'JSON_ARRAY(1.50, -0.001, 0.000, 12345678901234567890.123456789, CAST(-99 AS DECIMAL(65,30)), CAST(1 AS DECIMAL(65)), -0.5)',
  "JSON_ARRAY(X'00FF10', REPEAT(X'01', 57), REPEAT(X'02', 58), REPEAT(X'03', 200), b'101', CAST('' AS BINARY))",
  'JSON_ARRAY(18446744073709551615, 9223372036854775807, -9223372036854775808, 9007199254740993, -9007199254740993, 4294967296, 1000000000)',
  "JSON_ARRAY(ST_GeomFromText('POINT(1.25 -2)'), CAST(2024 AS YEAR))",
  "JSON_OBJECT('long', REPEAT('x', 70000), 'n', 70000, 'u', 3000000000, 's', -1, 'nested', JSON_ARRAY(JSON_OBJECT('a', 1)))",
  '(SELECT JSON_ARRAYAGG(n) FROM (WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 37 FROM r WHERE n < 30000) SELECT * FROM r) q)',
  "(SELECT JSON_OBJECTAGG(CONCAT('key', n), IF(n % 2, n * 1000003, CAST(n AS CHAR))) FROM (WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 7 FROM r WHERE n < 6500) SELECT * FROM r) q)",
  `CAST('${'['.repeat(99)}${']'.repeat(99)}' AS JSON)`,
  "CAST('[1e14, 1e15, 1e16, 1e100, -1e-7, 1e-15, 1e-16, 0.1, 1234567890123456.7, 5e-324, 1.7976931348623157e308, -0.0, 123456.789, 1.5e15, 2e20, 1e21, 1e22, 0.000001, 0.0000012]' AS JSON)",
  "JSON_OBJECT('', '', 'quote\"back\\\\slash', CONCAT(CHAR(1, 8, 9, 10, 12, 13, 31, 127 USING utf8mb4), '/', _utf8mb4'é€😀'), REPEAT('k', 300), null, 't', true, 'f', false)",
];

test('JSON documents become the text that the server makes of them', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  const { root } = database;
  await root.query('SET NAMES utf8mb4; SET SESSION max_recursive_iterations = 100000;').catch(() => {});
  await root.query('SET SESSION cte_max_recursion_depth = 100000; CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, j JSON)');
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  );
  const string = fc.oneof(
    fc.string({ unit: fc.constantFrom(...Array.from('abc "\\/\n\t\u0001\u007f{}[]:,é')), maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
  );
  const document = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, true, false),
      number,
      string,
      fc.array(tie('value'), { maxLength: 12 }),
      fc.dictionary(string, tie('value'), { maxKeys: 12 }),
    ),
  })).value;
  const seed = Date.now() % 1_000_000;
  const documents = fc.sample(document, { seed, numRuns: 1500 }).map((value) => JSON.stringify(value));
  const events = await eventsOf(server, root, async () => {
    for (const expression of expressions) await root.query(`INSERT INTO t (j) VALUES (${expression})`);
    for (let i = 0; i < documents.length; i += 100) {
      const some = documents.slice(i, i + 100);
      await root.query(`INSERT INTO t (j) VALUES ${some.map(() => '(CAST(? AS JSON))').join(', ')}`, some);
    }
  });
  const ours = rowsEventsOf(events, database.name).flatMap((event) => readRows(event).map(({ after }) => [plain(after?.[0]), after?.[1]]));
  const theirs = await rowsOf(root, 'SELECT id, CAST(j AS CHAR CHARACTER SET utf8mb4) FROM t ORDER BY id');
  assert.equal(ours.length, theirs.length);
  for (const [i, row] of theirs.entries()) assert.deepEqual(ours[i], row, `seed ${seed}`);
});

test('a NOT NULL column that got no value is null', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  const { root } = database;
  await root.query('CREATE TABLE t (id INT PRIMARY KEY, j JSON NOT NULL)');
  const events = await eventsOf(server, root, () => root.query('INSERT IGNORE INTO t (id) VALUES (1)'));
  assert.deepEqual(
    rowsEventsOf(events, database.name).flatMap((event) => readRows(event)),
    [{ before: undefined, after: [1, 'null'] }],
  );
});
