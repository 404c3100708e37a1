import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { connectDriver } from './driver.fixture.ts';

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly account: string;
  command(command: unknown): Promise<Readonly<Record<string, unknown>>>;
  kill9(): Promise<void>;
}

async function serve(options: unknown): Promise<Served> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'serve.ts'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<Readonly<Record<string, unknown>>> =>
    JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
  const { url, account } = await line();
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return {
    url: String(url),
    account: String(account),
    command: async (command) => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return line();
    },
    kill9: async () => {
      child.kill('SIGKILL');
      await end();
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await end();
    },
  };
}

test('as a program it takes faults by line, and after a kill -9 what was committed is there and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'emulator-serve-'));
  try {
    const first = await serve({ folder });
    const driver = await connectDriver(first);
    await driver.run('CREATE TABLE t (a NUMBER(5,0))');
    await driver.run('INSERT INTO t VALUES (1)');
    assert.deepEqual(await first.command({ faults: [{ kind: 'error', code: '000604', match: { sql: 'INSERT' } }] }), { done: true });
    await assert.rejects(driver.run('INSERT INTO t VALUES (2)'), { code: '000604' });
    assert.deepEqual((await first.command({ counts: true }))['counts'], { CREATE: 1, INSERT: 2 });
    await driver.run('BEGIN');
    await driver.run('DELETE FROM t');
    await driver.run('INSERT INTO t VALUES (3)');
    await first.kill9();
    await using second = await serve({ folder });
    await using again = await connectDriver(second);
    assert.deepEqual(await again.rows('SELECT * FROM t'), [{ A: '1' }]);
    await again.run('UPDATE t SET a = 4');
    assert.equal(await again.value('SELECT a FROM t'), '4');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
