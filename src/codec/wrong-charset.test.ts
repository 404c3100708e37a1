import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from '../event/table-schema.ts';
import { wrongText } from './wrong-charset.ts';

function text(charset: string, written?: string): Column {
  const words = written === undefined ? {} : { written: { type: 'VARCHAR', charset: written } };
  return { name: 't', type: { kind: 'text' }, nullable: true, nativeType: 'VARCHAR', charset, ...words };
}

// The bytes are those of the sets' own tables: 0xad is ґ in KOI8-U and ╜ in KOI8-R, 0xb2 Ա in ARMSCII-8 and ² in cp1252,
// 0xa1 À in HP Roman-8 and ¡ in cp1252.
for (const [charset, right, wrong] of [
  ['koi8u', 'ґa', '╜a'],
  ['armscii8', 'Ա1', '²1'],
  ['hp8', 'À', '¡'],
] as const) {
  test(`streamed ${charset} is read with a neighbouring character set`, () => {
    assert.equal(wrongText(text(charset), 'mysql')?.(right), wrong);
  });
}

test('a text that Debezium reads right is left alone', () => {
  for (const charset of ['utf8mb4', 'latin1', 'sjis', 'koi8r', 'cp850']) assert.equal(wrongText(text(charset), 'mysql'), undefined);
  assert.equal(wrongText(text('cp932'), 'mysql'), undefined);
});

test('cp932 is UTF-8 to the connector for MariaDB', () => {
  // 93 fa 96 7b 8c ea 87 40
  assert.equal(wrongText(text('cp932'), 'mariadb')?.('日本語①'), '\ufffd\ufffd\ufffd{\ufffd\ufffd@');
});

test('the character set that a statement seems to name counts', () => {
  assert.equal(wrongText(text('utf8mb4', 'latin1'), 'mysql')?.('☃'), 'â˜ƒ');
  assert.equal(wrongText(text('ucs2', 'sjis'), 'mysql')?.('☃'), '&\u0003');
  // Bytes that cp1252 leaves out: 0x81 of Á.
  assert.equal(wrongText(text('utf8mb4', 'latin1'), 'mysql')?.('Á'), 'Ã\ufffd');
});
