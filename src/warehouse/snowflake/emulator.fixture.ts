import type { SnowflakeEmulator } from '../../../test/snowflake-emulator/snowflake-emulator.ts';
import { loadDriver } from './driver.ts';
import { openSnowflakeSession } from './session.ts';
import type { SnowflakeAccount } from './snowflake.fixture.ts';

let databases = 0;

/** A new database of the emulator's. */
export async function createDatabase(emulator: Pick<SnowflakeEmulator, 'url' | 'account'>): Promise<SnowflakeAccount> {
  const driver = await loadDriver();
  const connection = { account: emulator.account, accessUrl: emulator.url, username: 'MILLRACE', password: 'secret' };
  const database = `REPLICA_${++databases}`;
  await using session = await openSnowflakeSession(driver, { connection, lockTimeoutSeconds: 20 }, new AbortController().signal);
  await session.run(`CREATE DATABASE "${database}"`);
  return { driver, connection, database };
}
