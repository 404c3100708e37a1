import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { type Channel, type Channels, StreamingError } from '../engine/channels.ts';
import type { Faults } from '../faults.ts';
import { SnowflakeError } from '../snowflake-error.ts';
import { type EmulatedUser, userOfJwt } from './authenticate.ts';
import { drop, type Exchange, readBytes, sendJson } from './exchange.ts';

export interface StreamingOptions {
  readonly channels: Channels;
  readonly users: readonly EmulatedUser[];
  readonly account: string;
  readonly faults: Faults;
  readonly scopedTokenSeconds: number;
}

/** The documentation has said 4 MB and 16 MB: the smaller one holds. */
const maxBytes = 4 * 1024 * 1024;

/** Snowpipe Streaming's REST routes, high-performance architecture: host, scoped token, channels, rows, status. */
export class Streaming {
  readonly #options: StreamingOptions;
  readonly #tokens = new Map<string, number>();

  constructor(options: StreamingOptions) {
    this.#options = options;
  }

  serves(pathname: string): boolean {
    return pathname.startsWith('/v2/streaming/') || pathname === '/oauth/token';
  }

  expireTokens(): void {
    this.#tokens.clear();
  }

  async route(exchange: Exchange): Promise<void> {
    const { request, url } = exchange;
    const called = `${request.method ?? ''} ${url.pathname}`;
    const { faults } = this.#options;
    const fault = faults.atPath('streaming', called, 'beforeExecution');
    if (fault !== undefined) {
      request.resume();
      if (fault.status === undefined) drop(exchange);
      else sendJson(exchange, { code: 'FAULT', message: 'a fault that was asked for' }, fault.status);
      return;
    }
    let answer: unknown;
    let status = 200;
    try {
      answer = await this.#answer(exchange);
    } catch (error) {
      if (!(error instanceof StreamingError)) throw error;
      status = error.status;
      answer = { code: error.code, message: error.message };
    }
    if (faults.atPath('streaming', called, 'afterExecution') !== undefined) drop(exchange);
    else if (typeof answer === 'string') sendText(exchange, answer);
    else sendJson(exchange, answer, status);
  }

  async #answer(exchange: Exchange): Promise<unknown> {
    const { request, url } = exchange;
    const wantsJson = (request.headers.accept ?? '').includes('application/json');
    if (url.pathname === '/v2/streaming/hostname') {
      this.#user(exchange);
      const hostname = request.headers.host ?? '';
      return wantsJson ? { hostname } : hostname;
    }
    if (url.pathname === '/oauth/token') {
      const form = new URLSearchParams((await readBytes(request)).toString('utf8'));
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer' || form.get('scope') !== request.headers.host) {
        throw new StreamingError(400, 'INVALID_REQUEST', 'grant_type or scope is not what it must be');
      }
      this.#user(exchange);
      const token = randomBytes(24).toString('base64url');
      this.#tokens.set(token, Date.now() + this.#options.scopedTokenSeconds * 1000);
      return wantsJson ? { token } : token;
    }
    this.#assertScoped(exchange);
    return this.#channelAnswer(exchange);
  }

  async #channelAnswer(exchange: Exchange): Promise<unknown> {
    const { request, url } = exchange;
    const { channels } = this.#options;
    const parts = url.pathname.split('/').slice(3).map(decodeURIComponent);
    const data = parts[0] === 'data';
    const [, database = '', , schema = '', , last = '', , channelName = '', rows] = data ? parts.slice(1) : parts;
    const bulk = last.endsWith(':bulk-channel-status');
    const pipe = bulk ? last.slice(0, -':bulk-channel-status'.length) : last;
    const table = channels.table(folded(database), folded(schema), folded(pipe));
    const path = { database: folded(database), schema: folded(schema), pipe: folded(pipe) };
    const name = channelName;
    if (bulk && request.method === 'POST') {
      const body = parse(await readBytes(request));
      const names = Array.isArray(body['channel_names']) ? body['channel_names'].map(String) : [];
      const found = names.flatMap((each) => {
        const channel = channels.get(table, each);
        return channel === undefined ? [] : [[each, statusOf(channel, path)] as const];
      });
      return { channel_statuses: Object.fromEntries(found) };
    }
    if (data && rows === 'rows' && request.method === 'POST') {
      const text = await readRows(exchange);
      const query = url.searchParams;
      const offset = query.get('endOffsetToken') ?? query.get('offsetToken');
      return { next_continuation_token: channels.append(table, name, query.get('continuationToken'), { text, offset }) };
    }
    if (!data && name !== '' && request.method === 'PUT') {
      const body = parse(await readBytes(request));
      const offset = typeof body['offset_token'] === 'string' ? body['offset_token'] : undefined;
      const channel = await channels.open(table, name, offset);
      return { next_continuation_token: channels.token(channel), channel_status: statusOf(channel, path) };
    }
    if (!data && name !== '' && request.method === 'DELETE') {
      await channels.drop(table, name);
      return {};
    }
    throw new StreamingError(404, 'NOT_FOUND', `the emulator does not know ${request.method ?? ''} ${url.pathname}`);
  }

  /** Of a key pair's token, or of a programmatic access token. */
  #user(exchange: Exchange): EmulatedUser {
    const { users, account } = this.#options;
    const token = bearer(exchange);
    try {
      const owner = users.find((user) => user.accessTokens?.includes(token));
      return owner ?? userOfJwt(users, account, token);
    } catch (error) {
      if (!(error instanceof SnowflakeError)) throw error;
      throw new StreamingError(401, error.code, error.message);
    }
  }

  #assertScoped(exchange: Exchange): void {
    const token = bearer(exchange);
    const expiresMs = this.#tokens.get(token) ?? 0;
    const personal = exchange.request.headers['x-snowflake-authorization-token-type'] === 'PROGRAMMATIC_ACCESS_TOKEN';
    if (personal) this.#user(exchange);
    else if (expiresMs < Date.now()) throw new StreamingError(401, 'UNAUTHORIZED', 'The scoped token is not valid, or has expired');
  }
}

function bearer(exchange: Exchange): string {
  return (exchange.request.headers.authorization ?? '').replace(/^Bearer /, '');
}

/** Names in a path are upper case, unless they are in quotes. */
function folded(name: string): string {
  return name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toUpperCase();
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> {
  const parsed: unknown = bytes.length === 0 ? {} : JSON.parse(bytes.toString('utf8'));
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
}

async function readRows(exchange: Exchange): Promise<string> {
  const raw = await readBytes(exchange.request);
  const bytes = exchange.request.headers['content-encoding'] === 'zstd' ? zstdDecompressSync(raw) : raw;
  if (bytes.length > maxBytes) throw new StreamingError(413, 'REQUEST_TOO_LARGE', `a request has at most ${maxBytes} bytes`);
  return bytes.toString('utf8');
}

function sendText(exchange: Exchange, text: string): void {
  exchange.response.writeHead(200, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) });
  exchange.response.end(text);
}

function statusOf(channel: Channel, path: { readonly database: string; readonly schema: string; readonly pipe: string }): unknown {
  const { progress } = channel;
  return {
    database_name: path.database,
    schema_name: path.schema,
    pipe_name: path.pipe,
    channel_name: channel.name,
    channel_status_code: 'SUCCESS',
    last_committed_offset_token: progress.committedOffset,
    created_on_ms: channel.createdMs,
    rows_inserted: progress.rowsInserted,
    rows_parsed: progress.rowsParsed,
    rows_errors: progress.rowsErrors,
    rows_error_count: progress.rowsErrors,
    last_error_offset_upper_bound: progress.lastErrorOffset,
    last_error_message: progress.lastErrorMessage,
    last_error_timestamp: progress.lastErrorMs,
    snowflake_avg_processing_latency_ms: 0,
  };
}
