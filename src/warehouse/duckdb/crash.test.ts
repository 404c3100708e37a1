import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { printRow, randomHistory } from '../random-history.fixture.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const groups = 25;
const failpoints = ['staged', 'deleted', 'chunk', 'ddl', 'publication', 'commit', 'committed', 'notNull'];

/** Runs the fixture; resolves with the signal that ended it. */
async function run(file: string, seed: number, env: Readonly<Record<string, string>>): Promise<NodeJS.Signals | null> {
  const script = join(import.meta.dirname, 'crash.fixture.ts');
  const child = spawn(process.execPath, [script, file, String(seed), String(groups)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<NodeJS.Signals | null>();
  child.on('error', reject);
  child.on('exit', (code, signal) => (code === 0 || signal !== null ? resolve(signal) : reject(new Error(`exit ${code}`))));
  return promise;
}

async function checkEnd(file: string, seed: number): Promise<void> {
  await using warehouse = await openWarehouse({ file });
  const expected = randomHistory(seed, groups).at(-1)?.visible;
  assert.ok(expected !== undefined);
  for (const [name, rows] of expected) {
    const read = await warehouse.rows(`SELECT * FROM d.${name}`);
    assert.deepEqual(read.map(printRow).toSorted(), rows, name);
  }
  const leftovers = await warehouse.rows(
    `SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%millrace%' AND schema_name <> 'millrace'`,
  );
  assert.deepEqual(leftovers, []);
  const nullable = await warehouse.rows(
    `SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'd' AND is_nullable AND data_type = 'VARCHAR'`,
  );
  assert.deepEqual(nullable, [], 'texts of the history are NOT NULL');
}

for (const [index, failpoint] of failpoints.entries()) {
  test(`killed at "${failpoint}" three times, the replica is whole after the last start`, async () => {
    const seed = Number(process.env['MILLRACE_SEED'] ?? 1) + index;
    const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
    const file = join(folder, 'replica.duckdb');
    const marker = join(folder, 'hit');
    try {
      let hits = 0;
      for (const nth of [1, 3, 2]) {
        const signal = await run(file, seed, { MILLRACE_FAILPOINT: `${failpoint}:${nth}`, MILLRACE_FAILPOINT_FILE: marker });
        if (signal === null) break;
        assert.equal(signal, 'SIGKILL');
        assert.equal(existsSync(marker) ? readFileSync(marker, 'utf8') : '', failpoint);
        rmSync(marker);
        hits++;
      }
      assert.ok(hits > 0, 'the failpoint was hit');
      assert.equal(await run(file, seed, {}), null);
      await checkEnd(file, seed);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
