/** Masks are for privacy: neither the log nor the replica ever has the values, in snapshot, stream and schema changes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline } from './harness.ts';

for (const flavor of flavors) {
  test(
    `${flavor}: masked values are nowhere, the topics have the masks, and verify names the columns`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { root, name } = database;
      await root.query(`
      CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(60), mail VARCHAR(60), note TEXT, age INT);
      INSERT INTO people VALUES (1, 'SecretAnn', 'secretann@example.com', 'SecretLongNote', 30), (2, NULL, NULL, NULL, NULL)`);
      const source = {
        'column.mask.with.3.chars': `${name}.people.name,${name}.people.code`,
        'column.mask.hash.v2.SHA-256.with.salt.pepper': `${name}.people.mail`,
        'column.truncate.to.6.chars': `${name}.people.note`,
        'include.schema.changes': 'false',
        'schema.history.internal.store.only.captured.databases.ddl': 'true',
      };
      await using pipeline = await openPipeline({ server, databases: [name], source });
      const worker = await pipeline.start();
      await pipeline.caughtUp(root);
      await root.query("INSERT INTO people VALUES (3, 'SecretZoe', 'SecretZoe@example.com', 'SecretOther', 5)");
      await root.query("UPDATE people SET name = 'SecretBob', note = 'SecretThird' WHERE id = 1");
      await root.query("ALTER TABLE people ADD code VARCHAR(20) NOT NULL DEFAULT 'SecretCode'");
      await pipeline.caughtUp(root);
      // The hash is cut to the column's length.
      assert.deepEqual(await pipeline.query(`SELECT id, name, mail, note, age, code FROM "${name}".people ORDER BY id`), [
        ['1', '***', await hashOf('secretann@example.com'), 'Secret', '30', '***'],
        ['2', '***', null, null, null, '***'],
        ['3', '***', await hashOf('SecretZoe@example.com'), 'Secret', '5', '***'],
      ]);
      const [verdict] = (await pipeline.assertEqual()).tables;
      assert.deepEqual(verdict?.notCompared?.toSorted(), ['code', 'mail', 'name', 'note']);
      const { stdout } = await pipeline.millrace('tail', '--data', pipeline.dataFolder, '--all', '--json');
      assert.match(stdout, /"parameters":\{"masked":"true"\},"field":"mail"/);
      await worker.stop();
      for (const bytes of filesOf(pipeline.folder)) assert.doesNotMatch(bytes, /Secret(?:Ann|Bob|Zoe|Long|Other|Third)|secretann/);
    },
  );
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(`pepper${text}`));
  return Buffer.from(digest).toString('hex').slice(0, 60);
}

function filesOf(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)).toString('latin1'));
}
