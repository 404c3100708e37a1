/** Java's key stores, as the PEM texts that Node takes. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { MillraceError } from '../errors.ts';
import { encodeDer } from './der.ts';
import { readPem, toPem, wrongPassword } from './pem.ts';
import type { KeyStore } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';

const jksMagic = 0xfeedfeed;

export interface StorePasswords {
  readonly password: string;
  /** Of the keys in a JKS file; absent: the same. */
  readonly keyPassword?: string;
}

/**
 * Reads a JKS, PKCS #12 or PEM file; which one it is the bytes say. The certificate of
 * the first key comes first, as TLS wants it.
 *
 * @throws CONFIG_INVALID for a wrong password, CONFIG_UNSUPPORTED for another format
 */
export function readKeyStore(bytes: Buffer, passwords: StorePasswords): KeyStore {
  if (bytes.includes('-----BEGIN ')) return readPem(bytes.toString('latin1'));
  if (bytes.length >= 12 && bytes.readUInt32BE(0) === jksMagic) return ownFirst(readJks(bytes, passwords));
  if (bytes[0] === 0x30) return ownFirst(readPkcs12(bytes, passwords.password));
  throw new MillraceError('CONFIG_UNSUPPORTED', 'it is neither PEM, PKCS #12 nor JKS', {
    nextStep: 'Make a PKCS #12 file of it: keytool -importkeystore -srckeystore <file> -destkeystore store.p12 -deststoretype PKCS12',
  });
}

/**
 * A JKS file; all integers big-endian.
 *
 *   4  0xFEEDFEED, then 4: version, then 4: number of entries
 *   entry
 *     4    1: key, 2: trusted certificate
 *     2+n  alias; 8: milliseconds
 *     key: 4+n  EncryptedPrivateKeyInfo; 4: number of certificates, then each
 *     certificate: 2+n  "X.509", 4+n  DER
 *   20 SHA-1 of the password in UTF-16BE, "Mighty Aphrodite" and all bytes before
 *
 * Source: OpenJDK, sun.security.provider.JavaKeyStore.
 */
function readJks(bytes: Buffer, { password, keyPassword = password }: StorePasswords): KeyStore {
  const body = bytes.subarray(0, -20);
  // A store may be read without its password, which then is not checked; keys need it anyway.
  if (password !== '') checkJksPassword(bytes, body, password);
  const certificates: string[] = [];
  const keys: string[] = [];
  let at = 8;
  const int = (): number => body.readUInt32BE((at += 4) - 4);
  const text = (): string => take(body.readUInt16BE((at += 2) - 2)).toString('utf8');
  const take = (size: number): Buffer => body.subarray(at, (at += size));
  const certificate = (): void => {
    if (bytes.readUInt32BE(4) === 2) text();
    certificates.push(toPem('CERTIFICATE', take(int())));
  };
  try {
    for (let left = int(); left > 0; left--) {
      const kind = int();
      text();
      at += 8;
      if (kind === 1) {
        keys.push(toPem('PRIVATE KEY', decryptJksKey(take(int()), keyPassword)));
        for (let chain = int(); chain > 0; chain--) certificate();
      } else {
        certificate();
      }
    }
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError('CONFIG_INVALID', 'the JKS file is damaged', { cause });
  }
  return { certificates, keys };
}

function ownFirst({ certificates, keys }: KeyStore): KeyStore {
  const [first] = keys;
  if (first === undefined) return { certificates, keys };
  const key = createPrivateKey(first);
  const isOwn = (pem: string): boolean => new X509Certificate(pem).checkPrivateKey(key);
  return { certificates: [...certificates].sort((a, b) => Number(isOwn(b)) - Number(isOwn(a))), keys };
}

function checkJksPassword(bytes: Buffer, body: Buffer, password: string): void {
  const digest = createHash('sha1').update(utf16(password)).update('Mighty Aphrodite').update(body).digest();
  if (!digest.equals(bytes.subarray(-20))) throw wrongPassword();
}

/**
 * Sun's own encryption of a JKS key: 20 bytes of salt, the key XORed with a chain of SHA-1 digests of password and
 * salt, 20 bytes of SHA-1 over password and key.
 *
 * Source: OpenJDK, sun.security.provider.KeyProtector.
 */
function decryptJksKey(info: Buffer, password: string): Uint8Array {
  // EncryptedPrivateKeyInfo: SEQUENCE { SEQUENCE { oid 1.3.6.1.4.1.42.2.17.1.1, NULL }, OCTET STRING }
  const mark = info.indexOf(Buffer.from('2b060104012a02110101', 'hex'));
  const start = info.indexOf(encodeDer(0x05, new Uint8Array(0)), mark);
  const sealed = start < 0 ? info : info.subarray(skipHeader(info, start + 2));
  const secret = utf16(password);
  const salt = sealed.subarray(0, 20);
  const encrypted = sealed.subarray(20, -20);
  const key = Buffer.alloc(encrypted.length);
  let digest: Buffer = salt;
  for (let at = 0; at < encrypted.length; at++) {
    if (at % 20 === 0) digest = createHash('sha1').update(secret).update(digest).digest();
    key[at] = (encrypted[at] ?? 0) ^ (digest[at % 20] ?? 0);
  }
  const check = createHash('sha1').update(secret).update(key).digest();
  if (!check.equals(sealed.subarray(-20))) throw wrongPassword();
  return key;
}

/** Where the content of the OCTET STRING at this place begins. */
function skipHeader(bytes: Buffer, at: number): number {
  const length = bytes[at + 1] ?? 0;
  return at + 2 + (length > 0x80 ? length & 0x7f : 0);
}

function utf16(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16();
}
