import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectRecord } from '../connect/record.ts';
import { predicates } from './predicates.ts';
import { int32, kafka, membersOf, recordOf, struct, text } from './record.fixture.ts';
import { applyTransformations, hasTransformations, openTransformations, transformationProblems } from './transformation-chain.ts';
import { transformations } from './transformations.ts';

const order = recordOf(struct({ id: [int32, 7], note: [text, 'x'] }));

function through(properties: Readonly<Record<string, string>>, record: ConnectRecord): ConnectRecord | null {
  return applyTransformations(openTransformations(properties), record);
}

test('transformations are applied in the order of the list, under their predicates', () => {
  const properties = {
    transforms: 'route, mask',
    'transforms.route.type': `${kafka}RegexRouter`,
    'transforms.route.regex': '.*',
    'transforms.route.replacement': 'all',
    'transforms.mask.type': `${kafka}MaskField$Value`,
    'transforms.mask.fields': 'note',
    'transforms.mask.predicate': 'isAll',
    predicates: 'isAll',
    'predicates.isAll.type': `${kafka}predicates.TopicNameMatches`,
    'predicates.isAll.pattern': 'all',
  };
  const made = through(properties, order);
  assert.deepEqual([made?.topic, membersOf(made?.value)], ['all', { id: 7, note: '' }]);
  assert.deepEqual(membersOf(through({ ...properties, 'transforms.mask.negate': 'true' }, order)?.value), { id: 7, note: 'x' });
  assert.deepEqual(membersOf(through({ ...properties, transforms: 'mask,route' }, order)?.value), { id: 7, note: 'x' });
});

test('predicates on headers and tombstones', () => {
  const dropping = (type: string, more: Record<string, string> = {}): Readonly<Record<string, string>> => ({
    transforms: 'drop',
    'transforms.drop.type': `${kafka}Filter`,
    'transforms.drop.predicate': 'p',
    predicates: 'p',
    'predicates.p.type': `${kafka}predicates.${type}`,
    ...more,
  });
  assert.equal(through(dropping('RecordIsTombstone'), recordOf(null)), null);
  assert.equal(through(dropping('RecordIsTombstone'), order), order);
  const marked = { ...order, headers: [{ name: 'h', schema: text, value: 'x' }] };
  assert.equal(through(dropping('HasHeaderKey', { 'predicates.p.name': 'h' }), marked), null);
  assert.equal(through(dropping('HasHeaderKey', { 'predicates.p.name': 'h' }), order), order);
});

test('every fault of a configuration is told, with the name of its property', () => {
  const problems = transformationProblems({
    transforms: 'a,b,c,a',
    'transforms.a.type': 'com.example.Unknown',
    'transforms.b.type': `${kafka}RegexRouter`,
    'transforms.b.regex': '(',
    'transforms.b.replacement': '',
    'transforms.b.predicate': 'nobody',
    predicates: 'p',
    'predicates.p.type': `${kafka}predicates.HasHeaderKey`,
  });
  const named = problems.map(({ property }) => property);
  for (const property of ['transforms.a.type', 'transforms.b.predicate', 'transforms.c.type', 'predicates.p.name', 'transforms']) {
    assert.ok(named.includes(property), `${property} in ${named.join(', ')}`);
  }
  assert.match(
    problems.find(({ property }) => property === 'transforms.a.type')?.text ?? '',
    /com\.example\.Unknown.*ExtractNewRecordState/,
  );
  assert.ok(problems.some(({ property, text: told }) => property.startsWith('transforms.b') && told.includes('malformed')));
});

test('a fault tells class, topic and cause', () => {
  assert.throws(
    () => through({ transforms: 'm', 'transforms.m.type': `${kafka}MaskField$Value`, 'transforms.m.fields': 'x' }, recordOf(null)),
    {
      code: 'TRANSFORMATION_FAILED',
      message:
        'transforms.m (org.apache.kafka.connect.transforms.MaskField$Value) refused a record of the topic shop.shop.orders: ' +
        'Only Map objects supported in absence of schema for [mask fields], found: null',
    },
  );
});

test('a connector without transforms has no transformations', () => {
  assert.ok(!hasTransformations({}) && !hasTransformations({ transforms: ' ' }));
  assert.deepEqual(openTransformations({}), []);
});

test("all of Kafka Connect's own transformations and predicates are there", () => {
  const sided = [
    'Cast',
    'ExtractField',
    'Flatten',
    'HeaderFrom',
    'HoistField',
    'InsertField',
    'MaskField',
    'ReplaceField',
    'SetSchemaMetadata',
    'TimestampConverter',
  ];
  const whole = ['DropHeaders', 'Filter', 'InsertHeader', 'RegexRouter', 'TimestampRouter', 'ValueToKey'];
  const names = transformations.map(({ className }) => className).filter((name) => name.startsWith(kafka));
  assert.deepEqual(
    names.toSorted(),
    [...sided.flatMap((name) => [`${kafka}${name}$Key`, `${kafka}${name}$Value`]), ...whole.map((name) => kafka + name)].toSorted(),
  );
  assert.deepEqual(
    predicates.map(({ className }) => className),
    ['HasHeaderKey', 'RecordIsTombstone', 'TopicNameMatches'].map((name) => `${kafka}predicates.${name}`),
  );
});
