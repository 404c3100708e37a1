import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'snowflake-sdk';
import { messageOf, MillraceError } from '../../base/errors.ts';
import type { Secret } from '../../config/secret.ts';

/** Where the account answers. */
export interface Account {
  readonly name: string;
  readonly url: string;
}

export interface SnowflakeLogin {
  readonly account: Account;
  readonly user: string;
  /** `snowflake_jwt`, `snowflake`, `oauth`, `programmatic_access_token`. */
  readonly authenticator: string;
  readonly privateKey: Secret | undefined;
  readonly privateKeyPath: string;
  readonly passphrase: Secret | undefined;
  readonly password: Secret | undefined;
  readonly token: Secret | undefined;
  readonly oauth: OAuthClient;
  readonly role: string;
  readonly warehouse: string;
  readonly proxy: Proxy;
}

export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly refreshToken: Secret | undefined;
  readonly endpoint: string;
  readonly scope: string;
}

interface Proxy {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret | undefined;
  readonly except: string;
}

/** @throws CONFIG_INVALID */
export function readAccount(text: string): Account {
  const withScheme = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    throw new MillraceError('CONFIG_INVALID', `snowflake.url.name is "${text}"`, {
      nextStep: 'It is the address of the account, such as myorg-myaccount.snowflakecomputing.com.',
    });
  }
  // the driver wants the port written out
  const port = url.port === '' ? (url.protocol === 'http:' ? '80' : '443') : url.port;
  const [name = ''] = url.hostname.split('.snowflakecomputing.');
  return { name, url: `${url.protocol}//${url.hostname}:${port}` };
}

/** @throws CONFIG_INVALID naming the property that is missing */
export function checkLogin(login: SnowflakeLogin, connector: string): void {
  const missing = missingProperty(login);
  if (missing === undefined) return;
  throw new MillraceError(
    'CONFIG_INVALID',
    `Connector "${connector}": ${missing} is missing, which snowflake.authenticator=${login.authenticator} needs`,
  );
}

function missingProperty({ authenticator, privateKey, privateKeyPath, password, token, oauth }: SnowflakeLogin): string | undefined {
  switch (authenticator) {
    case 'snowflake':
      return password === undefined ? 'snowflake.password' : undefined;
    case 'programmatic_access_token':
      return token === undefined ? 'snowflake.token' : undefined;
    case 'oauth':
      if (token !== undefined) return undefined;
      return oauth.clientId === '' || oauth.clientSecret === undefined
        ? 'snowflake.token, or snowflake.oauth.client.id with its secret,'
        : undefined;
    default:
      return privateKey === undefined && privateKeyPath === '' ? 'snowflake.private.key or snowflake.private.key.path' : undefined;
  }
}

/**
 * What the driver connects with; tokens of OAuth are fetched anew each time.
 * @throws CONFIG_INVALID, WAREHOUSE_ACCESS_DENIED
 */
export async function connectionOptions(
  login: SnowflakeLogin,
  { connector, database }: { readonly connector: string; readonly database: string },
): Promise<ConnectionOptions> {
  const { account, user, role, warehouse, proxy } = login;
  return {
    account: account.name,
    accessUrl: account.url,
    username: user,
    database,
    application: 'Millrace',
    queryTag: JSON.stringify({ millrace: { sink: connector } }),
    ...(role === '' ? {} : { role }),
    ...(warehouse === '' ? {} : { warehouse }),
    ...(proxy.host === ''
      ? {}
      : {
          proxyHost: proxy.host,
          proxyPort: proxy.port,
          proxyProtocol: 'http',
          ...(proxy.user === '' ? {} : { proxyUser: proxy.user, proxyPassword: proxy.password?.reveal() ?? '' }),
          ...(proxy.except === '' ? {} : { noProxy: proxy.except }),
        }),
    ...(await credentials(login)),
  };
}

async function credentials(login: SnowflakeLogin): Promise<ConnectionOptions> {
  switch (login.authenticator) {
    case 'snowflake':
      return { authenticator: 'SNOWFLAKE', password: login.password?.reveal() ?? '' };
    case 'programmatic_access_token':
      return { authenticator: 'PROGRAMMATIC_ACCESS_TOKEN', token: login.token?.reveal() ?? '' };
    case 'oauth':
      return { authenticator: 'OAUTH', token: login.token?.reveal() ?? (await fetchAccessToken(login)) };
    default:
      return { authenticator: 'SNOWFLAKE_JWT', privateKey: readPrivateKey(login) };
  }
}

/** The key of a key pair: PEM, not encrypted. @throws CONFIG_INVALID */
export function readPrivateKey({ privateKey, privateKeyPath, passphrase }: SnowflakeLogin): string {
  const secret = passphrase?.reveal();
  const body = secret === undefined ? 'PRIVATE KEY' : 'ENCRYPTED PRIVATE KEY';
  try {
    const given = (privateKey?.reveal() ?? readFileSync(privateKeyPath, 'utf8')).trim();
    const pem = given.startsWith('-----') ? given : `-----BEGIN ${body}-----\n${given.replaceAll(/\s+/g, '\n')}\n-----END ${body}-----\n`;
    const key = createPrivateKey({ key: pem, format: 'pem', ...(secret === undefined ? {} : { passphrase: secret }) });
    return key.export({ format: 'pem', type: 'pkcs8' }).toString();
  } catch (error) {
    throw new MillraceError('CONFIG_INVALID', `The private key of Snowflake's user cannot be read: ${messageOf(error)}`, {
      nextStep: 'Give PKCS#8 in snowflake.private.key or snowflake.private.key.path, and the passphrase of an encrypted one.',
    });
  }
}

async function fetchAccessToken({ account, oauth, role }: SnowflakeLogin): Promise<string> {
  const { clientId, clientSecret, refreshToken, endpoint, scope } = oauth;
  const form = new URLSearchParams(
    refreshToken === undefined
      ? { grant_type: 'client_credentials', scope: scope === '' && role !== '' ? `session:role:${role}` : scope }
      : { grant_type: 'refresh_token', refresh_token: refreshToken.reveal(), ...(scope === '' ? {} : { scope }) },
  );
  const basic = Buffer.from(`${clientId}:${clientSecret?.reveal() ?? ''}`).toString('base64');
  let answer: unknown;
  try {
    const response = await fetch(endpoint === '' ? `${account.url}/oauth/token-request` : endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: form,
    });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    answer = await response.json();
  } catch (error) {
    throw new MillraceError('WAREHOUSE_ACCESS_DENIED', `The token endpoint gives no access token: ${messageOf(error)}`, {
      retriable: true,
    });
  }
  if (typeof answer === 'object' && answer !== null && 'access_token' in answer && typeof answer.access_token === 'string') {
    return answer.access_token;
  }
  throw new MillraceError('WAREHOUSE_ACCESS_DENIED', 'The answer of the token endpoint has no access_token');
}
