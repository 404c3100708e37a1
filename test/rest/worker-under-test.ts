/** `millrace worker` as a user runs it: a process with a properties file, told over HTTP. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface WorkerUnderTest extends AsyncDisposable {
  readonly pid: number;
  /** A folder of its own, removed at the end. */
  readonly folder: string;
  /** What it has said. */
  said(): string;
  readonly running: boolean;
}

export interface WorkerSetUp {
  readonly properties: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a worker on a fresh folder and waits until it listens. */
export async function startWorker({ properties, env }: WorkerSetUp): Promise<WorkerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-rest-'));
  await mkdir(join(folder, 'data'));
  const file = join(folder, 'worker.properties');
  await writeFile(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const child = spawn(process.execPath, [main, 'worker', file, '--data', join(folder, 'data')], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(force);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + 30_000;
  while (!said.includes('worker started')) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`the worker has not started: ${said}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    pid: child.pid ?? 0,
    folder,
    said: () => said,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    [Symbol.asyncDispose]: stop,
  };
}
