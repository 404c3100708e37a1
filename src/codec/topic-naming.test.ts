import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adjustedName, topicNaming } from './topic-naming.ts';

const table = { database: 'shop', table: 'straße 1_x' };

test('each character that a topic cannot have is an underscore, or its code under the Unicode strategies', () => {
  assert.equal(topicNaming({}, 'p', '.')(table), 'p.shop.stra_e_1_x');
  const unicode = { 'topic.naming.strategy': 'io.debezium.schema.DefaultUnicodeTopicNamingStrategy' };
  assert.equal(topicNaming(unicode, 'p', '-')(table), 'p-shop-stra_u00dfe_u00201_u005fx');
});

test('a topic that the pattern matches gets the name of the replacement', () => {
  const name = topicNaming(
    {
      'topic.naming.strategy': 'io.debezium.schema.DefaultRegexTopicNamingStrategy',
      'topic.regex': '(.*)\\.shop\\.(orders)_\\d+',
      'topic.replacement': '$1.all.$2',
    },
    'p',
    '.',
  );
  assert.equal(name({ database: 'shop', table: 'orders_7' }), 'p.all.orders');
  assert.equal(name({ database: 'shop', table: 'users' }), 'p.shop.users');
});

test('names are made fit for Avro', () => {
  assert.equal(adjustedName('1-a b', 'avro', false), '_1_a_b');
  assert.equal(adjustedName('p.s-t', 'avro', true), 'p.s_t');
  assert.equal(adjustedName('a-b_c', 'avro_unicode', false), 'a_u002db_u005fc');
  assert.equal(adjustedName('1a', 'avro_unicode', false), '_u0031a');
  assert.equal(adjustedName('a-b', 'none', false), 'a-b');
});
