/**
 * A process that a crash test kills: plays a random history into a replica, from the offset that the replica has.
 *
 *   node crash.fixture.ts <file> <seed> <groups>
 */
import { playedFlush, playHistory } from '../play-history.fixture.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const [file = '', seed = '', groups = ''] = process.argv.slice(2);
await using warehouse = await openWarehouse({ file, task: playedFlush(Number(seed)) });
await playHistory(warehouse, { seed: Number(seed), groups: Number(groups) });
