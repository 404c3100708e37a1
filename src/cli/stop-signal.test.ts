import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

test('a stop signal that comes twice at once is one; a later one ends the process', async () => {
  const script = `
    import { onStopSignal } from ${JSON.stringify(new URL('./stop-signal.ts', import.meta.url).href)};
    setInterval(() => {}, 1000);
    const stopped = onStopSignal();
    console.log('ready');
    console.log(await stopped);
    setTimeout(() => console.log('goes on'), 200);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await once(child.stdout, 'data');
  assert.equal(output, 'ready\nSIGTERM\ngoes on\n');
  await new Promise((done) => setTimeout(done, 600));
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
});
