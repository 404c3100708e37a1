import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../servers/free-port.ts';
import { pythonPackages } from '../servers/python-packages.ts';

/** The connector must stay below 5: fakesnow imports a module that 5 has no more, and does not say so. */
const packages = pythonPackages('fakesnow', ['fakesnow[server]==0.12.1', 'snowflake-connector-python<5']);

/**
 * fakesnow, an emulator of Snowflake from outside, in memory and empty. It checks no login, takes duplicate rows in a
 * MERGE, and refuses much that Snowflake takes: what passes here is a second opinion on the statements of a flush.
 */
export interface Fakesnow extends AsyncDisposable {
  readonly url: string;
  readonly account: string;
}

/** Why tests with fakesnow are skipped; false when they are to run. */
export function withoutFakesnow(): string | false {
  const missing = packages.missing();
  if (missing !== false) return missing;
  const python = spawnSync('python3', ['-c', 'import venv'], { stdio: 'ignore' });
  return python.status === 0 ? false : 'fakesnow needs python3 with venv, which is not here';
}

/** Installs it on first use, which takes half a minute, and starts it. */
export async function startFakesnow(): Promise<Fakesnow> {
  packages.install();
  const port = await freePort();
  const child = spawn(packages.program('python'), [join(import.meta.dirname, 'adapter.py'), String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = performance.now() + 60_000; ;) {
    if (await answers(url)) break;
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`fakesnow does not start: ${said}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return { url, account: 'fakesnow', [Symbol.asyncDispose]: () => end(child) };
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/telemetry/send`, { method: 'POST' }).then(
    (response) => response.ok,
    () => false,
  );
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
