import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSnowflakeEmulator } from '../../../test/snowflake-emulator/snowflake-emulator.ts';
import { printRow, randomHistory } from '../random-history.fixture.ts';
import { createDatabase } from './account.fixture.ts';
import { openTestSnowflake, type SnowflakeAccount } from './snowflake.fixture.ts';

const emulator = await openSnowflakeEmulator();
const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
after(async () => {
  await emulator[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
/** All places and more kills in the long form. */
const long = process.env['MILLRACE_LONG'] !== undefined;
const groups = long ? 20 : 10;
const kills = long ? [1, 3, 2] : [2];
const failpoints = ['copied', 'merged', 'commit', 'committed', 'ddl', ...(long ? ['staged', 'uploaded', 'begun', 'chunk'] : [])];

/** Runs the fixture; resolves with the signal that ended it. */
async function run(account: SnowflakeAccount, seed: number, env: Readonly<Record<string, string>>): Promise<NodeJS.Signals | null> {
  const script = join(import.meta.dirname, 'crash.fixture.ts');
  const child = spawn(process.execPath, [script, emulator.url, emulator.account, account.database, String(seed), String(groups)], {
    // what a killed process leaves on the disk goes with the folder
    env: { ...process.env, TMPDIR: folder, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<NodeJS.Signals | null>();
  child.on('error', reject);
  child.on('exit', (code, signal) => (code === 0 || signal !== null ? resolve(signal) : reject(new Error(`exit ${code}`))));
  return promise;
}

for (const [index, failpoint] of failpoints.entries()) {
  test(`killed at "${failpoint}" again and again, the replica is whole after the last start`, async () => {
    const seed = Number(process.env['MILLRACE_SEED'] ?? 1) + index;
    const account = await createDatabase(emulator);
    const marker = join(folder, failpoint);
    let hits = 0;
    // at the commit it must be noticed when rows and offset are not of one transaction
    for (const nth of failpoint === 'commit' ? [2, 4, 5] : kills) {
      const signal = await run(account, seed, { MILLRACE_FAILPOINT: `${failpoint}:${nth}`, MILLRACE_FAILPOINT_FILE: marker });
      if (signal === null) break;
      assert.equal(signal, 'SIGKILL');
      assert.equal(existsSync(marker) ? readFileSync(marker, 'utf8') : '', failpoint);
      rmSync(marker);
      hits++;
    }
    assert.ok(hits > 0, 'the failpoint was hit');
    assert.equal(await run(account, seed, {}), null);
    await using warehouse = await openTestSnowflake(account);
    for (const [name, rows] of randomHistory(seed, groups).at(-1)?.visible ?? []) {
      assert.deepEqual(((await warehouse.read('d', name)) ?? []).map(printRow).toSorted(), rows, name);
    }
    assert.deepEqual(await warehouse.leftovers(), []);
  });
}
