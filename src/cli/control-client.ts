import { isJsonObject } from '../base/json-object.ts';
import { request } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { createInterface } from 'node:readline';
import { MillraceError, errorCodes, reviveError } from '../base/errors.ts';
import type { ErrorCode, ErrorData } from '../base/errors.ts';
import { notRunning, readControlAddress } from './control-address.ts';
import type { ControlMethods } from './control-methods.ts';

export interface ControlClient {
  call<K extends keyof ControlMethods>(
    method: K,
    params: ControlMethods[K]['params'],
    options: CallOptions<K>,
  ): Promise<ControlMethods[K]['result']>;
}

export interface CallOptions<K extends keyof ControlMethods> {
  readonly onEvent?: (event: ControlMethods[K]['event']) => void;
  readonly signal: AbortSignal;
}

/**
 * A client of the worker on this data folder. Connects at each call.
 *
 * @throws WORKER_NOT_RUNNING
 */
export function openControlClient(folder: string): ControlClient {
  const address = readControlAddress(folder);
  const options: RequestOptions = {
    method: 'POST',
    // the worker closes connections that are idle: a kept one could be gone while a call is sent
    agent: false,
    headers: { authorization: `Bearer ${address.token}`, 'content-type': 'application/json' },
    ...('socket' in address ? { socketPath: address.socket } : { host: '127.0.0.1', port: address.port }),
  };
  return {
    async call(method, params, { onEvent, signal }) {
      const response = await send({ ...options, path: `/${method}`, signal }, JSON.stringify(params), folder);
      if (response.statusCode !== 200) {
        response.resume();
        throw new MillraceError(
          'WORKER_REFUSED',
          `The worker on ${folder} answered with status ${response.statusCode ?? 0} to ${method}.`,
          {
            nextStep: 'Use the version of Millrace that the worker runs.',
          },
        );
      }
      for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
        // The worker is the same program; see control-methods.ts.
        const message: unknown = JSON.parse(line);
        if (!isJsonObject(message)) continue;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
        if ('result' in message) return message['result'] as ControlMethods[typeof method]['result'];
        if ('error' in message && isErrorData(message['error'])) throw reviveError(message['error']);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
        if ('event' in message) onEvent?.(message['event'] as ControlMethods[typeof method]['event']);
      }
      signal.throwIfAborted();
      throw new MillraceError('WORKER_NOT_RUNNING', `The worker on ${folder} ended before it had answered.`);
    },
  };
}

async function send(options: RequestOptions, body: string, folder: string): Promise<IncomingMessage> {
  const outgoing = request(options);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  outgoing.end(body);
  try {
    return await answered;
  } catch (error) {
    options.signal?.throwIfAborted();
    // The socket of a worker that was killed stays behind.
    throw notRunning(folder, error);
  }
}

function isErrorData(value: unknown): value is ErrorData {
  return isJsonObject(value) && typeof value['code'] === 'string' && isErrorCode(value['code']) && typeof value['message'] === 'string';
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
