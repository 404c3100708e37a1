/** The statements of a flush, as Millrace spells them, in an emulator that is not ours. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectDriver } from '../snowflake-emulator/driver.fixture.ts';
import { writeParquet } from '../snowflake-emulator/parquet.fixture.ts';
import { startFakesnow, withoutFakesnow } from './fakesnow.ts';

test(
  'a flush passes in fakesnow: PUT, COPY, and one transaction with a fence and a MERGE',
  { skip: withoutFakesnow(), timeout: 300_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fakesnow-'));
    try {
      await using server = await startFakesnow();
      await using driver = await connectDriver(server);
      await driver.run('CREATE SCHEMA IF NOT EXISTS "MILLRACE"."S"');
      await driver.run('CREATE TABLE "MILLRACE"."S"."T" ("ID" NUMBER(10,0), "V" VARCHAR)');
      await driver.run('CREATE TABLE "MILLRACE"."S"."STAGING" ("ID" NUMBER(10,0), "V" VARCHAR, "__DELETED" BOOLEAN)');
      await driver.run('CREATE TABLE "MILLRACE"."S"."STATE" ("SINK" VARCHAR, "POS" NUMBER(20,0))');
      await driver.run(`INSERT INTO "MILLRACE"."S"."STATE" ("SINK", "POS") VALUES ('a', 1)`);
      await driver.run(`INSERT INTO "MILLRACE"."S"."T" ("ID", "V") VALUES (1, 'one'), (2, 'two')`);
      await driver.run('CREATE STAGE "MILLRACE"."S"."ST"');
      const file = join(folder, 'changes.parquet');
      await writeParquet(file, `SELECT * FROM (VALUES (1, 'uno', false), (2, NULL, true), (3, 'three', false)) t("ID", "V", "__DELETED")`);
      const [put] = await driver.rows(`PUT 'file://${file}' @"MILLRACE"."S"."ST"/f1/ AUTO_COMPRESS=FALSE OVERWRITE=TRUE`);
      assert.equal(put?.['status'], 'UPLOADED');
      const [copied] = await driver.rows(
        'COPY INTO "MILLRACE"."S"."STAGING" FROM @"MILLRACE"."S"."ST"/f1/ FILE_FORMAT=(TYPE=PARQUET) MATCH_BY_COLUMN_NAME=CASE_SENSITIVE',
      );
      assert.equal(copied?.['rows_loaded'], '3');
      await driver.run('BEGIN');
      const fence = await driver.run('UPDATE "MILLRACE"."S"."STATE" SET "POS" = 2 WHERE "SINK" = \'a\' AND "POS" = 1');
      assert.equal(fence.getNumUpdatedRows(), 1);
      const merged = await driver.run(
        `MERGE INTO "MILLRACE"."S"."T" T USING (SELECT "ID", "V", "__DELETED" FROM "MILLRACE"."S"."STAGING" QUALIFY ROW_NUMBER() OVER (PARTITION BY "ID" ORDER BY "__DELETED") = 1) S
       ON T."ID" = S."ID" WHEN MATCHED AND S."__DELETED" THEN DELETE WHEN MATCHED THEN UPDATE SET "V" = S."V"
       WHEN NOT MATCHED AND NOT S."__DELETED" THEN INSERT ("ID", "V") VALUES (S."ID", S."V")`,
      );
      assert.equal(merged.getNumUpdatedRows(), 3);
      await driver.run('COMMIT');
      assert.deepEqual(await driver.rows('SELECT "ID", "V" FROM "MILLRACE"."S"."T" ORDER BY "ID"'), [
        { ID: '1', V: 'uno' },
        { ID: '3', V: 'three' },
      ]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
