/** A worker in the test's own process, and what a client of its service does again and again. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../base/abort.ts';
import { readWorkerProperties } from '../config/worker-properties.ts';
import type { ReplicasReport } from './verify-replicas.ts';
import type { ConnectWorker } from '../worker/connect-worker.ts';
import { openConnectHost } from './connect-host.ts';
import type { ConnectHost } from './connect-host.ts';
import { openControlClient } from './control-client.ts';

export const never = new AbortController().signal;

export interface TestHost extends AsyncDisposable {
  readonly folder: string;
  readonly dataFolder: string;
  readonly service: ConnectWorker;
  readonly herder: ConnectHost['herder'];
  /** Ends the worker and starts it again on the same folder. */
  restart(meanwhile?: () => void): Promise<void>;
  /** Waits for states, as `connector/task,task`. */
  settles(name: string, states: string): Promise<void>;
  verify(): Promise<ReplicasReport>;
  /** Rows of the replica, by the control socket. */
  query(sql: string): Promise<readonly (readonly (string | null)[])[]>;
}

export async function openTestHost(properties: Readonly<Record<string, string>> = {}): Promise<TestHost> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-worker-'));
  const dataFolder = join(folder, 'data');
  const log = join(folder, 'worker.log');
  const open = async (): Promise<ConnectHost> => {
    const opened = await openConnectHost({
      dataFolder,
      properties: readWorkerProperties(properties),
      logging: { level: 'debug', format: 'text', color: false, file: log },
    });
    await opened.service.start();
    return opened;
  };
  let host = await open();
  return {
    folder,
    dataFolder,
    get service() {
      return host.service;
    },
    get herder() {
      return host.herder;
    },
    async restart(meanwhile) {
      await host[Symbol.asyncDispose]();
      meanwhile?.();
      host = await open();
    },
    settles: (name, states) =>
      until(
        () => statesOf(host.service, name) === states,
        () => `${name} is ${statesOf(host.service, name)}, not ${states}`,
      ),
    verify: () => openControlClient(dataFolder).call('verify', { tables: [], onePosition: false, maxDifferences: 5 }, { signal: never }),
    query: async (sql) => (await openControlClient(dataFolder).call('query', { sql, maxRows: 1000 }, { signal: never })).rows,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      if (process.env['MILLRACE_KEEP'] !== '1') rmSync(folder, { recursive: true });
    },
  };
}

/** `RUNNING/RUNNING`; empty without a status. */
export function statesOf(service: ConnectWorker, name: string): string {
  try {
    const { connector, tasks } = service.status(name);
    return `${connector.state}/${tasks.map((task) => task.state).join(',')}`;
  } catch {
    return '';
  }
}

export async function until(holds: () => boolean | Promise<boolean>, what: () => string, deadlineMs = 30_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, what());
    await sleep(20, never);
  }
}
