/**
 * The worker's own door for the other commands: JSON over HTTP on a Unix socket in the data folder. A method is a POST to
 * its name; the answer is `{"result"}` or `{"error"}`, and where a method tells its progress, lines before it:
 * `{"event"}`.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { MillraceError, toErrorData } from '../base/errors.ts';
import { removeControlAddress, writeControlAddress } from './control-address.ts';
import type { ControlAddress } from './control-address.ts';
import type { ControlMethods } from './control-methods.ts';

export type ControlHandlers = {
  readonly [K in keyof ControlMethods]: (
    params: ControlMethods[K]['params'],
    tell: (event: ControlMethods[K]['event']) => void,
    signal: AbortSignal,
  ) => Promise<ControlMethods[K]['result']>;
};

/** sun_path holds 108 bytes with its final zero; macOS has 104. */
const longestSocketPath = 103;
const greatestBody = 16 * 1024 * 1024;

/** Listens, and writes the address into the data folder; disposed, it is gone. */
export async function openControlServer(folder: string, handlers: ControlHandlers): Promise<AsyncDisposable> {
  const token = randomBytes(24).toString('hex');
  const closing = new AbortController();
  const server = createServer((request, response) => {
    void answer(request, response, { handlers, token, closing: closing.signal });
  });
  const socket = resolve(join(folder, 'control.sock'));
  let address: ControlAddress;
  if (Buffer.byteLength(socket) <= longestSocketPath) {
    // A leftover of a worker that was killed; the folder's lock says that it is gone.
    rmSync(socket, { force: true });
    server.listen(socket);
    await once(server, 'listening');
    chmodSync(socket, 0o600);
    address = { pid: process.pid, token, socket };
  } else {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new MillraceError('INTERNAL', 'the control server has no port');
    address = { pid: process.pid, token, port: bound.port };
  }
  writeControlAddress(folder, address);
  return {
    async [Symbol.asyncDispose]() {
      removeControlAddress(folder);
      closing.abort(new MillraceError('ABORTED', 'The worker stops.'));
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Door {
  readonly handlers: ControlHandlers;
  readonly token: string;
  readonly closing: AbortSignal;
}

async function answer(request: IncomingMessage, response: ServerResponse, { handlers, token, closing }: Door): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort(new MillraceError('ABORTED', 'The client has gone.')));
  const write = (line: object): void => {
    response.write(`${JSON.stringify(line)}\n`);
  };
  try {
    if (!isAllowed(request, token)) {
      response.writeHead(401).end();
      return;
    }
    const method = (request.url ?? '').slice(1);
    const byName: Readonly<Record<string, (params: never, tell: (event: unknown) => void, signal: AbortSignal) => Promise<unknown>>> =
      handlers;
    const handler = Object.hasOwn(byName, method) ? byName[method] : undefined;
    if (request.method !== 'POST' || handler === undefined) {
      response.writeHead(404).end();
      return;
    }
    const params = await readBody(request);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const tell = (event: unknown): void => write({ event });
    // The client is the same program, checked by its token; handlers check what they are given where it matters.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const result = await handler(params as never, tell, AbortSignal.any([gone.signal, closing]));
    write({ result: result ?? null });
  } catch (error) {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    write({ error: toErrorData(error) });
  }
  response.end();
}

function isAllowed(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > greatestBody) throw new MillraceError('WORKER_REFUSED', 'The request is too large.');
    chunks.push(chunk);
  }
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null');
  return body;
}
