import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { SnowflakeError } from '../snowflake-error.ts';

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** The body as JSON; an empty one is `{}`. It may be gzip. */
export async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return {};
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
}

export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

export function sendJson(exchange: Exchange, body: unknown, status = 200): void {
  const bytes = Buffer.from(JSON.stringify(body));
  exchange.response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  exchange.response.end(bytes);
}

export function sendEmpty(exchange: Exchange, status: number): void {
  exchange.response.writeHead(status, { 'content-length': 0 });
  exchange.response.end();
}

/** The connection breaks, as when a server or the network dies. */
export function drop(exchange: Exchange): void {
  exchange.request.socket.destroy();
}

export function success(data: unknown): unknown {
  return { data, message: null, code: null, success: true };
}

/** A refusal is HTTP 200; without `data.sqlState` the driver would send the statement again. */
export function failure(error: SnowflakeError, queryId?: string): unknown {
  const data = {
    errorCode: error.code,
    sqlState: error.sqlState,
    queryId: queryId ?? null,
    internalError: false,
    line: -1,
    pos: -1,
    type: 'COMPILATION',
  };
  return { data, code: error.code, message: error.message, success: false };
}
