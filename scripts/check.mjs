/**
 * `npm run check`: everything that can be known without running the program. All checks run, so that one call
 * names all that is wrong; the exit code is 1 when one failed.
 */
import { spawn } from 'node:child_process';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const checks = {
  types: 'tsc',
  lint: 'oxlint --type-aware',
  format: 'oxfmt --check',
  'unused code': 'knip',
  'import table': 'node --test --test-reporter=dot src/architecture.test.ts',
};

const root = resolve(fileURLToPath(import.meta.url), '../..');
// With it the tools run on the checkout's own Node as well.
const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}` };

/**
 * @param {string} command
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function run(command) {
  return new Promise((done) => {
    const child = spawn(command, { cwd: root, env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('close', (code) => done({ ok: code === 0, output }));
  });
}

const running = Object.entries(checks).map(async ([name, command]) => {
  const startMs = performance.now();
  const { ok, output } = await run(command);
  if (!ok) process.stdout.write(output);
  console.log(`${ok ? '✔' : '✖'} ${name} (${command}, ${((performance.now() - startMs) / 1000).toFixed(1)} s)`);
  return ok;
});
const results = await Promise.all(running);
if (results.includes(false)) process.exitCode = 1;
