import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withoutServer } from '../../../test/servers/shared.ts';
import { flavors, startServer, type PrivateServer } from '../../cli/private-server.ts';
import { mariadbScripts, mysqlScripts } from './corpus-flavors.fixture.ts';
import { commonScripts } from './corpus.fixture.ts';
import { generatedDdl, seededRandom } from './generated-ddl.fixture.ts';
import { Judge } from './judge.fixture.ts';

const { signal } = new AbortController();
const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 1e6));
const rounds = process.env['MILLRACE_LONG'] === '1' ? 200 : 5;

for (const flavor of flavors) {
  describe(`DDL of ${flavor} leaves our models as the server's tables`, { skip: withoutServer(flavor) }, () => {
    let server: PrivateServer;
    let judge: Judge;
    before(async () => {
      server = await startServer({ flavor });
      judge = await Judge.open(server);
      await judge.connection.query('CREATE DATABASE aside', signal);
    });
    after(async () => {
      await judge[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    async function fresh(sqlMode: string): Promise<void> {
      const session = `SET SESSION sql_mode = ${sqlMode}, SESSION explicit_defaults_for_timestamp = ON, SESSION time_zone = '+00:00', SESSION collation_server = DEFAULT`;
      for (const sql of ['DROP DATABASE IF EXISTS ddl', 'CREATE DATABASE ddl', 'USE ddl', session]) {
        await judge.connection.query(sql, signal);
      }
      await judge.restart();
    }

    const own = flavor === 'mysql' ? mysqlScripts : mariadbScripts;
    for (const [name, script] of Object.entries({ ...commonScripts, ...own })) {
      test(name, async () => {
        await fresh('DEFAULT');
        for (const line of script) {
          const mayDoubt = line.startsWith('?');
          const sql = mayDoubt ? line.slice(1) : line;
          const { refused, doubts } = await judge.run(sql);
          assert.equal(refused, undefined, sql);
          if (!mayDoubt) assert.deepEqual(doubts, [], sql);
        }
      });
    }

    test('random statements', async (t) => {
      t.diagnostic(`MILLRACE_SEED=${seed}`);
      let judged = 0;
      let doubted = 0;
      for (let round = 0; round < rounds; round++) {
        await fresh(round % 2 === 0 ? 'DEFAULT' : "''");
        let left = 150;
        for (const sql of generatedDdl(seededRandom(seed + round))) {
          if (left-- === 0) break;
          const { refused, doubts } = await judge.run(sql);
          if (refused !== undefined) continue;
          judged++;
          if (doubts.length > 0) doubted++;
        }
      }
      t.diagnostic(`${judged} statements judged, ${doubted} left a table in doubt`);
      assert.ok(judged > rounds * 50, 'the server took enough of them');
      assert.ok(doubted < judged / 5, 'few left a doubt');
    });
  });
}
