import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';

/** Seconds that a token may be used. */
const lifeSeconds = 3600;

export interface KeyPairToken {
  readonly text: string;
  readonly expiresMs: number;
}

/**
 * A JWT of a key pair as Snowflake's REST APIs take it: times in seconds, unlike in the driver's logins. Source: Snowflake
 * documentation, "Authenticating to the server", using key-pair authentication.
 */
export function createKeyPairToken(
  { account, user, privateKey }: { readonly account: string; readonly user: string; readonly privateKey: string },
  nowMs: number,
): KeyPairToken {
  const key = createPrivateKey(privateKey);
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const fingerprint = `SHA256:${createHash('sha256').update(der).digest('base64')}`;
  // an account locator may have its region behind a dot, which is no part of the name here
  const subject = `${(account.split('.')[0] ?? account).toUpperCase()}.${user.toUpperCase()}`;
  const seconds = Math.floor(nowMs / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: `${subject}.${fingerprint}`, sub: subject, iat: seconds, exp: seconds + lifeSeconds };
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  const signature = sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url');
  return { text: `${signed}.${signature}`, expiresMs: nowMs + lifeSeconds * 1000 };
}
