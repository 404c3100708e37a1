import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { isMillraceError } from '../base/errors.ts';
import { defineConfig, parsedOrThrow, readConfig } from './config-def.ts';
import { resolveProviders } from './config-providers.ts';
import { parseJavaProperties } from './java-properties.ts';
import { Secret } from './secret.ts';

const definition = defineConfig({
  flag: { type: 'boolean', default: 'false', importance: 'low', doc: 'A flag.' },
  count: { type: 'int', required: true, importance: 'low', doc: 'A count.' },
  big: { type: 'long', importance: 'low', doc: 'A long.' },
  names: { type: 'list', default: '', importance: 'low', doc: 'Names.' },
  word: { type: 'password', importance: 'low', doc: 'A password.' },
  text: { type: 'string', importance: 'low', doc: 'A text.' },
});

const def = { definition, others: {}, families: [] };

test('each type is read from text as Kafka Connect reads it', () => {
  const values = parsedOrThrow(
    readConfig(def, { flag: ' TRUE ', count: ' 42 ', big: '9007199254740991', names: ' a , b,c ', word: ' p ', text: ' x y ' }),
    'c',
  );
  const { word, ...others } = values;
  assert.deepEqual(others, { flag: true, count: 42, big: 9_007_199_254_740_991, names: ['a', 'b', 'c'], text: 'x y' });
  assert.equal(word?.reveal(), 'p');
});

test('what is not given has its default, or is not there', () => {
  assert.deepEqual(parsedOrThrow(readConfig(def, { count: '1' }), 'c'), { flag: false, count: 1, names: [] });
});

for (const [name, text] of [
  ['flag', 'yes'],
  ['count', '2147483648'],
  ['count', '1.5'],
  ['count', ''],
  ['count', '0x10'],
  ['big', '1e3'],
] as const) {
  test(`${name}="${text}" is wrong, and named`, () => {
    const reading = readConfig(def, { count: '1', [name]: text });
    assert.deepEqual(
      reading.problems.map((problem) => problem.property),
      [name],
    );
    assert.throws(
      () => parsedOrThrow(reading, 'c'),
      (error: unknown) => isMillraceError(error, 'CONFIG_INVALID') && error.message.includes(name),
    );
  });
}

test('a secret hides itself in text, JSON and inspection', () => {
  const secret = new Secret('hunter2');
  for (const shown of [String(secret), JSON.stringify({ secret }), inspect({ secret }, { showHidden: true, depth: 9 })]) {
    assert.ok(!shown.includes('hunter2'), shown);
  }
});

test('providers are replaced from environment, properties file and folder; the rest stays', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-providers-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secrets.properties');
  writeFileSync(file, 'db.password = s3 cret\nuser:u\n');
  writeFileSync(join(folder, 'token'), 'abc');
  const { properties, unresolved } = resolveProviders(
    {
      a: `\${file:${file}:db.password}`,
      b: `x-\${env:USER_X}-\${file:${file}:user}`,
      c: `\${dir:${folder}:token}`,
      d: '${env:MISSING}',
      e: '${database}.${table}',
      f: '${vault:x:y}',
    },
    { USER_X: '${env:NOT_AGAIN}' },
  );
  assert.deepEqual(properties, {
    a: 's3 cret',
    b: 'x-${env:NOT_AGAIN}-u',
    c: 'abc',
    d: '${env:MISSING}',
    e: '${database}.${table}',
    f: '${vault:x:y}',
  });
  assert.deepEqual(unresolved, ['d: ${env:MISSING}']);
  assert.throws(
    () => resolveProviders({ a: `\${file:${folder}/none:x}` }),
    (error: unknown) => isMillraceError(error, 'CONFIG_UNREADABLE'),
  );
});

test('a properties file is read as Java reads it', () => {
  const text = '# c\n! c\n\na=1\n b : 2\nc 3\nd\\ e=4\\\n   5\nf=\\u0041\\t\\\\\ng=\nh\nurl=http://x:1/?a=b\n';
  assert.deepEqual(
    [...parseJavaProperties(text)],
    [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d e', '45'],
      ['f', 'A\t\\'],
      ['g', ''],
      ['h', ''],
      ['url', 'http://x:1/?a=b'],
    ],
  );
});
