import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text as readText } from 'node:stream/consumers';
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
  const worker = readAddress(address);
  const { shown } = worker;
  return {
    async call(method, path, body) {
      const { status, text } = await send(worker, { method, path, body: body === undefined ? undefined : JSON.stringify(body) });
      if (status < 200 || status > 299) {
        throw new MillraceError('WORKER_REFUSED', messageIn(text) ?? `${shown} answered ${method} ${path} with ${status}.`, {
          context: { status },
          nextStep: nextStepOf(status),
        });
      }
      return text === '' ? undefined : parse(text, shown);
    },
  };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

/** Not by `fetch`: its URLs take a connector whose name is `..` for a step up. */
async function send(
  { url, authorization, shown }: Address,
  { method, path, body }: Call,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const options = {
      host: url.hostname.replaceAll(/[[\]]/g, ''),
      port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
      method,
      path: url.pathname.replace(/\/+$/, '') + path,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...(authorization === undefined ? {} : { authorization }),
      },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => void request(options, resolve).on('error', reject).end(body));
    return { status: response.statusCode ?? 0, text: await readText(response) };
  } catch (cause) {
    const reason = messageOf(cause);
    const isOfTls =
      /certificate|SSL|TLS|ALTNAME/i.test(reason) ||
      (cause instanceof Error && 'code' in cause && /CERT|TLS|SSL|EPROTO/.test(String(cause.code)));
    throw new MillraceError('WORKER_NOT_RUNNING', `No worker answers at ${shown}: ${reason}.`, {
      cause,
      nextStep: isOfTls
        ? 'Name a certificate that the worker trusts in NODE_EXTRA_CA_CERTS, and write https:// only where it listens so.'
        : 'Start one with `millrace worker`, or name its address with --url.',
    });
  }
}

interface Address {
  readonly url: URL;
  readonly authorization: string | undefined;
  /** Without user and password. */
  readonly shown: string;
}

function readAddress(address: string): Address {
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `"${address}" is no address of a worker.`, {
      cause,
      nextStep: 'Write it as http://host:8083.',
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new MillraceError('CONFIG_INVALID', `"${address}" is no address of a worker.`, { nextStep: 'Write it as http://host:8083.' });
  }
  const { username, password } = url;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    url,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
    shown: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
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
