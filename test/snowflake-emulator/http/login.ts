import { randomBytes } from 'node:crypto';
import { SnowflakeError } from '../snowflake-error.ts';
import { type Account, Session } from '../engine/session.ts';
import { authenticate, type EmulatedUser, type LoginData } from './authenticate.ts';
import { type Exchange, failure, readJson, sendJson, success } from './exchange.ts';

/** How long tokens hold; a test sets them short, or makes one expire. */
export interface TokenTimes {
  readonly sessionSeconds: number;
  readonly masterSeconds: number;
}

interface Token {
  readonly sessionId: number;
  readonly kind: 'session' | 'master';
  expiresMs: number;
}

/** Logins, and the tokens that sessions are known by. */
export class Logins {
  readonly #account: Account;
  readonly #users: readonly EmulatedUser[];
  readonly #times: TokenTimes;
  readonly #tokens = new Map<string, Token>();
  #lastSession = 0;
  /** OAuth and programmatic access tokens that no longer hold. */
  readonly revoked = new Set<string>();
  /** Logins that were let in. */
  count = 0;

  constructor(account: Account, users: readonly EmulatedUser[], times: TokenTimes) {
    this.#account = account;
    this.#users = users;
    this.#times = times;
  }

  async login(exchange: Exchange): Promise<void> {
    const body = await readJson(exchange.request);
    const data = (body['data'] ?? {}) as LoginData & Record<string, unknown>;
    try {
      const user = authenticate(this.#users, this.#account.name, data, this.revoked);
      const session = await this.#open(exchange, user, data['SESSION_PARAMETERS']);
      this.count += 1;
      sendJson(exchange, success(this.#answer(session)));
    } catch (error) {
      if (!(error instanceof SnowflakeError)) throw error;
      sendJson(exchange, failure(error));
    }
  }

  /** The session of a request. @throws SnowflakeError 390104 or 390112 */
  sessionOf(exchange: Exchange, kind: Token['kind'] = 'session'): Session {
    const header = exchange.request.headers.authorization ?? '';
    const token = this.#tokens.get(/Token="([^"]+)"/.exec(header)?.[1] ?? '');
    const session = token === undefined ? undefined : this.#account.sessions.get(token.sessionId);
    if (token === undefined || token.kind !== kind) throw new SnowflakeError('390104', '08001', 'Invalid session token.');
    if (session === undefined) {
      throw new SnowflakeError('390111', '08001', 'Session no longer exists. New login required to access the service.');
    }
    if (token.expiresMs < Date.now()) {
      const code = kind === 'session' ? '390112' : '390114';
      throw new SnowflakeError(
        code,
        '08001',
        kind === 'session' ? 'Session token expired.' : 'Authentication token has expired. The user must authenticate again.',
      );
    }
    return session;
  }

  /** Makes the tokens of all sessions, or of one, expire now. */
  expire(kind: Token['kind'], sessionId?: number): void {
    for (const token of this.#tokens.values()) {
      if (token.kind === kind && (sessionId === undefined || token.sessionId === sessionId)) token.expiresMs = 0;
    }
  }

  /** A new session token for a master token. */
  renew(exchange: Exchange): void {
    const session = this.sessionOf(exchange, 'master');
    const [sessionToken, masterToken] = [this.#issue(session, 'session'), this.#issue(session, 'master')];
    sendJson(
      exchange,
      success({
        sessionToken,
        masterToken,
        validityInSecondsST: this.#times.sessionSeconds,
        validityInSecondsMT: this.#times.masterSeconds,
        sessionId: session.sessionId,
      }),
    );
  }

  forget(session: Session): void {
    for (const [text, token] of this.#tokens) if (token.sessionId === session.sessionId) this.#tokens.delete(text);
  }

  #issue(session: Session, kind: Token['kind']): string {
    const text = randomBytes(24).toString('base64url');
    const seconds = kind === 'session' ? this.#times.sessionSeconds : this.#times.masterSeconds;
    this.#tokens.set(text, { sessionId: session.sessionId, kind, expiresMs: Date.now() + seconds * 1000 });
    return text;
  }

  async #open(exchange: Exchange, user: EmulatedUser, parameters: unknown): Promise<Session> {
    const query = exchange.url.searchParams;
    // The number is taken before anything is waited for: logins come side by side.
    this.#lastSession += 1;
    const identity = {
      sessionId: Date.now() * 1000 + (this.#lastSession % 1000),
      user: user.name.toUpperCase(),
      role: (query.get('roleName') ?? 'ACCOUNTADMIN').toUpperCase(),
    };
    const connection = await this.#account.catalog.store.connect();
    const session = new Session(this.#account, connection, identity);
    // A login names what is not there without an error; statements then find no database.
    const database = query.get('databaseName')?.toUpperCase();
    const schema = (query.get('schemaName') ?? 'PUBLIC').toUpperCase();
    session.warehouse = query.get('warehouse')?.toUpperCase();
    if (database !== undefined && session.catalog.database(database) !== undefined) {
      session.database = database;
      session.schema = session.catalog.findSchema(database, schema)?.name;
    }
    for (const [name, value] of Object.entries(typeof parameters === 'object' && parameters !== null ? parameters : {})) {
      if (!name.startsWith('CLIENT_')) session.setParameter(name.toUpperCase(), value);
    }
    this.#account.sessions.set(session.sessionId, session);
    return session;
  }

  #answer(session: Session): unknown {
    return {
      token: this.#issue(session, 'session'),
      masterToken: this.#issue(session, 'master'),
      validityInSeconds: this.#times.sessionSeconds,
      masterValidityInSeconds: this.#times.masterSeconds,
      displayUserName: session.user,
      serverVersion: '9.0.0 (emulator)',
      firstLogin: false,
      healthCheckInterval: 45,
      newClientForUpgrade: null,
      sessionId: session.sessionId,
      parameters: session.parameters(),
      sessionInfo: {
        databaseName: session.database ?? null,
        schemaName: session.schema ?? null,
        warehouseName: session.warehouse ?? null,
        roleName: session.role,
      },
      idToken: null,
      idTokenValidityInSeconds: 0,
      responseData: null,
      mfaToken: null,
      mfaTokenValidityInSeconds: 0,
    };
  }
}
