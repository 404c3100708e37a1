import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTopicTables, javaHash, sanitizedName, type TopicTables } from './topic-tables.ts';

function tables(map: string, more: { replacesGroups?: boolean; sanitizes?: boolean } = {}): TopicTables {
  return createTopicTables({ map, replacesGroups: false, sanitizes: true, ...more });
}

test('the hash is that of a Java string', () => {
  assert.equal(javaHash('hello'), 99_162_322);
  assert.equal(javaHash('polygenelubricants'), -2_147_483_648);
});

test('a legal identifier is only upper-cased, any other topic is made one and hashed', () => {
  assert.equal(sanitizedName('orders'), 'ORDERS');
  assert.equal(sanitizedName('_a$1'), '_A$1');
  assert.equal(sanitizedName('dbserver1.inventory.orders'), 'DBSERVER1_INVENTORY_ORDERS_148640469');
  // a single letter is not legal: one more character is asked for
  assert.equal(sanitizedName('a'), `A_${'a'.charCodeAt(0)}`);
  // the underscore comes in front of the first character, which is then replaced itself
  assert.match(sanitizedName('1st'), /^_1ST_\d+$/);
  assert.match(sanitizedName('.x'), /^__X_\d+$/);
  assert.match(sanitizedName('a.*b'), /^AB_\d+$/);
});

test('mapped topics: exact before expressions, unquoted upper-cased, quoted as they are', () => {
  const of = tables(' dbserver1.inventory.orders : orders , "a.b":"Mixed ""case""", shop\\..* : shop_all ');
  assert.equal(of('dbserver1.inventory.orders'), 'ORDERS');
  assert.equal(of('a.b'), 'Mixed "case"');
  assert.equal(of('shop.items'), 'SHOP_ALL');
  // the whole topic must match
  assert.equal(of('my.shop.items'), sanitizedName('my.shop.items'));
});

test('groups of an expression name the table if that is asked for', () => {
  const map = 'src\\.(\\w+)\\.(\\w+):"$1_$2"';
  assert.equal(tables(map, { replacesGroups: true })('src.shop.items'), 'shop_items');
  assert.equal(tables(map)('src.shop.items'), '$1_$2');
});

test('version 4 takes a topic that is not mapped as it is', () => {
  assert.equal(tables('', { sanitizes: false })('dbserver1.inventory.orders'), 'dbserver1.inventory.orders');
});

test('maps that say two things are refused', () => {
  assert.throws(() => tables('a:x,a:y'), /has the topic "a" twice/);
  assert.throws(() => tables('shop.*:x,shop_eu:y'), /matches "shop_eu", too/);
  assert.throws(() => tables('a'), /cannot be read/);
  assert.throws(() => tables('a:x,,b:y'), /cannot be read/);
  assert.throws(() => tables('a:1x'), /no identifier/);
  const of = tables('.*_eu:x,shop_.*:y');
  assert.throws(() => of('shop_eu'), /maps shop_eu twice/);
});
