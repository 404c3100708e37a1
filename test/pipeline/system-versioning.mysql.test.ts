/** MariaDB's system-versioned tables: the replica has every version of a row, whether the columns of the period are named or not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline } from './harness.ts';

const changes = (table: string): string => `
  INSERT INTO ${table} (id, x) VALUES (1, 1), (2, 2); UPDATE ${table} SET x = 10 WHERE id = 1; DELETE FROM ${table} WHERE id = 2;
  INSERT INTO ${table} (id, x) VALUES (2, 3);`;

test('history rows are copied, followed and compared', { skip: withoutServer('mariadb') }, async () => {
  const server = await sharedServer('mariadb');
  await using database = await freshDatabase(server);
  const { root, name } = database;
  await root.query(`
    CREATE TABLE implicit (id INT PRIMARY KEY, x INT) WITH SYSTEM VERSIONING;
    CREATE TABLE explicit (id INT PRIMARY KEY, x INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
      PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
    ${changes('implicit')} ${changes('explicit')}`);
  await using pipeline = await openPipeline({ server, databases: [name] });
  await pipeline.start();
  await pipeline.caughtUp(root);
  const counts = async (): Promise<unknown> => (await pipeline.assertEqual()).tables.map(({ rows }) => rows);
  assert.deepEqual(await counts(), [4, 4]);
  await root.query(`DELETE FROM implicit; DELETE FROM explicit; ${changes('implicit')} ${changes('explicit')}`);
  await pipeline.caughtUp(root);
  assert.deepEqual(await counts(), [8, 8]);
});
