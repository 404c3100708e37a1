import type { Column } from '../event/table-schema.ts';

/*
 * Streamed texts that Debezium decodes with another character set than the column's: the cell has the right characters, so
 * that they are put back into their bytes and read again. Sets that are not known here stay right.
 */

/** The last characters of single-byte sets that the encoding standard has not, as MySQL has them; before them stand Latin-1's. */
const ownTables: Readonly<Record<string, string>> = {
  koi8u:
    '─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■•√≈≤≥\u00a0⌡°²·÷═║╒ёє╔ії╗╘╙╚╛ґ╝╞╟╠╡ЁЄ╣ІЇ╦╧╨╩╪Ґ╬©' +
    'юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ',
  armscii8: "❁§։)(»«—.՝,-՟…՜՛՞ԱաԲբԳգԴդԵեԶզԷէԸըԹթԺժԻիԼլԽխԾծԿկՀհՁձՂղՃճՄմՅյՆնՇշՈոՉչՊպՋջՌռՍսՎվՏտՐրՑցՒւՓփՔքՕօՖֆ’'",
  hp8: 'ÀÂÈÊËÎÏ´ˋˆ¨˜ÙÛ₤¯Ýý°ÇçÑñ¡¿¤£¥§ƒ¢âêôûáéóúàèòùäëöüÅîØÆåíøæÄìÖÜÉïßÔÁÃãÐðÍÌÓÒÕõŠšÚŸÿÞþ·µ¶¾—¼½ªº«■»±?',
};

/** MySQL's names by the labels of the encoding standard. */
const labels: Readonly<Record<string, string>> = {
  utf8mb3: 'utf-8',
  utf8mb4: 'utf-8',
  ascii: 'utf-8',
  latin1: 'windows-1252',
  latin2: 'iso-8859-2',
  latin5: 'windows-1254',
  latin7: 'iso-8859-13',
  greek: 'iso-8859-7',
  hebrew: 'iso-8859-8',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  cp866: 'ibm866',
  koi8r: 'koi8-r',
  macroman: 'macintosh',
  tis620: 'windows-874',
  ucs2: 'utf-16be',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
  sjis: 'shift_jis',
  cp932: 'shift_jis',
  gbk: 'gbk',
  gb2312: 'gbk',
  big5: 'big5',
  euckr: 'euc-kr',
};

/** Sets that Debezium takes for a neighbour (29), by connector those that it does not know (M37). */
const neighbours: Readonly<Record<string, string>> = { koi8u: 'koi8r', armscii8: 'latin1', hp8: 'latin1' };
const unknownSets: Readonly<Record<'mysql' | 'mariadb', ReadonlySet<string>>> = { mysql: new Set(), mariadb: new Set(['cp932']) };

/** What Debezium makes of a column's streamed texts; undefined: the same as the server. */
export function wrongText(
  { charset = 'utf8mb4', written }: Column,
  connector: 'mysql' | 'mariadb',
): ((text: string) => string) | undefined {
  const believed = written?.charset ?? neighbours[charset] ?? (unknownSets[connector].has(charset) ? 'utf8mb4' : charset);
  if (believed === charset) return undefined;
  const [encode, decode] = [encoderOf(charset), wrongDecoder(believed)];
  return encode === undefined || decode === undefined ? undefined : (text) => decode(encode(text));
}

/** How Debezium reads bytes of a character set. */
export function wrongDecoder(charset: string): ((bytes: Uint8Array) => string) | undefined {
  const label = labels[neighbours[charset] ?? charset];
  if (label === undefined) return undefined;
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  // The encoding standard has control characters where Java has nothing.
  if (label === 'windows-1252') return (bytes) => decoder.decode(bytes).replaceAll(/[\u0081\u008d\u008f\u0090\u009d]/g, '\ufffd');
  return (bytes) => decoder.decode(bytes);
}

type Encode = (text: string) => Uint8Array;

function encoderOf(charset: string): Encode | undefined {
  const label = labels[charset];
  if (label === 'utf-8') return (text) => Buffer.from(text, 'utf8');
  if (label === 'utf-16le') return (text) => Buffer.from(text, 'utf16le');
  if (label === 'utf-16be') return (text) => Buffer.from(text, 'utf16le').swap16();
  const codes = label === undefined ? codesOfTable(ownTables[charset]) : codesOfLabel(label);
  return codes && ((text) => Uint8Array.from(Array.from(text).flatMap((character) => codes.get(character) ?? [0x3f])));
}

type Codes = ReadonlyMap<string, readonly number[]>;

function codesOfTable(last: string | undefined): Codes | undefined {
  if (last === undefined) return undefined;
  const first = Array.from({ length: 256 - last.length }, (_, code) => String.fromCodePoint(code));
  // Backwards, so that of two bytes for one character the first counts.
  return new Map([...first, ...Array.from(last)].map((character, code): [string, number[]] => [character, [code]]).toReversed());
}

/** By decoding every code of one and two bytes; Windows' doubles of Shift_JIS from 0xed on are not written. */
function codesOfLabel(label: string): Codes {
  const codes = new Map<string, readonly number[]>();
  const decoder = new TextDecoder(label, { fatal: true });
  const add = (...bytes: number[]): boolean => {
    try {
      const text = decoder.decode(Uint8Array.from(bytes));
      if (!codes.has(text)) codes.set(text, bytes);
      return true;
    } catch {
      return false;
    }
  };
  for (let lead = 0; lead < 256; lead++) {
    if (add(lead) || (label === 'shift_jis' && (lead === 0xed || lead === 0xee))) continue;
    for (let trail = 0x40; trail < 256; trail++) add(lead, trail);
  }
  return codes;
}
