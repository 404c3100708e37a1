import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { MillraceError, toErrorData } from '../base/errors.ts';
import type { FromThread } from '../worker/thread-messages.ts';

/** A thread of a worker, as its entry sees it. */
export interface OwnThread<Data> {
  readonly data: Data;
  /** To the main thread. */
  readonly port: MessagePort;
  readonly post: (message: FromThread) => void;
}

/** Runs the entry of a thread: what ends it by a fault is the failure of its connectors, and the main thread hears of its end. */
export async function runThread<Data>(
  connectorsOf: (data: Data) => readonly string[],
  work: (thread: OwnThread<Data>) => Promise<void>,
): Promise<void> {
  if (parentPort === null) throw new MillraceError('INTERNAL', 'the entry of a thread is no program');
  const port = parentPort;
  const post = (message: FromThread): void => port.postMessage(message);
  // The main thread starts each entry with data of its own type, and with nothing else.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const data = workerData as Data;
  try {
    await work({ data, port, post });
  } catch (error) {
    for (const connector of connectorsOf(data)) post({ kind: 'state', connector, state: 'FAILED', error: toErrorData(error) });
  }
  post({ kind: 'ended' });
  port.close();
}
