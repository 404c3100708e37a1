import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const bin = resolve(import.meta.dirname, '../bin');

function launch(script: string): ChildProcess {
  return spawn(process.execPath, [join(bin, 'own-node.js'), '--eval', script], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('the launcher gives its program the arguments, the output and the exit code', () => {
  const script = 'console.log(process.argv.slice(1).join(), parseInt(process.versions.node) >= 24); process.exit(7)';
  const result = spawnSync(process.execPath, [join(bin, 'own-node.js'), '--eval', script, 'a', 'b'], { encoding: 'utf8' });
  assert.equal(result.stdout, 'a,b true\n');
  assert.equal(result.status, 7);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`the launcher passes ${signal} on and waits for an orderly end`, async () => {
    const child = launch(`
      process.on('${signal}', () => setTimeout(() => { console.log('drained'); process.exit(0); }, 100));
      setInterval(() => {}, 1000);
      console.log('up');`);
    const lines: string[] = [];
    child.stdout?.on('data', (chunk) => {
      lines.push(String(chunk).trim());
      if (lines.length === 1) child.kill(signal);
    });
    const [code] = await once(child, 'close');
    assert.deepEqual(lines, ['up', 'drained']);
    assert.equal(code, 0);
  });
}

test('a program that a signal ended gives the code that a shell gives', async () => {
  const [code] = await once(launch("process.kill(process.pid, 'SIGKILL')"), 'exit');
  assert.equal(code, 137);
});

test('without dependencies the command says in one line what to run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bare-'));
  try {
    await cp(bin, join(folder, 'bin'), { recursive: true });
    const result = spawnSync(process.execPath, [join(folder, 'bin', 'millrace'), 'demo'], { encoding: 'utf8' });
    assert.equal(result.status, 1);
    assert.equal(result.stderr, 'millrace: the dependencies are not installed. Run `npm run setup`.\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});
