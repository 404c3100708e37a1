/**
 * A process that a crash test kills: plays a random history into a replica, from the offset that the replica has.
 *
 *   node crash.fixture.ts <file> <seed> <groups>
 */
import { randomHistory } from '../random-history.fixture.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const [file = '', seed = '', groups = ''] = process.argv.slice(2);
const signal = new AbortController().signal;
await using warehouse = await openWarehouse({ file, task: { flushRows: 30, flushBytes: Number(seed) % 2 === 0 ? 400 : 1 << 20 } });
const { task } = warehouse;
const stored = task.committed()[0]?.seq ?? 0;
for (const { group } of randomHistory(Number(seed), Number(groups)).slice(stored)) {
  await task.put(group, signal);
  if (group.seq % 3 === 0) await task.flush(signal);
}
await task.flush(signal);
if (warehouse.resync.length > 0) throw new Error(JSON.stringify(warehouse.resync));
