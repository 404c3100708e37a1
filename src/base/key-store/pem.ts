import { MillraceError } from '../errors.ts';

/** What a key store holds. */
export interface KeyStore {
  /** PEM. */
  readonly certificates: readonly string[];
  /** PEM, PKCS #8, not encrypted. */
  readonly keys: readonly string[];
}

/** The blocks of a PEM file, whatever lies between them. */
export function readPem(pem: string): KeyStore {
  const blocks = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  const labelled = (label: RegExp): readonly string[] => blocks.filter((block) => label.test(block.slice(0, block.indexOf('\n'))));
  return { certificates: labelled(/CERTIFICATE/), keys: labelled(/PRIVATE KEY/) };
}

export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----`;
}

export function wrongPassword(): MillraceError {
  return new MillraceError('CONFIG_INVALID', 'its password is wrong', { nextStep: 'Correct the password of the store.' });
}
