import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStatement, splitStatements } from './parse-statement.ts';
import { tokenize } from './tokenize.ts';

const folding = { quotedIgnoreCase: false };

function texts(sql: string): readonly string[] {
  return tokenize(sql)
    .slice(0, -1)
    .map((token) => `${token.kind} ${token.text}`);
}

test('strings, names, numbers, operators and comments', () => {
  assert.deepEqual(texts(String.raw`'it''s \'a\' \\ \n\x41\u00e4\q'`), ["string it's 'a' \\ \nAäq"]);
  assert.deepEqual(texts('"a ""b"" c" SYSTEM$BIND $1'), ['quoted a "b" c', 'word SYSTEM$BIND', 'symbol $', 'number 1']);
  assert.deepEqual(texts('1 .5 1.5e-3 2.'), ['number 1', 'number .5', 'number 1.5e-3', 'number 2.']);
  assert.deepEqual(texts('a::b=>c||d<>e!=f<=g -- end\n/* /* */ h // i'), [
    'word a',
    'symbol ::',
    'word b',
    'symbol =>',
    'word c',
    'symbol ||',
    'word d',
    'symbol <>',
    'word e',
    'symbol !=',
    'word f',
    'symbol <=',
    'word g',
    'word h',
  ]);
  for (const broken of ["'open", '"open', '/* open', '""', '`a`', '$$text$$']) {
    assert.throws(() => tokenize(broken), { code: '001003' }, broken);
  }
});

test('a text is cut at the semicolons that end statements', () => {
  assert.deepEqual(splitStatements(`SELECT ';' AS ";"; -- ; no\n ; INSERT INTO t VALUES ('a;b') ;`), [
    'SELECT \';\' AS ";"',
    "INSERT INTO t VALUES ('a;b')",
  ]);
});

test('a syntax error says where it is', () => {
  assert.throws(() => parseStatement('SELECT 1\nFROM t WHERE', folding), /line 2 at position 12 unexpected '<EOF>'/);
  assert.throws(() => parseStatement('SELECT 1 2', folding), /line 1 at position 9 unexpected '2'/);
});

test('a staged path ends at a blank; the PUT of the driver has none before it', () => {
  const put = parseStatement(`PUT file://1'@SYSTEM$BIND/ab-c.d' overwrite=true auto_compress=false`, folding);
  assert.deepEqual(put, {
    is: 'put',
    file: '1',
    stage: { kind: 'named', name: ['SYSTEM$BIND'], path: 'ab-c.d' },
    options: { OVERWRITE: true, AUTO_COMPRESS: false },
  });
  assert.deepEqual(parseStatement('LIST @"Db"."S".st/a/b.parquet;', folding), {
    is: 'list',
    stage: { kind: 'named', name: ['Db', 'S', 'ST'], path: 'a/b.parquet' },
    pattern: undefined,
  });
});
