/**
 * Servers that the tests of a run share, since a start takes a second or two:
 *
 *   for (const flavor of flavors) {
 *     test(`… on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
 *       const server = await sharedServer(flavor);
 *       await using database = await freshDatabase(server);
 *       await database.root.query('CREATE TABLE t (…)');
 *
 * Others write to the same server and its binlog at the same time. A test that changes global settings, purges
 * binlogs, or stops the server starts one of its own (`startServer`).
 */
import { createConnection, type Connection } from 'mysql2/promise';
import { hasServer, startServer, type Flavor, type Login, type PrivateServer } from '../../src/cli/private-server.ts';
import { createServerPool } from './pool.ts';

export type SharedServer = Login & Pick<PrivateServer, 'flavor' | 'host' | 'port' | 'root' | 'version' | 'pid'>;

const own = createServerPool(startServer);

/**
 * The run's server of this flavor with these server options, started by the first who asks. Under `npm test` the
 * runner's process keeps it for all test files (keeper.ts); a test file run alone keeps its own.
 */
export async function sharedServer(flavor: Flavor, options: Readonly<Record<string, string>> = {}): Promise<SharedServer> {
  const keeper = process.env['MILLRACE_TEST_KEEPER'];
  if (keeper === undefined) return own.get(flavor, options);
  const response = await fetch(`${keeper}/${flavor}?${new URLSearchParams(options).toString()}`);
  if (!response.ok) throw new Error(await response.text());
  // The keeper is the same code in another process of this run.
  return (await response.json()) as SharedServer;
}

/** For `skip`: the reason why a test cannot run offline, false when it is to run, and to fail if the server is missing. */
export function withoutServer(flavor: Flavor): string | false {
  const offline = (process.env['MILLRACE_OFFLINE'] ?? '0') !== '0';
  return offline && !hasServer(flavor) ? `no ${flavor} server here, and MILLRACE_OFFLINE is set` : false;
}

/** A database of one test, removed at its end, with a connection of root in it. */
export interface FreshDatabase extends AsyncDisposable {
  readonly name: string;
  readonly root: Connection;
}

let databases = 0;

export async function freshDatabase(server: SharedServer): Promise<FreshDatabase> {
  const name = `test_${process.pid}_${++databases}`;
  const root = await createConnection({ uri: server.root.url, multipleStatements: true, supportBigNumbers: true, bigNumberStrings: true });
  await root.query(`CREATE DATABASE ${name}; USE ${name}`);
  return {
    name,
    root,
    async [Symbol.asyncDispose]() {
      await root.query(`DROP DATABASE IF EXISTS ${name}`);
      await root.end();
    },
  };
}
