/** A worker as a process of its own, asked by messages: so that a test can kill it while it changes states. */
import { readWorkerProperties } from '../config/worker-properties.ts';
import type { ConnectWorker } from '../worker/connect-worker.ts';
import { openConnectHost } from './connect-host.ts';

/** What the test asks for. */
export type ChildRequest =
  | { readonly method: 'create'; readonly name: string; readonly config: Readonly<Record<string, string>> }
  | { readonly method: 'put'; readonly name: string; readonly config: Readonly<Record<string, string>> }
  | { readonly method: 'pause' | 'resume' | 'stop' | 'delete' | 'restart'; readonly name: string };

const dataFolder = process.argv[2] ?? '';
const host = await openConnectHost({
  dataFolder,
  properties: readWorkerProperties({}),
  logging: { level: 'debug', format: 'text', color: false, file: process.argv[3] ?? '/dev/null' },
});
await host.service.start();
process.on('message', (request: ChildRequest) => void answer(request));
process.send?.('started');

async function answer(request: ChildRequest): Promise<void> {
  try {
    await carryOut(host.service, request);
    process.send?.('done');
  } catch (error) {
    process.send?.(String(error));
  }
}

async function carryOut(service: ConnectWorker, request: ChildRequest): Promise<void> {
  const { signal } = new AbortController();
  switch (request.method) {
    case 'create':
      await service.create(request, signal);
      return;
    case 'put':
      await service.putConfig(request.name, request.config, signal);
      return;
    case 'restart':
      await service.restart(request.name, { includeTasks: true, onlyFailed: false });
      return;
    case 'pause':
    case 'resume':
    case 'stop':
    case 'delete':
      await service[request.method](request.name);
  }
}
