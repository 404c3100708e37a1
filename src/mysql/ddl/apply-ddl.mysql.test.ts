import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withoutServer } from '../../../test/servers/shared.ts';
import { flavors, startServer, type PrivateServer } from '../../cli/private-server.ts';
import { commonScripts, mariadbScripts, mysqlScripts } from './corpus.fixture.ts';
import { Judge } from './judge.fixture.ts';

const { signal } = new AbortController();

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

    const own = flavor === 'mysql' ? mysqlScripts : mariadbScripts;
    for (const [name, script] of Object.entries({ ...commonScripts, ...own })) {
      test(name, async () => {
        await judge.connection.query('DROP DATABASE IF EXISTS ddl', signal);
        await judge.connection.query('CREATE DATABASE ddl', signal);
        await judge.connection.query('USE ddl', signal);
        await judge.connection.query('SET SESSION sql_mode = DEFAULT, SESSION explicit_defaults_for_timestamp = ON', signal);
        await judge.restart();
        for (const line of script) {
          const mayDoubt = line.startsWith('?');
          const sql = mayDoubt ? line.slice(1) : line;
          const { refused, doubts } = await judge.run(sql);
          if (process.env['DDL_TRACE'] !== undefined) console.log(refused ?? doubts.join('; '), '|', sql);
          if (!mayDoubt) assert.deepEqual(doubts, [], sql);
        }
      });
    }
  });
}
