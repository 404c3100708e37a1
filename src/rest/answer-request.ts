import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { connectStatus } from '../worker/connect-service.ts';
import { acceptedJson, isJsonBody } from './accept.ts';
import { parseJson } from './request-body.ts';
import type { Method, RestAnswer, RestRequest, Route } from './route.ts';

declare global {
  // Node 24 has it; TypeScript's library does not yet.
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** As Connect's server lists them. */
const methodOrder = ['HEAD', 'POST', 'DELETE', 'GET', 'OPTIONS', 'PUT', 'PATCH'];

/** Registers a path with its routes, OPTIONS, HEAD where there is GET, and 405 for every other method. */
export function addPath(app: FastifyInstance, path: string, routes: readonly Route[], log: Logger): void {
  const methods: string[] = routes.map((route) => route.method);
  const allowed = methodOrder.filter(
    (method) => methods.includes(method) || method === 'OPTIONS' || (method === 'HEAD' && methods.includes('GET')),
  );
  for (const route of routes) {
    const method = route.method === 'GET' ? ['GET', 'HEAD'] : route.method;
    app.route({ method, url: path, handler: (request, reply) => answerRequest(route, request, reply, log) });
  }
  app.route({
    method: 'OPTIONS',
    url: path,
    handler: (_request, reply) =>
      reply
        .code(200)
        .header('allow', allowed.join(','))
        .header('content-type', 'text/plain')
        .send(Buffer.from(allowed.join(', '))),
  });
  const others = [...methodOrder, 'TRACE'].filter((method) => !allowed.includes(method));
  app.route({ method: others, url: path, handler: (_request, reply) => sendError(reply, 405) });
}

async function answerRequest(route: Route, request: FastifyRequest, reply: FastifyReply, log: Logger): Promise<FastifyReply> {
  const contentType = acceptedJson(route.accepts === 'anything' ? undefined : request.headers.accept);
  if (contentType === undefined) return sendError(reply, 406);
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const takesBody: Method[] = ['POST', 'PUT', 'PATCH'];
  if (takesBody.includes(route.method) && body.length > 0 && !isJsonBody(request.headers['content-type'])) return sendError(reply, 415);
  const gone = new AbortController();
  const onClose = (): void => gone.abort(new MillraceError('ABORTED', 'the client has gone'));
  // The request's own `close` comes when its body has been read.
  reply.raw.once('close', onClose);
  let answer: RestAnswer;
  try {
    answer = await route.answer(toRestRequest(request, body, gone.signal));
  } catch (error) {
    const status = connectStatus(error);
    if (status === 500) log.warn({ err: error, method: request.method, path: route.path }, 'a request failed');
    answer = { status, body: { error_code: status, message: messageOf(error) } };
  } finally {
    reply.raw.off('close', onClose);
  }
  return sendAnswer(reply, contentType, answer);
}

function toRestRequest(request: FastifyRequest, body: Buffer, signal: AbortSignal): RestRequest {
  const params = new Map(Object.entries(request.params ?? {}));
  const { host = '' } = request.headers;
  const query = new URL(request.url, 'http://localhost').searchParams;
  return {
    param: (name) => String(params.get(name) ?? ''),
    query: (name) => query.getAll(name),
    hasBody: body.length > 0,
    json: () => parseJson(body),
    origin: `${request.protocol}://${host === '' ? 'localhost' : host}`,
    signal,
  };
}

function sendAnswer(reply: FastifyReply, contentType: string, { status, body, text, location }: RestAnswer): FastifyReply {
  reply.code(status);
  if (location !== undefined) reply.header('location', location);
  if (text !== undefined) return reply.header('content-type', text.type).send(Buffer.from(text.content));
  if (body === undefined) return reply.send();
  return reply.header('content-type', contentType).send(Buffer.from(JSON.stringify(body, bigintText)));
}

/** Bigints print their digits. */
function bigintText(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return JSON.rawJSON(String(value));
}

/** What was found before a route was asked. */
export function sendError(reply: FastifyReply, status: number, message = `HTTP ${status} ${STATUS_CODES[status] ?? ''}`): FastifyReply {
  const body = Buffer.from(JSON.stringify({ error_code: status, message }));
  return reply.code(status).header('content-type', 'application/json').send(body);
}
