import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { SnowflakeError } from '../snowflake-error.ts';

/** A user of the emulated account, and all that it may log in with. */
export interface EmulatedUser {
  readonly name: string;
  readonly password?: string;
  /** PEM of the public key of key-pair authentication. */
  readonly publicKey?: string;
  readonly oauthTokens?: readonly string[];
  readonly accessTokens?: readonly string[];
}

export interface LoginData {
  readonly AUTHENTICATOR?: unknown;
  readonly LOGIN_NAME?: unknown;
  readonly PASSWORD?: unknown;
  readonly TOKEN?: unknown;
}

/**
 * Who logs in. As on Snowflake, a refusal does not say which part was wrong.
 * @throws SnowflakeError
 */
export function authenticate(users: readonly EmulatedUser[], account: string, data: LoginData, expired: ReadonlySet<string>): EmulatedUser {
  const login = text(data.LOGIN_NAME);
  const token = text(data.TOKEN);
  const user = users.find((each) => each.name.toUpperCase() === login.toUpperCase());
  switch (text(data.AUTHENTICATOR).toUpperCase()) {
    case '':
    case 'SNOWFLAKE':
      if (user?.password !== undefined && user.password === data.PASSWORD) return user;
      throw new SnowflakeError('390100', '08004', 'Incorrect username or password was specified.');
    case 'SNOWFLAKE_JWT':
      return userOfJwt(users, account, token);
    case 'OAUTH': {
      if (expired.has(token)) throw new SnowflakeError('390318', '08004', 'OAuth access token expired.');
      const owner = users.find((each) => each.oauthTokens?.includes(token));
      if (owner !== undefined) return owner;
      throw new SnowflakeError('390303', '08004', 'Invalid OAuth access token.');
    }
    case 'PROGRAMMATIC_ACCESS_TOKEN':
      if (!expired.has(token) && user?.accessTokens?.includes(token) === true) return user;
      throw new SnowflakeError('394400', '08004', 'Programmatic access token is invalid.');
    default:
      throw new SnowflakeError('390190', '08004', `The emulator does not know the authenticator ${text(data.AUTHENTICATOR)}.`);
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function invalidJwt(): SnowflakeError {
  return new SnowflakeError('390144', '08004', 'JWT token is invalid.');
}

/**
 * RS256 by the user's key; issuer `ACCOUNT.USER.SHA256:<fingerprint>`, subject `ACCOUNT.USER`. The driver's time claims
 * are milliseconds, those of the streaming API seconds: both are read.
 */
export function userOfJwt(users: readonly EmulatedUser[], account: string, token: string): EmulatedUser {
  const [header = '', body = '', signature = ''] = token.split('.');
  const claims = parsePart(body);
  const user = users.find((each) => text(claims['sub']).toUpperCase() === `${account}.${each.name}`.toUpperCase());
  if (user?.publicKey === undefined || parsePart(header)['alg'] !== 'RS256') throw invalidJwt();
  const key = createPublicKey(user.publicKey);
  const issuer = `${account.toUpperCase()}.${user.name.toUpperCase()}.${fingerprint(key)}`;
  const signed = verify('RSA-SHA256', Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url'));
  const inMs = (value: unknown): number => (typeof value === 'number' ? (value > 1e11 ? value : value * 1000) : Number.NaN);
  const [issuedMs, expiresMs] = [inMs(claims['iat']), inMs(claims['exp'])];
  // A minute of clocks that differ is forgiven; a token lives an hour at most.
  const timely = issuedMs <= Date.now() + 60_000 && expiresMs >= Date.now() && expiresMs - issuedMs <= 3_600_000;
  if (!signed || claims['iss'] !== issuer || !timely) throw invalidJwt();
  return user;
}

function fingerprint(key: KeyObject): string {
  return `SHA256:${createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64')}`;
}

function parsePart(part: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
