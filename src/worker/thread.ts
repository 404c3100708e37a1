import { MessageChannel, Worker } from 'node:worker_threads';
import { MillraceError } from '../base/errors.ts';
import { isFromThread } from './thread-messages.ts';
import type { FromThread, SinkThreadData, SourceThreadData, ToThread } from './thread-messages.ts';

export interface Thread {
  readonly worker: Worker;
  /** Resolves when it has ended, in whatever way. */
  readonly ended: Promise<void>;
  /** Asks it to end when nothing is half done; resolves when it has, after `graceMs` by force. */
  stop(graceMs?: number): Promise<void>;
  kill(): Promise<void>;
}

export interface ThreadOptions {
  readonly entry: URL;
  readonly name: string;
  readonly data: SourceThreadData | SinkThreadData;
  readonly onMessage: (message: FromThread) => void;
  /** It ended by a fault, or without having said so. */
  readonly onBroken: (error: unknown) => void;
}

/** Batches are bytes outside of V8's heap: what a thread makes besides is small, and three times this is what V8 would take. */
const youngMb = 16;

/**
 * So long a thread may take to exit when it has said that it ended: a query whose caller has gone is interrupted, but DuckDB
 * looks for that between its steps only, and until then the query holds the thread.
 */
const exitMs = 2000;

/** Starts a thread of the worker. */
export function startThread({ entry, name, data, onMessage, onBroken }: ThreadOptions): Thread {
  const worker = new Worker(entry, { workerData: data, name, resourceLimits: { maxYoungGenerationSizeMb: youngMb } });
  let sound = false;
  worker.on('message', (message: unknown) => {
    if (!isFromThread(message)) return;
    if (message.kind === 'ended') {
      sound = true;
      // Everything is closed and durable: nothing is lost with the thread.
      setTimeout(() => void worker.terminate(), exitMs).unref();
    }
    onMessage(message);
  });
  worker.on('error', (error) => {
    sound = true;
    onBroken(error);
  });
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      if (!sound) onBroken(new MillraceError('INTERNAL', `The thread of ${name} ended with code ${code}`));
      resolve();
    });
  });
  const kill = async (): Promise<void> => {
    sound = true;
    await worker.terminate();
  };
  return {
    worker,
    ended,
    kill,
    async stop(graceMs) {
      worker.postMessage({ kind: 'stop' } satisfies ToThread);
      const timer = graceMs === undefined ? undefined : setTimeout(() => void kill(), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Gives the two threads the ends of a channel; the source posts an empty message into it after each append. */
export function connectThreads(source: Thread, sinks: Thread): void {
  const { port1, port2 } = new MessageChannel();
  source.worker.postMessage({ kind: 'wakePort', port: port1 } satisfies ToThread, [port1]);
  sinks.worker.postMessage({ kind: 'wakePort', port: port2 } satisfies ToThread, [port2]);
}
