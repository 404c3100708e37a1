/**
 * A process that a crash test kills: plays a random history into a replica, from the offset that the replica has.
 *
 *   node crash.fixture.ts <url> <account> <database> <seed> <groups>
 */
import { randomHistory } from '../random-history.fixture.ts';
import { loadDriver } from './driver.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const [accessUrl = '', account = '', database = '', seed = '', groups = ''] = process.argv.slice(2);
const signal = new AbortController().signal;
const connection = { account, accessUrl, username: 'MILLRACE', password: 'secret' };
await using warehouse = await openTestSnowflake(
  { driver: await loadDriver(), connection, database },
  { task: { flushRows: 30, flushBytes: Number(seed) % 2 === 0 ? 400 : 1 << 20 } },
);
const { task } = warehouse;
const stored = task.committed()[0]?.seq ?? 0;
for (const { group } of randomHistory(Number(seed), Number(groups)).slice(stored)) {
  await task.put(group, signal);
  if (group.seq % 3 === 0) await task.flush(signal);
}
await task.flush(signal);
if (warehouse.resync.length > 0) throw new Error(JSON.stringify(warehouse.resync));
