/** Calls between threads: a question by message, its answer by message, errors whole, cancelled with their signal. */
import { addAbortListener } from 'node:events';
import { reasonOf } from '../base/abort.ts';
import { MillraceError, reviveError, toErrorData } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';

/** The methods of a side: what each takes and gives, both fit for structured clone. */
export type Methods = Readonly<Record<string, { readonly params: unknown; readonly result: unknown }>>;

export type Handlers<M extends Methods> = {
  readonly [K in keyof M]: (params: M[K]['params'], signal: AbortSignal) => Promise<M[K]['result']>;
};

export interface Caller<M extends Methods> {
  /** Rejects with the error of the other side, with the signal's reason, or with WORKER_REFUSED when the port closes. */
  call<K extends keyof M & string>(method: K, params: M[K]['params'], signal: AbortSignal): Promise<M[K]['result']>;
}

/** A MessagePort, or a Worker seen from outside. */
interface Port {
  postMessage(message: unknown): void;
  on(event: string, listener: (message: unknown) => void): unknown;
}

type Message =
  | { readonly rpc: 'call'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly rpc: 'cancel'; readonly id: number }
  | { readonly rpc: 'result'; readonly id: number; readonly value: unknown }
  | { readonly rpc: 'error'; readonly id: number; readonly error: ErrorData };

/** Messages of ports come from our own threads only, which post nothing else under `rpc`. */
function isMessage(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && 'rpc' in message;
}

/** Calls what `serveCalls` serves at the other end; other messages of the port are left alone. */
export function createCaller<M extends Methods>(port: Port): Caller<M> {
  let lastId = 0;
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  port.on('message', (message: unknown) => {
    if (!isMessage(message) || message.rpc === 'call' || message.rpc === 'cancel') return;
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.rpc === 'result') call?.resolve(message.value);
    else call?.reject(reviveError(message.error));
  });
  const closed = (): void => {
    const calls = [...waiting.values()];
    waiting.clear();
    for (const call of calls) call.reject(new MillraceError('WORKER_REFUSED', 'The thread that was asked has ended.'));
  };
  // A MessagePort closes, a Worker exits.
  port.on('close', closed);
  port.on('exit', closed);
  return {
    async call(method, params, signal) {
      signal.throwIfAborted();
      const id = ++lastId;
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
      using _abort = addAbortListener(signal, () => {
        waiting.get(id)?.reject(reasonOf(signal));
        waiting.delete(id);
        port.postMessage({ rpc: 'cancel', id } satisfies Message);
      });
      port.postMessage({ rpc: 'call', id, method, params } satisfies Message);
      return await answer;
    },
  };
}

/** Answers the calls of a port. */
export function serveCalls<M extends Methods>(port: Port, handlers: Handlers<M>): void {
  const running = new Map<number, AbortController>();
  const byName: Readonly<Record<string, (params: never, signal: AbortSignal) => Promise<unknown>>> = handlers;
  const answer = async (id: number, method: string, params: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const handler = Object.hasOwn(byName, method) ? byName[method] : undefined;
      if (handler === undefined) throw new MillraceError('INTERNAL', `There is no method ${method}`);
      // The caller is typed by the same methods.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      const value = await handler(params as never, controller.signal);
      port.postMessage({ rpc: 'result', id, value } satisfies Message);
    } catch (error) {
      if (!controller.signal.aborted) port.postMessage({ rpc: 'error', id, error: toErrorData(error) } satisfies Message);
    } finally {
      running.delete(id);
    }
  };
  port.on('message', (message: unknown) => {
    if (!isMessage(message)) return;
    if (message.rpc === 'call') void answer(message.id, message.method, message.params);
    else if (message.rpc === 'cancel') running.get(message.id)?.abort(new MillraceError('ABORTED', 'The caller has gone.'));
  });
  port.on('close', () => {
    for (const controller of running.values()) controller.abort(new MillraceError('ABORTED', 'The caller has gone.'));
  });
}
