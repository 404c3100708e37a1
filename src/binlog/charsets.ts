import { TextDecoder } from 'node:util';
import { textOf } from './cursor.ts';

/**
 * Character set of each collation id, as runs of "first-last name": MySQL 9 and MariaDB 11 together, which give no id to
 * two sets. Source: information_schema.COLLATIONS of both servers.
 */
const runs = `1 big5,2 latin2,3 dec8,4 cp850,5 latin1,6 hp8,7 koi8r,8 latin1,9 latin2,10 swe7,11 ascii,12 ujis,13 sjis,
14 cp1251,15 latin1,16 hebrew,18 tis620,19 euckr,20 latin7,21 latin2,22 koi8u,23 cp1251,24 gb2312,25 greek,26 cp1250,
27 latin2,28 gbk,29 cp1257,30 latin5,31 latin1,32 armscii8,33 utf8mb3,34 cp1250,35 ucs2,36 cp866,37 keybcs2,38 macce,
39 macroman,40 cp852,41-42 latin7,43 macce,44 cp1250,45-46 utf8mb4,47-49 latin1,50-52 cp1251,53 macroman,54-55 utf16,
56 utf16le,57 cp1256,58-59 cp1257,60-61 utf32,62 utf16le,63 binary,64 armscii8,65 ascii,66 cp1250,67 cp1256,68 cp866,
69 dec8,70 greek,71 hebrew,72 hp8,73 keybcs2,74 koi8r,75 koi8u,76 utf8mb3,77 latin2,78 latin5,79 latin7,80 cp850,
81 cp852,82 swe7,83 utf8mb3,84 big5,85 euckr,86 gb2312,87 gbk,88 sjis,89 tis620,90 ucs2,91 ujis,92-93 geostd8,
94 latin1,95-96 cp932,97-98 eucjpms,99 cp1250,101-127 utf16,128-159 ucs2,160-191 utf32,192-223 utf8mb3,224-247 utf8mb4,
248-250 gb18030,255-575 utf8mb4,576-607 utf8mb3,608-639 utf8mb4,640-671 ucs2,672-703 utf16,736-767 utf32`;

const charsetById: string[] = [];
for (const run of runs.split(',')) {
  const [range = '', name = ''] = run.trim().split(' ');
  const [first, last] = range.split('-').map(Number);
  for (let id = first ?? 0; id <= (last ?? first ?? 0); id++) charsetById[id] = name;
}

/** MariaDB's UCA 14.0.0 collations: 256 ids for each of these sets, from 2048 on. */
const uca1400 = ['utf8mb3', 'utf8mb4', 'ucs2', 'utf16', 'utf32'];

/** The id of the collation `binary`: bytes, not text. */
export const binaryCollation = 63;

/** The character set of a collation, by the server's name; undefined if the id is not known. */
export function charsetOfCollation(id: number): string | undefined {
  if (id >= 2048) return uca1400[(id - 2048) >> 8];
  // MariaDB's NOPAD collations are 1024 above the ones that pad.
  return charsetById[id >= 1024 ? id - 1024 : id];
}

/** Sets whose bytes are UTF-8 already. */
const utf8Sets = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii', 'binary']);

/** Labels of the encoding standard whose characters are those of the server's set. */
const labels: Readonly<Record<string, string>> = {
  latin1: 'windows-1252',
  latin2: 'iso-8859-2',
  latin5: 'iso-8859-9',
  latin7: 'iso-8859-13',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  greek: 'iso-8859-7',
  hebrew: 'iso-8859-8',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  cp866: 'ibm866',
  macroman: 'macintosh',
  tis620: 'windows-874',
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

const decoders = new Map<string, TextDecoder>();

/** `bytes[start, end)` of a character set as text; undefined for the few old sets that nothing here can decode. */
export function decodeText(bytes: Uint8Array, start: number, end: number, charset: string): string | undefined {
  if (utf8Sets.has(charset)) return textOf(bytes, start, end);
  if (charset === 'utf32') return decodeUtf32(bytes, start, end);
  let decoder = decoders.get(charset);
  if (decoder === undefined) {
    const label = labels[charset];
    if (label === undefined) return undefined;
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(charset, decoder);
  }
  return decoder.decode(bytes.subarray(start, end));
}

function decodeUtf32(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at + 4 <= end; at += 4) {
    const point = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    text += point > 0x10_ffff ? '\ufffd' : String.fromCodePoint(point);
  }
  return text;
}
