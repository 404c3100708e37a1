import { randomBytes } from 'node:crypto';
import type { SnowflakeEmulator } from '../../../test/snowflake-emulator/snowflake-emulator.ts';
import { openSnowflakeEmulator } from '../../../test/snowflake-emulator/snowflake-emulator.ts';
import { Secret } from '../../config/secret.ts';
import { loadDriver } from './driver.ts';
import { connectionOptions, readAccount } from './login.ts';
import { openSnowflakeSession } from './session.ts';
import type { SnowflakeAccount } from './snowflake.fixture.ts';

const options = { lockTimeoutSeconds: 20 };
const signal = new AbortController().signal;

/** A new database of the emulator's. */
export async function createDatabase(emulator: Pick<SnowflakeEmulator, 'url' | 'account'>): Promise<SnowflakeAccount> {
  const connection = { account: emulator.account, accessUrl: emulator.url, username: 'MILLRACE', password: 'secret' };
  return createDatabaseOf(connection);
}

async function createDatabaseOf(connection: SnowflakeAccount['connection']): Promise<SnowflakeAccount> {
  const driver = await loadDriver();
  const database = `MILLRACE_TEST_${randomBytes(6).toString('hex').toUpperCase()}`;
  await using session = await openSnowflakeSession(driver, { connection, ...options }, signal);
  await session.run(`CREATE DATABASE "${database}"`);
  return { driver, connection, database };
}

/** Where the suites run that a real account can pass, too. */
export interface TestAccount extends AsyncDisposable {
  createDatabase(): Promise<SnowflakeAccount>;
}

/**
 * The account that `MILLRACE_SNOWFLAKE_URL`, `_USER`, `_PASSWORD` or `_PRIVATE_KEY_PATH`, `_ROLE` and `_WAREHOUSE` name, whose
 * role may create databases; without them the emulator.
 */
export async function openTestAccount(): Promise<TestAccount> {
  const { MILLRACE_SNOWFLAKE_URL: url } = process.env;
  if (url === undefined) {
    const emulator = await openSnowflakeEmulator();
    return { createDatabase: () => createDatabase(emulator), [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose]() };
  }
  const given = (name: string): string => process.env[`MILLRACE_SNOWFLAKE_${name}`] ?? '';
  const secret = (name: string): Secret | undefined => (given(name) === '' ? undefined : new Secret(given(name)));
  const connection = await connectionOptions(
    {
      account: readAccount(url),
      user: given('USER'),
      authenticator: given('PASSWORD') === '' ? 'snowflake_jwt' : 'snowflake',
      privateKey: undefined,
      privateKeyPath: given('PRIVATE_KEY_PATH'),
      passphrase: secret('PASSPHRASE'),
      password: secret('PASSWORD'),
      token: undefined,
      oauth: { clientId: '', clientSecret: undefined, refreshToken: undefined, endpoint: '', scope: '' },
      role: given('ROLE'),
      warehouse: given('WAREHOUSE'),
      proxy: { host: '', port: 80, user: '', password: undefined, except: '' },
    },
    { connector: 'test', database: '' },
  );
  const made: string[] = [];
  return {
    async createDatabase() {
      const account = await createDatabaseOf(connection);
      made.push(account.database);
      return account;
    },
    async [Symbol.asyncDispose]() {
      await using session = await openSnowflakeSession(await loadDriver(), { connection, ...options }, signal);
      for (const database of made) await session.run(`DROP DATABASE IF EXISTS "${database}"`);
    },
  };
}
