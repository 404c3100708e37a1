import type { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import type { ServerConnection } from '../binlog/connection.ts';

/**
 * How stored bytes of a character set become UTF-8: a table of the 256 characters of a single-byte set, or a decoder.
 * `undefined` stands for the sets whose bytes are UTF-8 as they are.
 */
export type Charset = SingleByte | MultiByte;

interface SingleByte {
  readonly kind: 'single';
  /** For each byte the UTF-8 bytes of its character. */
  readonly characters: readonly Uint8Array[];
}

interface MultiByte {
  readonly kind: 'multi';
  readonly name: string;
  decode(bytes: Uint8Array): string;
}

/** Character sets by the server's name. */
export interface Charsets {
  /** @throws BINLOG_UNSUPPORTED when the set cannot be decoded */
  find(name: string): Charset | undefined;
}

const utf8 = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii', 'binary']);

/** MySQL's multi-byte sets by the encoding standard's label that has the same characters. */
const labels: Readonly<Record<string, string>> = {
  gbk: 'gbk',
  gb2312: 'gbk',
  gb18030: 'gb18030',
  big5: 'big5',
  sjis: 'shift_jis',
  cp932: 'shift_jis',
  ujis: 'euc-jp',
  eucjpms: 'euc-jp',
  euckr: 'euc-kr',
  ucs2: 'utf-16be',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
};

/**
 * Character sets as this server has them. The single-byte ones are asked of the server itself, since no table outside of it
 * agrees with all of its sets (latin1 is cp1252 with five more characters, latin7 and others have none elsewhere).
 */
export async function loadCharsets(connection: ServerConnection, signal: AbortSignal): Promise<Charsets> {
  const names = await connection.query('SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS WHERE MAXLEN = 1', signal);
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('hex');
  const known = new Map<string, Charset>();
  for (const [name] of names) {
    if (name === null || name === undefined || utf8.has(name)) continue;
    const rows = await connection.query(`SELECT HEX(CONVERT(_${name} X'${all}' USING utf8mb4))`, signal);
    const text = Buffer.from(rows[0]?.[0] ?? '', 'hex').toString('utf8');
    const characters = Array.from(text, (character) => new Uint8Array(Buffer.from(character)));
    if (characters.length === 256) known.set(name, { kind: 'single', characters });
  }
  return {
    find(name) {
      if (utf8.has(name)) return undefined;
      const existing = known.get(name) ?? multiByte(name);
      if (existing === undefined) {
        throw new MillraceError('BINLOG_UNSUPPORTED', `character set ${name} cannot be decoded from the binlog`, {
          nextStep: `Convert the column to utf8mb4, or exclude it with column.exclude.list.`,
          context: { charset: name },
        });
      }
      known.set(name, existing);
      return existing;
    },
  };
}

function multiByte(name: string): MultiByte | undefined {
  if (name === 'utf32') return { kind: 'multi', name, decode: decodeUtf32 };
  const label = labels[name];
  if (label === undefined) return undefined;
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return { kind: 'multi', name, decode: (bytes) => decoder.decode(bytes) };
}

function decodeUtf32(bytes: Uint8Array): string {
  let text = '';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; at += 4) text += String.fromCodePoint(view.getUint32(at));
  return text;
}

const encoder = new TextEncoder();

/** Writes `bytes` of a character set as a canonical text cell. */
export function writeCharset(writer: ByteWriter, charset: Charset | undefined, bytes: Uint8Array): void {
  if (charset === undefined) {
    writer.varint(bytes.length);
    writer.raw(bytes, 0, bytes.length);
    return;
  }
  if (charset.kind === 'multi') {
    const encoded = encoder.encode(charset.decode(bytes));
    writer.varint(encoded.length);
    writer.raw(encoded, 0, encoded.length);
    return;
  }
  const { characters } = charset;
  let size = 0;
  for (let i = 0; i < bytes.length; i++) size += characters[bytes[i] ?? 0]?.length ?? 0;
  writer.varint(size);
  writer.reserve(size);
  const out = writer.bytes;
  let o = writer.length;
  for (let i = 0; i < bytes.length; i++) {
    const character = characters[bytes[i] ?? 0];
    if (character === undefined) continue;
    for (let j = 0; j < character.length; j++) out[o++] = character[j] ?? 0;
  }
  writer.length = o;
}
