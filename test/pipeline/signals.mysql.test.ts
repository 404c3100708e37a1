/**
 * Incremental and blocking snapshots under write load: a replica that began without rows has all of them at the end, whatever
 * was written meanwhile, and whether or not the worker was killed in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline, until, type Pipeline } from './harness.ts';
import { Random, runSeed } from './random-workload.ts';

const rows = 1500;

async function makeTables(root: Connection): Promise<void> {
  await root.query(`CREATE TABLE numbered (id INT PRIMARY KEY, v INT, note VARCHAR(20));
    CREATE TABLE named (name VARCHAR(20) COLLATE utf8mb4_general_ci, part INT, v INT, PRIMARY KEY (name, part));
    CREATE TABLE debezium_signal (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048) NULL)`);
  for (let i = 0; i < rows; i += 500) {
    const ids = Array.from({ length: 500 }, (_, k) => i + k);
    await root.query(`INSERT INTO numbered VALUES ${ids.map((id) => `(${2 * id}, 0, 'first')`).join(', ')}`);
    await root.query(`INSERT INTO named VALUES ${ids.map((id) => `('${id % 2 === 0 ? 'N' : 'n'}${id % 700}', ${id}, 0)`).join(', ')}`);
  }
}

/** Changes rows of both tables until the signal. */
async function write({ url, database, seed }: { url: string; database: string; seed: number }, signal: AbortSignal): Promise<void> {
  const random = new Random(seed);
  const connection = await createConnection({ uri: url, database });
  try {
    while (!signal.aborted) {
      const id = random.int(2 * rows);
      const part = random.int(rows);
      await connection.query(`REPLACE INTO numbered VALUES (${id}, ${random.int(1000)}, 'again')`);
      await connection.query(`DELETE FROM numbered WHERE id = ${random.int(2 * rows)}`);
      await connection.query(`UPDATE IGNORE numbered SET id = ${random.int(3 * rows)} WHERE id = ${random.int(2 * rows)}`);
      await connection.query(`UPDATE named SET v = v + 1, name = UPPER(name) WHERE part = ${part}`);
      await connection.query(`DELETE FROM named WHERE part = ${random.int(rows)}`);
    }
  } finally {
    await connection.end();
  }
}

async function ends(pipeline: Pipeline, root: Connection, row: number): Promise<void> {
  await root.query(`INSERT INTO debezium_signal VALUES ('end${row}', 'log', '{"message":"end"}')`);
  await pipeline.caughtUp(root);
}

for (const flavor of flavors) {
  for (const readOnly of [false, true]) {
    const how = readOnly ? 'by the positions of views' : 'by rows of the signal table';
    test(`an incremental snapshot under load, chunks placed ${how}, on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { name, root } = database;
      await makeTables(root);
      await using pipeline = await openPipeline({
        server,
        databases: [name],
        source: {
          'database.user': server.root.user,
          'database.password': server.root.password,
          'snapshot.mode': 'no_data',
          'signal.data.collection': `${name}.debezium_signal`,
          'incremental.snapshot.chunk.size': '100',
          'read.only': String(readOnly),
          'include.schema.changes': 'false',
        },
      });
      const worker = await pipeline.start();
      await pipeline.caughtUp(root);
      const stop = new AbortController();
      const seed = runSeed();
      const writers = [1, 2].map((n) => write({ url: server.root.url, database: name, seed: seed + n }, stop.signal));
      const data = JSON.stringify({ type: 'incremental', 'data-collections': [`${name}.n.*`] });
      const { code, stderr } = await pipeline.millrace('signal', 'source', 'execute-snapshot', data);
      assert.equal(code, 0, stderr);
      const count = async (): Promise<number> => Number((await pipeline.query(`SELECT count(*) FROM "${name}"."numbered"`))[0]?.[0] ?? 0);
      await until('some chunks are there', async () => (await count()) > 500);
      await worker.kill9();
      await pipeline.start();
      const expected = async (): Promise<boolean> => {
        const named = Number((await pipeline.query(`SELECT count(*) FROM "${name}"."named"`))[0]?.[0] ?? 0);
        const [[there]] = await root.query<RowDataPacket[]>('SELECT count(*) AS n FROM named');
        return named >= Number(there?.['n']);
      };
      await until('all chunks are there', expected, { deadlineMs: 60_000 });
      stop.abort();
      await Promise.all(writers);
      await ends(pipeline, root, 1);
      const verdicts = async (): Promise<boolean> => (await pipeline.verify()).tables.every(({ equal }) => equal);
      await until(`all rows are there (MILLRACE_SEED=${seed})`, verdicts, { deadlineMs: 30_000, intervalMs: 300 });
      await pipeline.assertEqual();
    });
  }
}
