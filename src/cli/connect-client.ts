import { MillraceError, messageOf } from '../base/errors.ts';

/** A client of Kafka Connect's REST API, Millrace's or another. */
export interface ConnectClient {
  /**
   * @param path Begins with `/`; names in it are encoded.
   * @returns The body as JSON; undefined when there is none.
   * @throws WORKER_NOT_RUNNING when nobody answers; WORKER_REFUSED with what it says
   */
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

const timeoutMs = 90_000;

/** User and password may stand in the address. @throws CONFIG_INVALID */
export function createConnectClient(address: string): ConnectClient {
  const { base, authorization, shown } = readAddress(address);
  return {
    async call(method, path, body) {
      let response: Response;
      try {
        response = await fetch(base + path, {
          method,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(authorization === undefined ? {} : { authorization }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
      } catch (cause) {
        throw new MillraceError('WORKER_NOT_RUNNING', `No worker answers at ${shown}.`, {
          cause,
          nextStep: 'Start one with `millrace worker`, or name its address with --url.',
        });
      }
      const text = await response.text();
      if (!response.ok) {
        throw new MillraceError('WORKER_REFUSED', messageIn(text) ?? `${shown} answered ${method} ${path} with ${response.status}.`, {
          context: { status: response.status },
          nextStep: nextStepOf(response.status),
        });
      }
      return text === '' ? undefined : parse(text, shown);
    },
  };
}

function readAddress(address: string): { readonly base: string; readonly authorization: string | undefined; readonly shown: string } {
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `"${address}" is no address of a worker.`, {
      cause,
      nextStep: 'Write it as http://host:8083.',
    });
  }
  const { username, password } = url;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const base = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
  return {
    base,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
    shown: base,
  };
}

/** Of Connect's `{"error_code", "message"}`. */
function messageIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : undefined;
  } catch {
    return undefined;
  }
}

function nextStepOf(status: number): string {
  if (status === 401) return 'Give user and password in the address: http://user:password@host:8083.';
  if (status === 404) return '`millrace connectors list` shows what there is.';
  return 'Look at the message; the log of the worker says more.';
}

function parse(text: string, shown: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    return json;
  } catch (cause) {
    throw new MillraceError('WORKER_REFUSED', `${shown} is no REST API of Kafka Connect: ${messageOf(cause)}.`, { cause });
  }
}
