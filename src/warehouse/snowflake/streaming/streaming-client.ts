import { zstdCompressSync } from 'node:zlib';
import { messageOf, MillraceError } from '../../../base/errors.ts';
import { createKeyPairToken } from './key-pair-token.ts';

export interface StreamingAccount {
  /** Of the account, with scheme and port. */
  readonly url: string;
  readonly account: string;
  readonly user: string;
  /** PEM, not encrypted. */
  readonly privateKey: string;
}

/** Where rows go: the pipe that each table has by itself. */
export interface PipePlace {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}

/** What Snowflake says of a channel. */
export interface ChannelStatus {
  /** Of the last rows that are in the table for good; null: none ever. */
  readonly committed: string | null;
  /** Rows that it could not store, ever. */
  readonly errors: number;
  readonly lastError: string;
}

export interface OpenedChannel {
  readonly continuation: string;
  readonly status: ChannelStatus;
}

/** A token is renewed so long before its end. */
const marginMs = 5 * 60_000;
const requestMs = 60_000;

/**
 * Snowpipe Streaming over its REST API, the high-performance architecture: a channel takes rows in their order from one writer, each
 * request bound to the one before by a continuation token. Source: Snowflake documentation, "Snowpipe Streaming REST API".
 */
export class StreamingClient {
  readonly #account: StreamingAccount;
  #host: string | undefined;
  #scoped: { readonly text: string; readonly expiresMs: number } | undefined;

  constructor(account: StreamingAccount) {
    this.#account = account;
  }

  /** Opens a channel: whoever had it open before can append no more. */
  async open(place: PipePlace, channel: string, signal: AbortSignal): Promise<OpenedChannel> {
    const answer = await this.#call(
      { method: 'PUT', path: `${pipePath(place)}/channels/${encodeURIComponent(channel)}`, body: '{}' },
      signal,
    );
    const status = member(answer, 'channel_status');
    return { continuation: textOf(member(answer, 'next_continuation_token'), 'next_continuation_token'), status: statusOf(status) };
  }

  /** Appends lines of JSON; what is given is the continuation for the next. */
  async append(
    { place, channel, continuation }: { readonly place: PipePlace; readonly channel: string; readonly continuation: string },
    rows: { readonly lines: string; readonly first: string; readonly last: string },
    signal: AbortSignal,
  ): Promise<string> {
    const query = new URLSearchParams({ continuationToken: continuation, startOffsetToken: rows.first, endOffsetToken: rows.last });
    const answer = await this.#call(
      {
        method: 'POST',
        path: `/data${pipePath(place)}/channels/${encodeURIComponent(channel)}/rows?${query.toString()}`,
        body: zstdCompressSync(rows.lines),
        encoding: 'zstd',
      },
      signal,
    );
    return textOf(member(answer, 'next_continuation_token'), 'next_continuation_token');
  }

  async status(place: PipePlace, channel: string, signal: AbortSignal): Promise<ChannelStatus> {
    const body = JSON.stringify({ channel_names: [channel] });
    const answer = await this.#call({ method: 'POST', path: `${pipePath(place)}:bulk-channel-status`, body }, signal);
    const status = member(member(answer, 'channel_statuses'), channel);
    if (status === undefined) {
      throw new MillraceError('WAREHOUSE_FAILED', `The channel ${channel} of ${place.table} is gone`, { retriable: true });
    }
    return statusOf(status);
  }

  /** With another token, once, if Snowflake takes this one no more. */
  async #call(request: StreamingRequest, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      const token = await this.#token(signal);
      const response = await this.#fetch(`${this.#origin()}/v2/streaming${request.path}`, {
        method: request.method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'content-type': request.encoding === undefined ? 'application/json' : 'application/x-ndjson',
          'x-snowflake-authorization-token-type': 'OAUTH',
          ...(request.encoding === undefined ? {} : { 'content-encoding': request.encoding }),
        },
        body: request.body,
        signal,
      });
      if (response.ok) return response.json();
      if (response.status === 401 && attempt === 0) {
        this.#scoped = undefined;
        continue;
      }
      throw await faultOf(response, request.path);
    }
  }

  async #token(signal: AbortSignal): Promise<string> {
    const nowMs = Date.now();
    if (this.#scoped !== undefined && this.#host !== undefined && nowMs < this.#scoped.expiresMs - marginMs) return this.#scoped.text;
    const jwt = createKeyPairToken(this.#account, nowMs);
    const headers = {
      authorization: `Bearer ${jwt.text}`,
      accept: 'application/json',
      'x-snowflake-authorization-token-type': 'KEYPAIR_JWT',
    };
    const { url } = this.#account;
    this.#host ??= (await this.#ask(`${url}/v2/streaming/hostname`, { headers, signal }, 'hostname')).replaceAll('_', '-');
    const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', scope: this.#host });
    const text = await this.#ask(`${url}/oauth/token`, { method: 'POST', headers, body, signal }, 'token');
    this.#scoped = { text, expiresMs: jwt.expiresMs };
    return text;
  }

  /** An answer that is a text, or, as has been seen too, an object with it. */
  async #ask(address: string, init: RequestInit & { readonly signal: AbortSignal }, name: string): Promise<string> {
    const response = await this.#fetch(address, init);
    if (!response.ok) throw await faultOf(response, new URL(address).pathname);
    const text = (await response.text()).trim();
    if (!text.startsWith('{')) return text;
    const parsed: unknown = JSON.parse(text);
    return textOf(member(parsed, name) ?? member(parsed, `access_${name}`), name);
  }

  async #fetch(address: string, init: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
    try {
      return await fetch(address, { ...init, signal: AbortSignal.any([init.signal, AbortSignal.timeout(requestMs)]) });
    } catch (cause) {
      init.signal.throwIfAborted();
      throw new MillraceError('WAREHOUSE_UNREACHABLE', `Snowpipe Streaming does not answer: ${reasonOf(cause)}`, {
        cause,
        retriable: true,
      });
    }
  }

  /** Ingest hosts speak what the account does: HTTPS, or HTTP in tests. */
  #origin(): string {
    return `${new URL(this.#account.url).protocol}//${this.#host ?? ''}`;
  }
}

interface StreamingRequest {
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly encoding?: 'zstd';
}

/** Names in quotes: those without are taken for upper case. */
function pipePath({ database, schema, table }: PipePlace): string {
  const name = (text: string): string => encodeURIComponent(`"${text.replaceAll('"', '""')}"`);
  return `/databases/${name(database)}/schemas/${name(schema)}/pipes/${name(`${table}-STREAMING`)}`;
}

/** What fetch hides behind "fetch failed". */
function reasonOf(cause: unknown): string {
  return messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
}

async function faultOf(response: Response, path: string): Promise<MillraceError> {
  const text = (await response.text()).slice(0, 1000);
  const { status } = response;
  const message = `Snowpipe Streaming answers ${status} to ${path.split('?')[0] ?? ''}: ${text}`;
  if (status === 401 || status === 403) {
    return new MillraceError('WAREHOUSE_ACCESS_DENIED', message, {
      nextStep: "Give the user the key pair's public half (ALTER USER … SET RSA_PUBLIC_KEY), and the role INSERT on the landing tables.",
    });
  }
  // a token that is not the last one: another writer, or an answer that was lost; the channel is opened anew
  const retriable = status === 408 || status === 429 || status >= 500 || text.includes('STALE_CONTINUATION_TOKEN');
  return new MillraceError(status >= 500 ? 'WAREHOUSE_UNREACHABLE' : 'WAREHOUSE_FAILED', message, { retriable });
}

function statusOf(status: unknown): ChannelStatus {
  const committed = member(status, 'last_committed_offset_token');
  const errors = Number(member(status, 'rows_error_count') ?? member(status, 'rows_errors') ?? 0);
  const lastError = member(status, 'last_error_message');
  return {
    committed: typeof committed === 'string' && committed !== '' ? committed : null,
    errors,
    lastError: typeof lastError === 'string' ? lastError : '',
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new MillraceError('WAREHOUSE_FAILED', `The answer of Snowpipe Streaming has no ${name}`, { retriable: true });
}
