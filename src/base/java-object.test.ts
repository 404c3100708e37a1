import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJavaArray, writeJavaArray, type JavaValue } from './java-object.ts';

/** From the offset of a real Debezium amid an incremental snapshot: Object[1] of Integer 200. */
const recorded =
  'aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c020000787000000001737200116a6176612e6c616e672e496e746567' +
  '657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b0200007870000000c8';

function both(values: readonly JavaValue[] | null): string {
  const bytes = writeJavaArray(values);
  assert.deepEqual(readJavaArray(bytes), values);
  return bytes.toString('hex');
}

test('arrays of integers are as Debezium stores them', () => {
  assert.equal(both([{ type: 'Integer', value: 200n }]), recorded);
  assert.equal(both(null), 'aced000570');
});

test('a class is written once, and then named by its handle', () => {
  // Handles: 0 and 1 the array, 2 Integer, 3 Number, 4 the first value.
  const two = both([
    { type: 'Integer', value: 200n },
    { type: 'Integer', value: -1n },
  ]);
  assert.equal(two, `${recorded.replace('787000000001', '787000000002')}7371007e0002ffffffff`);
  // Long's class is new, Number is known.
  const mixed = both([
    { type: 'Integer', value: 200n },
    { type: 'Long', value: 5n },
    { type: 'String', value: 'é' },
  ]);
  const long = '7372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f23df0200014a000576616c75657871007e00030000000000000005';
  assert.equal(mixed, `${recorded.replace('787000000001', '787000000003')}${long}740002c3a9`);
});

test('what is no such array is told apart', () => {
  for (const hex of [
    '',
    'aced',
    'aced0005740001',
    recorded.slice(0, -2),
    `${recorded}00`,
    recorded.replace('496e7465676572', '496e7465676573'),
  ]) {
    assert.equal(readJavaArray(Buffer.from(hex, 'hex')), undefined, hex);
  }
});
