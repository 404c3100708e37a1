import { once } from 'node:events';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from './engine/catalog.ts';
import { Locks } from './engine/locks.ts';
import { Channels } from './engine/channels.ts';
import { type Account, Session } from './engine/session.ts';
import { StageFiles } from './engine/stage-files.ts';
import { Store } from './engine/store.ts';
import { Faults } from './faults.ts';
import type { EmulatedUser } from './http/authenticate.ts';
import { Logins } from './http/login.ts';
import { type LoggedStatement, Queries } from './http/queries.ts';
import { route, type Services } from './http/routes.ts';
import { Streaming } from './http/streaming.ts';
import { uploadPoint } from './http/uploads.ts';

export interface EmulatorOptions {
  /** Where the database file and the stages' files are kept; without it all is gone at the end. */
  readonly folder?: string;
  readonly port?: number;
  readonly account?: string;
  /** One user `MILLRACE` with the password `secret` if nothing is said. */
  readonly users?: readonly EmulatedUser[];
  /** Databases that are there, with a schema PUBLIC; `MILLRACE` if nothing is said. */
  readonly databases?: readonly string[];
  readonly sessionTokenSeconds?: number;
  readonly masterTokenSeconds?: number;
  /** Uploads by a URL per file, as older accounts give them, instead of a token. */
  readonly presignedUploads?: boolean;
  readonly answerWithinMs?: number;
  readonly idleBlockingMs?: number;
  /** How many rows of the past each table keeps for time travel; a million if nothing is said. */
  readonly maxEndedRows?: number;
  /** After how long rows of Snowpipe Streaming are in their table; 5 to 10 s on Snowflake. */
  readonly streamingCommitMs?: number;
}

export interface SnowflakeEmulator extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly account: string;
  readonly faults: Faults;
  /** All statements so far, in the order of their starts. */
  readonly statements: readonly LoggedStatement[];
  /** How many statements began with a word: `{ MERGE: 2, COPY: 2, … }`. */
  counts(): Readonly<Record<string, number>>;
  /** Makes session tokens, master tokens or the scoped ones of Snowpipe Streaming expire now. */
  expireTokens(kind: 'session' | 'master' | 'streaming'): void;
  /** An OAuth or programmatic access token that a later login is refused with. */
  revokeToken(token: string): void;
  /** Open sessions. */
  readonly sessions: number;
}

/**
 * A strict emulator of Snowflake on the loopback, for the official driver. It keeps real transactions and refuses by
 * name what it does not know; what is true here need not be true on Snowflake, but what is refused here by Snowflake's
 * own rules would be refused there.
 */
export async function openSnowflakeEmulator(options: EmulatorOptions = {}): Promise<SnowflakeEmulator> {
  const own = options.folder === undefined ? await mkdtemp(join(tmpdir(), 'snowflake-emulator-')) : undefined;
  const folder = options.folder ?? own ?? '';
  await mkdir(folder, { recursive: true });
  const store = await Store.open(own === undefined ? join(folder, 'account.duckdb') : ':memory:');
  const catalog = new Catalog(store, await store.objects());
  await store.forgetOpenTransactions(catalog.members('table').map((table) => table.id));
  for (const name of options.databases ?? ['MILLRACE']) await addDatabase(catalog, name);
  const account: Account = {
    name: options.account ?? 'emulator',
    catalog,
    locks: new Locks(),
    files: new StageFiles(join(folder, 'stages')),
    statements: new Map(await store.statements()),
    sessions: new Map(),
    idleBlockingMs: options.idleBlockingMs ?? 300_000,
    maxEndedRows: options.maxEndedRows ?? 1_000_000,
  };
  const users = options.users ?? [{ name: 'MILLRACE', password: 'secret' }];
  const logins = new Logins(account, users, {
    sessionSeconds: options.sessionTokenSeconds ?? 3600,
    masterSeconds: options.masterTokenSeconds ?? 14_400,
  });
  const faults = new Faults();
  let url = '';
  const uploads = uploadPoint(() => url, options.presignedUploads ?? false);
  const queries = new Queries(logins, { uploads, faults, answerWithinMs: options.answerWithinMs ?? 45_000 });
  const service = new Session(account, await store.connect(), { sessionId: 0, user: 'SNOWPIPE', role: 'SNOWPIPE' });
  const channels = new Channels(service, options.streamingCommitMs ?? 100);
  await channels.load();
  const streaming = new Streaming({ channels, users, account: account.name, faults, scopedTokenSeconds: 3600 });
  const services: Services = { account, logins, queries, uploads, faults, streaming };
  const server = createServer((request, response) => {
    const exchange = { request, response, url: new URL(request.url ?? '/', 'http://127.0.0.1') };
    // An upload that breaks off ends here, too: its file is not there then.
    route(exchange, services).catch(() => response.destroy());
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  url = `http://127.0.0.1:${port}`;
  const reaper = setInterval(() => void endIdleBlockers(account), Math.max(50, Math.min(account.idleBlockingMs / 4, 5000)));
  return {
    url,
    port,
    account: account.name,
    faults,
    statements: queries.log,
    counts: () => countByWord(queries.log),
    expireTokens: (kind) => (kind === 'streaming' ? streaming.expireTokens() : logins.expire(kind)),
    revokeToken: (token) => void logins.revoked.add(token),
    get sessions() {
      return account.sessions.size;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(reaper);
      channels.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      for (const session of account.sessions.values()) await session.close();
      await service.close();
      await store[Symbol.asyncDispose]();
      if (own !== undefined) await rm(own, { recursive: true, force: true });
    },
  };
}

async function addDatabase(catalog: Catalog, name: string): Promise<void> {
  if (catalog.database(name) !== undefined) return;
  const database = { kind: 'database', id: catalog.nextId(), name, createdMs: Date.now() } as const;
  const schema = { kind: 'schema', id: catalog.nextId(), database: name, name: 'PUBLIC', transient: false, createdMs: Date.now() } as const;
  for (const object of [database, schema]) await catalog.save(catalog.store.main, object);
  catalog.enter(database, schema);
}

/** A client that died leaves its transaction open; one that others wait for is ended after some minutes. */
async function endIdleBlockers(account: Account): Promise<void> {
  const before = Date.now() - account.idleBlockingMs;
  for (const owner of account.locks.blocking(before)) {
    const session = account.sessions.get(owner.sessionId);
    if (session?.transaction !== undefined && session.transaction.idleSinceMs <= before) await session.rollback().catch(() => undefined);
  }
}

function countByWord(log: readonly LoggedStatement[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { sql } of log) {
    const word = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? '';
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
