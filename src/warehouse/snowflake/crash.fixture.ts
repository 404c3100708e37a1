/**
 * A process that a crash test kills: plays a random history into a replica, from the offset that the replica has.
 *
 *   node crash.fixture.ts <url> <account> <database> <seed> <groups>
 */
import { playedFlush, playHistory } from '../play-history.fixture.ts';
import { loadDriver } from './driver.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const [accessUrl = '', account = '', database = '', seed = '', groups = ''] = process.argv.slice(2);
const connection = { account, accessUrl, username: 'MILLRACE', password: 'secret' };
await using warehouse = await openTestSnowflake({ driver: await loadDriver(), connection, database }, { task: playedFlush(Number(seed)) });
await playHistory(warehouse, { seed: Number(seed), groups: Number(groups) });
