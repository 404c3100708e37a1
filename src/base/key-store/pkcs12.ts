/**
 * PKCS #12 files, as keytool and openssl write them:
 *
 *   PFX         { version, AuthenticatedSafe as data, mac }
 *   safe        [ contents: data, or encrypted data ]
 *   contents    [ bag: a key, a shrouded (encrypted) key, a certificate ]
 *
 * Encryption is PBES2 (PBKDF2 and AES), or the older schemes of PKCS #12 itself with 3DES. The MAC is not looked at: a wrong
 * password shows in what it decrypts, and the file is the user's own.
 *
 * Source: RFC 7292, RFC 8018.
 */
import { createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import { MillraceError } from '../errors.ts';
import { derTag, integerOf, octets, oidText, readDer } from './der.ts';
import type { DerValue } from './der.ts';
import { toPem, wrongPassword } from './pem.ts';
import type { KeyStore } from './pem.ts';

const oid = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  sha1And3Des: '1.2.840.113549.1.12.1.3',
} as const;

const ciphers: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};

const hashes: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

/** @throws CONFIG_INVALID for a wrong password or a damaged file, CONFIG_UNSUPPORTED naming an unknown encryption */
export function readPkcs12(bytes: Uint8Array, password: string): KeyStore {
  const certificates: string[] = [];
  const keys: string[] = [];
  try {
    const [, safe] = children(readDer(bytes)[0]);
    for (const info of children(readDer(contentOf(safe))[0])) {
      const [type, content] = children(info);
      const contents = oidOf(type) === oid.encryptedData ? decryptContents(content, password) : octets(inner(content));
      for (const bag of children(readDer(contents)[0])) readBag(bag, password, { certificates, keys });
    }
  } catch (cause) {
    if (cause instanceof MillraceError && cause.code !== 'TRUNCATED') throw cause;
    throw new MillraceError('CONFIG_INVALID', 'the PKCS #12 file is damaged, or its password is wrong', {
      cause,
      nextStep: 'Correct the password of the store.',
    });
  }
  return { certificates, keys };
}

/** SafeBag { oid, [0] value, attributes }. */
function readBag(bag: DerValue, password: string, into: { certificates: string[]; keys: string[] }): void {
  const [type, tagged] = children(bag);
  const value = inner(tagged);
  switch (oidOf(type)) {
    case oid.keyBag:
      into.keys.push(toPem('PRIVATE KEY', value.whole));
      return;
    case oid.shroudedKeyBag: {
      const [algorithm, sealed] = children(value);
      into.keys.push(toPem('PRIVATE KEY', decrypt(algorithm, octets(known(sealed)), password)));
      return;
    }
    case oid.certBag: {
      const [, certificate] = children(value);
      into.certificates.push(toPem('CERTIFICATE', octets(inner(certificate))));
      return;
    }
    default:
    // Certificate revocation lists and secrets say nothing about a connection.
  }
}

/** ContentInfo { oid data, [0] OCTET STRING }. */
function contentOf(info: DerValue | undefined): Uint8Array {
  const [type, content] = children(info);
  if (oidOf(type) !== oid.data) throw new MillraceError('CONFIG_UNSUPPORTED', 'the PKCS #12 file is signed by a certificate');
  return octets(inner(content));
}

/** [0] EncryptedData { version, { oid, algorithm, [0] OCTET STRING } }. */
function decryptContents(tagged: DerValue | undefined, password: string): Uint8Array {
  const [, content] = children(inner(tagged));
  const [, algorithm, sealed] = children(content);
  return decrypt(
    algorithm,
    octets({ ...known(sealed), tag: known(sealed).tag === derTag.explicit0 ? 0x24 : derTag.octetString }),
    password,
  );
}

function decrypt(algorithm: DerValue | undefined, sealed: Uint8Array, password: string): Uint8Array {
  const [scheme, parameters] = children(algorithm);
  const name = oidOf(scheme);
  if (name === oid.pbes2) return decryptPbes2(parameters, sealed, password);
  if (name !== oid.sha1And3Des) {
    throw new MillraceError('CONFIG_UNSUPPORTED', `the PKCS #12 file is encrypted by ${name}, which is too old`, {
      nextStep: 'Write it anew: openssl pkcs12 -legacy -in old.p12 -nodes -out store.pem',
    });
  }
  const [salt, iterations] = children(parameters);
  const facts = { password, salt: known(salt).content, iterations: integerOf(known(iterations)) };
  return decipher('des-ede3-cbc', { key: pkcs12Key(1, 24, facts), iv: pkcs12Key(2, 8, facts) }, sealed);
}

/** { { oid PBKDF2, { salt, iterations, length?, { oid prf }? } }, { oid cipher, iv } }. */
function decryptPbes2(parameters: DerValue | undefined, sealed: Uint8Array, password: string): Uint8Array {
  const [derivation, encryption] = children(parameters);
  const [derivationName, derivationParameters] = children(derivation);
  if (oidOf(derivationName) !== oid.pbkdf2) {
    throw new MillraceError('CONFIG_UNSUPPORTED', `the PKCS #12 file derives its key by ${oidOf(derivationName)}`);
  }
  const [salt, iterations, ...rest] = children(derivationParameters);
  const prf = rest.find((value) => value.tag === derTag.sequence);
  const hash = prf === undefined ? 'sha1' : hashes[oidOf(children(prf)[0])];
  const [cipherName, iv] = children(encryption);
  const cipher = ciphers[oidOf(cipherName)];
  if (hash === undefined || cipher === undefined) {
    throw new MillraceError('CONFIG_UNSUPPORTED', `the PKCS #12 file is encrypted by ${oidOf(cipherName)}`);
  }
  const key = pbkdf2Sync(password, known(salt).content, integerOf(known(iterations)), cipher.keyBytes, hash);
  return decipher(cipher.name, { key, iv: known(iv).content }, sealed);
}

function decipher(name: string, { key, iv }: { readonly key: Uint8Array; readonly iv: Uint8Array }, sealed: Uint8Array): Uint8Array {
  try {
    const cipher = createDecipheriv(name, key, iv);
    return Buffer.concat([cipher.update(sealed), cipher.final()]);
  } catch (cause) {
    // The padding does not fit.
    throw new MillraceError('CONFIG_INVALID', wrongPassword().message, { cause, nextStep: wrongPassword().nextStep });
  }
}

interface Pkcs12KeyFacts {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** The key derivation of PKCS #12 with SHA-1; id 1 gives keys, 2 gives IVs. Source: RFC 7292, appendix B.2. */
function pkcs12Key(id: number, size: number, { password, salt, iterations }: Pkcs12KeyFacts): Uint8Array {
  const blockBytes = 64;
  const secret = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const fill = (bytes: Uint8Array): Buffer => {
    const filled = Buffer.alloc(blockBytes * Math.ceil(bytes.length / blockBytes));
    for (let at = 0; at < filled.length; at++) filled[at] = bytes[at % bytes.length] ?? 0;
    return filled;
  };
  const input = Buffer.concat([fill(salt), fill(secret)]);
  const parts: Buffer[] = [];
  for (let made = 0; made < size; made += 20) {
    let digest = createHash('sha1').update(Buffer.alloc(blockBytes, id)).update(input).digest();
    for (let i = 1; i < iterations; i++) digest = createHash('sha1').update(digest).digest();
    parts.push(digest);
    // Each block of the input, as a number, grows by the digest's block and one.
    const added = fill(digest);
    for (let block = 0; block < input.length; block += blockBytes) {
      let carry = 1;
      for (let at = blockBytes - 1; at >= 0; at--) {
        const sum = (input[block + at] ?? 0) + (added[at] ?? 0) + carry;
        input[block + at] = sum & 0xff;
        carry = sum >> 8;
      }
    }
  }
  return Buffer.concat(parts).subarray(0, size);
}

function children(value: DerValue | undefined): readonly DerValue[] {
  return readDer(known(value).content);
}

function inner(tagged: DerValue | undefined): DerValue {
  return known(children(tagged)[0]);
}

function oidOf(value: DerValue | undefined): string {
  return oidText(known(value));
}

function known(value: DerValue | undefined): DerValue {
  if (value === undefined) throw new MillraceError('TRUNCATED', 'a value of the PKCS #12 file is missing');
  return value;
}
