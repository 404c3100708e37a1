import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { addPath, sendError } from './answer-request.ts';
import { guardConnections } from './connection-guard.ts';
import { crossOriginHeaders } from './cross-origin.ts';
import type { CrossOrigin } from './cross-origin.ts';
import type { Listener } from './listeners.ts';
import { BodyRefusal, createBodyReader } from './read-body.ts';
import type { HeaderRule } from './response-headers.ts';
import type { Route } from './route.ts';

export interface RestServerOptions {
  readonly listener: Listener;
  readonly routes: readonly Route[];
  readonly crossOrigin: CrossOrigin;
  readonly headers: readonly HeaderRule[];
  /** Looks at a request before anything of it is read; gives the challenge with which it is refused. */
  readonly refuse?: (request: IncomingMessage) => string | undefined;
  /** Key and certificates of an https listener. */
  readonly tls?: ServerOptions;
  /** A client whose request takes longer than this is cut off; 30 s when absent. */
  readonly requestTimeoutMs?: number;
  readonly log: Logger;
}

export interface RestServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
}

const longestRequestMs = 30_000;

/**
 * Listens for HTTP and answers by the routes, in the forms of Kafka Connect's server: errors as `{"error_code", "message"}`,
 * 404, 405, 406 and 415 before a route is asked, OPTIONS and HEAD for all.
 *
 * @throws LISTEN_FAILED when the address cannot be had
 */
export async function openRestServer(options: RestServerOptions): Promise<RestServer> {
  const { listener, routes, log } = options;
  const app = createApp(options);
  for (const [path, own] of Map.groupBy(routes, (route) => route.path)) addPath(app, path, own, log);
  try {
    await app.listen({ port: listener.port, host: listener.host ?? '::' });
  } catch (cause) {
    await app.close();
    throw new MillraceError('LISTEN_FAILED', `The REST API cannot listen on ${urlOf(listener, listener.port)}: ${messageOf(cause)}`, {
      cause,
      nextStep: 'Give listeners another address, or end what has it.',
    });
  }
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : listener.port;
  return { url: urlOf(listener, port), [Symbol.asyncDispose]: () => app.close() };
}

function createApp(options: RestServerOptions): FastifyInstance {
  const { log } = options;
  const app = fastify({
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    frameworkErrors: (_error, _request, reply) => void sendError(reply, 400, 'The path cannot be read: it has a broken % escape.'),
    clientErrorHandler: refuseBytes,
    serverFactory: (handler) => createListener(options, handler),
  });
  app.removeAllContentTypeParsers();
  const readBody = createBodyReader();
  app.addContentTypeParser('*', (_request: FastifyRequest, payload: IncomingMessage) => readBody(payload));
  const connections = guardConnections(app.server);
  app.addHook('onRequest', async (request, reply) => {
    if (!(await connections.turn(request.raw, reply.raw))) return reply.hijack();
    addHeaders(options, request, reply);
    if (request.headers.host === undefined && request.raw.httpVersionMinor > 0) return sendError(reply, 400, 'The request has no Host.');
    const challenge = options.refuse?.(request.raw);
    if (challenge === undefined) return;
    reply.header('www-authenticate', challenge);
    return sendError(reply, 401, 'User cannot access the resource.');
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, 404));
  app.setErrorHandler((error: unknown, _request, reply) => {
    if (error instanceof BodyRefusal) {
      // Closed at once, the connection would be reset under a client that still sends, and the answer lost with it. What
      // comes is thrown away, until the request's time is over.
      reply.removeHeader('connection');
      return sendError(reply, error.statusCode, error.message);
    }
    const status = libraryStatus(error);
    if (status === 500) log.error({ err: error }, 'a request could not be answered');
    return sendError(reply, status);
  });
  return app;
}

function createListener({ listener, tls, requestTimeoutMs = longestRequestMs }: RestServerOptions, handler: RequestListener): Server {
  const limits = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: requestTimeoutMs,
    // Its refusal has the form of all others.
    requireHostHeader: false,
    // How often it is looked for those that take longer.
    connectionsCheckingInterval: requestTimeoutMs / 6,
  };
  const server =
    listener.protocol === 'https'
      ? createTlsServer({ ...tls, ...limits, handshakeTimeout: requestTimeoutMs }, handler)
      : createServer(limits, handler);
  server.on('connect', (_request, socket) => refuse(socket, 405));
  return server;
}

/** What is no request: there is nothing to answer with but the socket. */
function refuseBytes(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  refuse(socket, parserStatus[error.code ?? ''] ?? 400);
}

function refuse(socket: Duplex, status: number): void {
  const reason = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ error_code: status, message: `HTTP ${status} ${reason}` });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const parserStatus: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

function addHeaders({ crossOrigin, headers }: RestServerOptions, request: FastifyRequest, reply: FastifyReply): void {
  const now = new Date();
  for (const rule of headers) reply.header(...rule(now));
  const { origin } = request.headers;
  const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  for (const header of crossOriginHeaders(crossOrigin, { origin, isPreflight })) reply.header(...header);
}

/** The library's own refusals: a type it does not know (415), a length that is wrong (400). */
function libraryStatus(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function urlOf({ protocol, host }: Listener, port: number): string {
  const shown = host === undefined ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${protocol}://${shown}:${port}`;
}
