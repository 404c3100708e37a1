/** For tests: random DDL on a few tables. The server refuses some of it, which is then passed over. */

/** A generator of numbers from 0 to below 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const types = [
  'INT',
  'TINYINT(1)',
  'SMALLINT UNSIGNED',
  'MEDIUMINT',
  'BIGINT',
  'BIGINT UNSIGNED ZEROFILL',
  'DECIMAL(10,3)',
  'DECIMAL(20,5) UNSIGNED',
  'FLOAT',
  'DOUBLE',
  'BIT(4)',
  'YEAR',
  'DATE',
  'TIME(3)',
  'DATETIME',
  'DATETIME(6)',
  'TIMESTAMP NULL',
  'CHAR(5)',
  'VARCHAR(20)',
  'VARCHAR(60) CHARACTER SET latin1',
  'VARCHAR(30) COLLATE utf8mb4_bin',
  'TEXT',
  'LONGTEXT CHARACTER SET latin1',
  'BINARY(4)',
  'VARBINARY(10)',
  'BLOB',
  "ENUM('a','b','c')",
  "SET('x','y','z')",
  'JSON',
  'BOOL',
] as const;

const defaults: Readonly<Record<string, readonly string[]>> = {
  INT: ['5', "'7'", '-1', '0'],
  'DECIMAL(10,3)': ['1.5', "'2.25'", '0'],
  DOUBLE: ['0.5', '1e3'],
  DATE: ["'2020-02-03'"],
  'TIME(3)': ["'12:34:56.789'"],
  DATETIME: ["'2021-01-02 03:04:05'"],
  'DATETIME(6)': ["'2021-01-02 03:04:05.5'", 'NOW(6)'],
  'CHAR(5)': ["'ab'", "''"],
  'VARCHAR(20)': ["'x'", "'it''s'", '5'],
  'VARBINARY(10)': ["'a'", '0x0102'],
  "ENUM('a','b','c')": ["'b'"],
  "SET('x','y','z')": ["'z,x'", "''"],
  BOOL: ['TRUE', 'FALSE'],
  'BIT(4)': ["b'101'"],
};

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'G', 'h', 'odd name', 'key'];
const tables = ['t1', 't2', 't3'];

/** Endless statements; mostly ALTER TABLE with one to four actions. */
export function* generatedDdl(random: () => number): Generator<string> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] ?? from[0] ?? raise();
  const chance = (probability: number): boolean => random() < probability;
  const name = (): string => `\`${pick(names)}\``;

  const definition = (): string => {
    const type = pick(types);
    const value = defaults[type];
    const nullability = type === 'TIMESTAMP NULL' ? '' : pick(['', '', 'NOT NULL', 'NULL']);
    const withDefault = value !== undefined && chance(0.5) ? ` DEFAULT ${pick(value)}` : '';
    return `${type} ${nullability}${withDefault}${chance(0.1) ? " COMMENT 'c'" : ''}`;
  };
  const position = (): string => pick(['', '', '', ' FIRST', ` AFTER ${name()}`]);
  const keyParts = (): string => [...new Set([name(), ...(chance(0.4) ? [name()] : [])])].join(', ');

  const action = (): string => {
    switch (Math.floor(random() * 16)) {
      case 0:
      case 1:
      case 2:
        return `ADD COLUMN ${name()} ${definition()}${position()}`;
      case 3:
        return `ADD (${name()} ${definition()}, ${name()} ${definition()})`;
      case 4:
      case 5:
        return `DROP COLUMN ${name()}`;
      case 6:
      case 7:
        return `MODIFY ${name()} ${definition()}${position()}`;
      case 8:
      case 9:
        return `CHANGE ${name()} ${name()} ${definition()}${position()}`;
      case 10:
        return `RENAME COLUMN ${name()} TO ${name()}`;
      case 11:
        return pick([`ALTER ${name()} SET DEFAULT ${pick(['5', "'x'", 'NULL'])}`, `ALTER COLUMN ${name()} DROP DEFAULT`]);
      case 12:
        return pick([
          `ADD UNIQUE (${keyParts()})`,
          `ADD UNIQUE KEY u${Math.floor(random() * 3)} (${keyParts()})`,
          `ADD INDEX (${keyParts()})`,
        ]);
      case 13:
        return pick([
          `ADD PRIMARY KEY (${keyParts()})`,
          'DROP PRIMARY KEY',
          `DROP INDEX u${Math.floor(random() * 3)}`,
          `DROP INDEX ${name()}`,
        ]);
      case 14:
        return pick([
          "COMMENT = 'x'",
          'DEFAULT CHARSET latin1',
          'DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin',
          'CONVERT TO CHARACTER SET utf8mb4',
        ]);
      default:
        return pick([`RENAME TO ${pick(tables)}`, 'FORCE', `ADD ${name()} ${definition()}`]);
    }
  };

  for (;;) {
    const table = pick(tables);
    if (chance(0.05)) yield `DROP TABLE IF EXISTS ${table}`;
    if (chance(0.1)) yield `RENAME TABLE ${table} TO swap, ${pick(tables)} TO ${table}`;
    if (chance(0.1)) yield `RENAME TABLE swap TO ${pick(tables)}`;
    const columns = [...new Set(Array.from({ length: 2 + Math.floor(random() * 5) }, name))].map((each) => `${each} ${definition()}`);
    const key = chance(0.5)
      ? `, ${pick(['PRIMARY KEY', 'UNIQUE', 'UNIQUE u0'])} (${columns[0]?.slice(0, columns[0].indexOf('` ') + 1)})`
      : '';
    yield `CREATE TABLE IF NOT EXISTS ${table} (${columns.join(', ')}${key})`;
    if (chance(0.8)) yield `INSERT INTO ${table} VALUES ()`;
    const count = 1 + Math.floor(random() * random() * 5);
    yield `ALTER TABLE ${table} ${Array.from({ length: count }, action).join(', ')}`;
  }
}

function raise(): never {
  throw new Error('nothing to pick from');
}
