import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mariadbScripts, mysqlScripts } from './corpus-flavors.fixture.ts';
import { commonScripts } from './corpus.fixture.ts';
import { readDdl, sqlModeBits, type DdlContext } from './read-ddl.ts';
import { Tokenizer, type LexicalRules } from './tokenizer.ts';

const context: DdlContext = { flavor: 'mysql', defaultDatabase: 'db', sqlMode: 0n, versionNumber: 90_704 };
const rules: LexicalRules = { flavor: 'mysql', ansiQuotes: false, noBackslashEscapes: false, versionNumber: 90_704 };

function tokens(sql: string, changes: Partial<LexicalRules> = {}): string[] {
  const tokenizer = new Tokenizer(sql, { ...rules, ...changes });
  const found: string[] = [];
  for (let token = tokenizer.next(); token.kind !== 'end'; token = tokenizer.next()) {
    found.push(`${token.kind}:${token.introducer === undefined ? '' : `_${token.introducer} `}${token.value}`);
  }
  return found;
}

test('names and keywords are words, quoted names keep any character', () => {
  assert.deepEqual(tokens('a1 `b``c` ü$_ 1a "x"'), ['word:a1', 'name:b`c', 'word:ü$_', 'word:1a', 'text:x']);
  assert.deepEqual(tokens('"a""b"', { ansiQuotes: true }), ['name:a"b']);
  assert.deepEqual(tokens('db.5t.`x`'), ['word:db', 'symbol:.', 'word:5t', 'symbol:.', 'name:x']);
});

test('texts lose their quotes and escapes', () => {
  assert.deepEqual(tokens(String.raw`'it''s' 'a\nb\'\\c\%' "d""e"`), ["text:it's", "text:a\nb'\\c\\%", 'text:d"e']);
  assert.deepEqual(tokens(String.raw`'a\' 'b'`, { noBackslashEscapes: true }), ['text:a\\', 'text:b']);
  assert.deepEqual(tokens("_latin1'a' _utf8mb4 x'ff' N'c' _x"), ['text:_latin1 a', 'hex:_utf8mb4 ff', 'text:_utf8mb3 c', 'word:_x']);
});

test('numbers, and what only looks like one', () => {
  assert.deepEqual(tokens("1 1.5 .5 1e3 1.e-3 0x0A x'0a' b'01' 0b11 0xg"), [
    'number:1',
    'number:1.5',
    'number:.5',
    'number:1e3',
    'number:1.e-3',
    'hex:0A',
    'hex:0a',
    'bit:01',
    'bit:11',
    'word:0xg',
  ]);
});

test('comments are nothing, but for the code in executable ones', () => {
  assert.deepEqual(tokens('a -- x\nb # y\nc /* z */ d --e'), ['word:a', 'word:b', 'word:c', 'word:d', 'symbol:-', 'symbol:-', 'word:e']);
  assert.deepEqual(tokens('a /*!80023 b */ c /*!99999 d /* e */ f */ g /*! h */ /*M! i */'), [
    'word:a',
    'word:b',
    'word:c',
    'word:g',
    'word:h',
  ]);
  const mariadb = { flavor: 'mariadb', versionNumber: 110_809 } as const;
  assert.deepEqual(tokens('a /*!50701 b */ /*!100301 c */ /*M!110000 d */ /*M!120000 e */ /*!40000 f */', mariadb), [
    'word:a',
    'word:c',
    'word:d',
    'word:f',
  ]);
});

test('what is not closed ends at the end', () => {
  for (const sql of ["'abc", '`abc', '/* abc', '/*! abc', '"abc\\', "x'0"]) assert.ok(tokens(sql).length <= 1, sql);
});

test('statements that touch no table are irrelevant', () => {
  for (const sql of [
    'BEGIN',
    'COMMIT',
    'XA START x',
    "GRANT SELECT ON a.b TO 'u'",
    'CREATE VIEW v AS SELECT 1',
    'CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW ALTER TABLE y ADD z INT',
    'DROP EVENT e',
    'ANALYZE TABLE t',
    'SET NAMES utf8',
    '',
    '# nothing',
    'CREATE TEMPORARY TABLE t (a INT)',
    'DROP TEMPORARY TABLE t',
    'FLUSH TABLES t',
    'SAVEPOINT s',
    'CREATE USER x',
  ]) {
    assert.equal(readDdl(sql, context).kind, 'irrelevant', sql);
  }
});

test('statements that change rows are uncertain for the tables that they name', () => {
  for (const sql of [
    'INSERT INTO x.t VALUES (1)',
    'UPDATE x.t SET a = 1',
    'DELETE FROM x.t',
    'REPLACE x.t SELECT 1',
    "LOAD DATA INFILE 'f' INTO TABLE x.t",
    'WITH c AS (SELECT 1) DELETE FROM x.t',
  ]) {
    const statement = readDdl(sql, context);
    assert.ok(statement.kind === 'uncertain', sql);
    assert.ok(
      statement.tables.some(({ database, table }) => database === 'x' && table === 't'),
      sql,
    );
  }
});

test('what cannot be read is uncertain for the tables that it names', () => {
  for (const sql of [
    'ALTER TABLE x.t FROBNICATE',
    'CREATE TABLE x.t (a NOTYPE)',
    'ALTER TABLE x.t ADD COLUMN a INT WHAT',
    'ALTER TABLE x.t ADD',
    'RENAME TABLE x.t',
  ]) {
    const statement = readDdl(sql, context);
    assert.ok(statement.kind === 'uncertain', sql);
    assert.ok(
      statement.tables.some(({ database, table }) => database === 'x' && table === 't'),
      sql,
    );
  }
  const oracle = readDdl('CREATE TABLE t (a DATE)', { ...context, flavor: 'mariadb', sqlMode: sqlModeBits.oracle });
  assert.deepEqual(oracle, { kind: 'uncertain', tables: [{ database: 'db', table: 't' }], reason: 'sql_mode ORACLE' });
});

test('names take the default database and the marks of sql_mode', () => {
  assert.deepEqual(readDdl('DROP TABLE `a`, b.c, .d', context), {
    kind: 'dropTables',
    tables: [
      { database: 'db', table: 'a' },
      { database: 'b', table: 'c' },
      { database: 'db', table: 'd' },
    ],
  });
  assert.deepEqual(readDdl('TRUNCATE "a b"', { ...context, sqlMode: sqlModeBits.ansiQuotes }), {
    kind: 'truncateTable',
    table: { database: 'db', table: 'a b' },
  });
});

const corpus = [commonScripts, mysqlScripts, mariadbScripts].flatMap((scripts) => Object.values(scripts).flat());

test('reading never throws and ends, whatever the text', () => {
  const pieces = corpus.flatMap((sql) => sql.split(/(?<=[ ,()'"`])/));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 5 })), { maxLength: 30 }),
      fc.boolean(),
      (parts, mariadb) => {
        const start = parts.length % 3 === 0 ? 'ALTER TABLE t ' : parts.length % 3 === 1 ? 'CREATE TABLE t (' : '';
        readDdl(start + parts.join(''), { ...context, flavor: mariadb ? 'mariadb' : 'mysql' });
      },
    ),
    { numRuns: 3000 },
  );
});

test('a statement that is cut anywhere does not throw', () => {
  for (const sql of corpus.slice(0, 120)) {
    for (let end = 0; end < sql.length; end++) readDdl(sql.slice(0, end), context);
  }
});
