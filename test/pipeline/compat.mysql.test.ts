/** `millrace.compat` is about records: a replica has the server's values, also where topics have Debezium's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline } from './harness.ts';

test('with the values of Debezium in the topics the replica is equal', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  const { root, name } = database;
  const document = `JSON_OBJECT('t', CAST('-01:02:03' AS TIME), 'd', 1e100, 'b', CAST(X'00ff' AS BINARY), 's', '12:00:00.500000')`;
  await root.query(
    `SET NAMES utf8mb4; CREATE TABLE docs (id INT PRIMARY KEY, j JSON, b TINYINT(1)); INSERT INTO docs VALUES (1, ${document}, 1)`,
  );
  await using pipeline = await openPipeline({ server, databases: [name], source: { 'millrace.compat': 'debezium-3.6' } });
  await pipeline.start();
  await pipeline.caughtUp(root);
  await root.query(`INSERT INTO docs VALUES (2, ${document}, 1)`);
  // The same definition in other words, which a record's schema follows.
  await root.query('ALTER TABLE docs MODIFY b BOOL; INSERT INTO docs VALUES (3, NULL, 1)');
  await root.query("CREATE TABLE words (id INT PRIMARY KEY, u CHAR(5) UNICODE, e ENUM('a,b'), y YEAR) CHARACTER SET latin1");
  await root.query("SET sql_mode = ''; INSERT INTO words VALUES (1, '☃', 'a,b', 0)");
  await pipeline.caughtUp(root);
  await pipeline.assertEqual();
  assert.deepEqual(await pipeline.query(`SELECT u, e, y FROM "${name}".words`), [['☃', 'a,b', '0']]);
  const parts = (id: number): Promise<unknown> =>
    pipeline.query(`SELECT j->>'t', j->>'d', j->>'b', j->>'s' FROM "${name}".docs WHERE id = ${id}`);
  assert.deepEqual(await parts(2), await parts(1));
  const { stdout } = await pipeline.millrace('tail', '--data', pipeline.dataFolder, '--all', '--json');
  const told = stdout.split('\n').filter((line) => line.includes('"op":"c"'));
  assert.ok(told.some((line) => line.includes(String.raw`\"t\":\"02:0-3:0-3\"`) && line.includes(String.raw`\"s\":\"12:00:00.500000\"`)));
  assert.ok(told.some((line) => line.includes(String.raw`"e":"a\\,b","y":1900`)));
  assert.deepEqual(
    told.filter((line) => line.includes('.docs"')).map((line) => /"b":(\w+)/.exec(line)?.[1]),
    ['1', 'true'],
  );
});
