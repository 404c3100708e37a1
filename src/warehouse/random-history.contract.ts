import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContractWarehouse, OpenContractWarehouse } from './contract-warehouse.fixture.ts';
import { printRow, randomHistory, type HistoryStep, type VisibleState } from './random-history.fixture.ts';

const signal = new AbortController().signal;

async function checkVisible(warehouse: ContractWarehouse, expected: VisibleState, what: string): Promise<void> {
  for (const [name, rows] of expected) {
    const read = await warehouse.read('d', name);
    if (read !== undefined) assert.deepEqual(read.map(printRow).toSorted(), rows, `${what}: ${name}`);
  }
}

/** Plays a history with flushes, cuts and restarts at places that follow from the seed. */
async function play(open: OpenContractWarehouse, seed: number, steps: readonly HistoryStep[]): Promise<void> {
  const flushRows = [1, 20, 1000][seed % 3] ?? 1;
  await using warehouse = await open({ task: { flushRows, flushBytes: seed % 2 === 0 ? 300 : 1 << 20 } });
  let task = warehouse.task;
  for (const [index, { group, visible }] of steps.entries()) {
    await task.put(group, signal);
    const dice = (seed * 31 + index * 17) % 7;
    if (dice < 3) {
      await task.flush(signal);
      if (visible !== undefined) await checkVisible(warehouse, visible, `seed ${seed}, group ${index + 1}`);
    } else if (dice === 3) {
      await task[Symbol.asyncDispose]();
      task = await warehouse.openTask();
      const seq = task.committed()[0]?.seq ?? 0;
      for (const step of steps.slice(seq, index + 1)) await task.put(step.group, signal);
    }
  }
  await task.flush(signal);
  const last = steps.at(-1)?.visible;
  assert.ok(last !== undefined);
  await checkVisible(warehouse, last, `seed ${seed}, at the end`);
  assert.deepEqual(warehouse.resync, []);
}

/** What readers of every warehouse see while a random history is applied. */
export function testRandomHistories(name: string, open: OpenContractWarehouse, seeds: number): void {
  test(`${name}: after every flush of a random history readers see the state that the source had`, async () => {
    const first = Number(process.env['MILLRACE_SEED'] ?? 1);
    const count = Number(process.env['MILLRACE_SEEDS'] ?? seeds);
    for (let seed = first; seed < first + count; seed++) await play(open, seed, randomHistory(seed, 30));
  });
}
