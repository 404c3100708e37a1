import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { isMillraceError } from '../../base/errors.ts';
import { lockFolder } from './folder-lock.ts';

const module = new URL('./folder-lock.ts', import.meta.url).href;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A process that tries to lock the folder, says `held` or the error's code, and keeps what it has. */
function startHolder(t: TestContext, folder: string): ChildProcess {
  const code = `
    const { lockFolder } = await import(${JSON.stringify(module)});
    try { globalThis.lock = lockFolder(${JSON.stringify(folder)}); console.log('held'); } catch (error) { console.log(error.code); }
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function answer(child: ChildProcess): Promise<string> {
  assert(child.stdout !== null);
  const [data]: unknown[] = await once(child.stdout, 'data');
  return String(data).trim();
}

test('a second lock of a folder is refused with the process id of the holder, in one process too', (t) => {
  const folder = temporaryFolder(t);
  using first = lockFolder(folder);
  assert(first !== undefined);
  assert.throws(
    () => lockFolder(folder),
    (error) => isMillraceError(error, 'DATA_LOCKED') && error.context['pid'] === process.pid,
  );
});

test('a lock that something else has written to is named as what it is', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'worker.lock'), Buffer.alloc(5000, 0xa5));
  assert.throws(
    () => lockFolder(folder),
    (error) => isMillraceError(error, 'LOG_IO') && /worker\.lock is no lock/.test(error.message) && /remove it/.test(error.nextStep),
  );
});

test('a folder that was unlocked can be locked again', (t) => {
  const folder = temporaryFolder(t);
  lockFolder(folder)[Symbol.dispose]();
  lockFolder(folder)[Symbol.dispose]();
});

test('the lock of a killed process is free at once, whatever process id it left behind', async (t) => {
  const folder = temporaryFolder(t);
  const holder = startHolder(t, folder);
  assert.equal(await answer(holder), 'held');
  assert.throws(
    () => lockFolder(folder),
    (error) => isMillraceError(error, 'DATA_LOCKED') && error.context['pid'] === holder.pid,
  );
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  // as if the id had come to name a living process
  writeFileSync(join(folder, 'worker.pid'), String(process.pid));
  lockFolder(folder)[Symbol.dispose]();
});

test('of several processes that start at once, one gets the folder', async (t) => {
  const folder = temporaryFolder(t);
  const children = Array.from({ length: 4 }, () => startHolder(t, folder));
  const answers = await Promise.all(children.map((child) => answer(child)));
  assert.deepEqual(answers.toSorted(), ['DATA_LOCKED', 'DATA_LOCKED', 'DATA_LOCKED', 'held']);
});
