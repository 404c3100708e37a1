import type { CharsetCatalog } from '../charset-catalog.ts';

/*
 * Character sets with their default collation (without the set's name) and the most bytes of a character, as MySQL 9.7 and
 * MariaDB 11.8 list them in information_schema.CHARACTER_SETS.
 */
const common =
  'armscii8 general_ci 1; ascii general_ci 1; big5 chinese_ci 2; binary binary 1; cp1250 general_ci 1; cp1251 general_ci 1; ' +
  'cp1256 general_ci 1; cp1257 general_ci 1; cp850 general_ci 1; cp852 general_ci 1; cp866 general_ci 1; cp932 japanese_ci 2; ' +
  'dec8 swedish_ci 1; eucjpms japanese_ci 3; euckr korean_ci 2; gb2312 chinese_ci 2; gbk chinese_ci 2; geostd8 general_ci 1; ' +
  'greek general_ci 1; hebrew general_ci 1; hp8 english_ci 1; keybcs2 general_ci 1; koi8r general_ci 1; koi8u general_ci 1; ' +
  'latin1 swedish_ci 1; latin2 general_ci 1; latin5 turkish_ci 1; latin7 general_ci 1; macce general_ci 1; macroman general_ci 1; ' +
  'sjis japanese_ci 2; swe7 swedish_ci 1; tis620 thai_ci 1; ujis japanese_ci 3; utf16le general_ci 4; ';
const own = {
  mysql: 'gb18030 chinese_ci 4; ucs2 general_ci 2; utf16 general_ci 4; utf32 general_ci 4; utf8mb3 general_ci 3; utf8mb4 0900_ai_ci 4',
  mariadb: 'ucs2 uca1400_ai_ci 2; utf16 uca1400_ai_ci 4; utf32 uca1400_ai_ci 4; utf8mb3 uca1400_ai_ci 3; utf8mb4 uca1400_ai_ci 4',
} as const;

/** What a server of today means by the names of character sets, where none is at hand to ask. */
export function usualCharsets(flavor: 'mysql' | 'mariadb'): CharsetCatalog {
  const sets = `${common}${own[flavor]}`.split('; ').map((line) => line.split(' '));
  const defaultCollations = new Map(sets.map(([name = '', collation = '']) => [name, name === collation ? name : `${name}_${collation}`]));
  return {
    flavor,
    defaultCollations,
    primaryCollations: defaultCollations,
    collationsById: new Map(),
    maxLengths: new Map(sets.map(([name = '', , length]) => [name, Number(length)])),
    serverCollation: defaultCollations.get('utf8mb4') ?? '',
    databaseCollations: new Map(),
    integerWidths: flavor === 'mariadb',
    foldsNames: false,
  };
}
