import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { withLock } from '../scripts/setup/lock.mjs';
import { ensureServer, isAtLeast } from '../scripts/setup/servers.mjs';

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-setup-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A program that says a version, and makes the data folder that it is told to make. */
async function fakeServer(folder: string, version: string): Promise<void> {
  const script = `#!/bin/sh
    for word; do
      case $word in
        --version) echo "mysqld  Ver ${version} for Linux on x86_64" ;;
        --datadir=*) mkdir -p "\${word#--datadir=}" ;;
      esac
    done`;
  await writeFile(join(folder, 'mysqld'), script, { mode: 0o755 });
}

const quiet = { offline: true, say: (): void => {} };

test('a prepared checkout is left as it is, in well under two seconds', () => {
  const startMs = performance.now();
  const script = resolve(import.meta.dirname, '../scripts/setup.mjs');
  const result = spawnSync(process.execPath, [script], { encoding: 'utf8', env: { ...process.env, MILLRACE_OFFLINE: '1' } });
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /^setup: ready: Node 24\.\d+\.\d+/);
  assert.ok(performance.now() - startMs < 2000);
});

test('the lock file has the packages of every platform, which `npm ci` asks for, and names no registry', async () => {
  const text = await readFile(resolve(import.meta.dirname, '../package-lock.json'), 'utf8');
  assert.doesNotMatch(text, /"resolved"/);
  const lock: { packages: Record<string, { optionalDependencies?: Record<string, string> }> } = JSON.parse(text);
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
    ),
  );
  assert.deepEqual(missing, []);
});

test('a purpose that setup does not know is refused by name', () => {
  const script = resolve(import.meta.dirname, '../scripts/setup.mjs');
  const result = spawnSync(process.execPath, [script, '--for=lunch'], { encoding: 'utf8' });
  assert.equal(result.status, 1);
  assert.match(result.stderr, /--for=lunch is unknown/);
});

test('a good server on the PATH is taken, with a data folder made by it', async () => {
  await using folder = await temporaryFolder();
  await fakeServer(folder.path, '9.1.0');
  assert.equal(ensureServer('mysql', { folder: folder.path, path: [folder.path], ...quiet }), 'MySQL 9.1.0');
  const manifest = JSON.parse(await readFile(join(folder.path, 'mysql', 'server.json'), 'utf8'));
  assert.deepEqual(manifest.command, [join(folder.path, 'mysqld'), '--no-defaults']);
  assert.ok(existsSync(join(folder.path, 'mysql', 'data')));
});

test('a server that is too old, or of the other flavor, is not taken; the error names what to install', async () => {
  for (const version of ['8.4.5', '11.8.2-MariaDB']) {
    await using folder = await temporaryFolder();
    await fakeServer(folder.path, version);
    const options = { folder: folder.path, path: [folder.path], ...quiet };
    assert.throws(() => ensureServer('mysql', options), /no MySQL server: .*Install MySQL 9\.0 or newer/);
    assert.deepEqual(await readdir(folder.path), ['mysqld']);
  }
});

test('versions compare by number', () => {
  assert.equal(isAtLeast('10.11.6-MariaDB-0+deb12u1', [10, 11]), true);
  assert.equal(isAtLeast('10.6.1', [10, 11]), false);
  assert.equal(isAtLeast('9.0.0', [10, 11]), false);
  assert.equal(isAtLeast('11.0.1', [10, 11]), true);
});

test('two setups of one checkout run one after the other', async () => {
  const name = `test ${process.pid}`;
  const events: string[] = [];
  const work = (id: string) => async (): Promise<void> => {
    events.push(`${id} begins`);
    await new Promise((done) => setTimeout(done, 50));
    events.push(`${id} ends`);
  };
  const said: string[] = [];
  await Promise.all([withLock(name, (line) => said.push(line), work('a')), withLock(name, (line) => said.push(line), work('b'))]);
  assert.equal(events[1], events[0]?.replace('begins', 'ends'));
  assert.equal(events[3], events[2]?.replace('begins', 'ends'));
  assert.deepEqual(said, ['waiting for another setup of this checkout']);
});
