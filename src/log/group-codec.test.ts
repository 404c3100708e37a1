import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isMillraceError } from '../base/errors.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import type { TableSchema } from '../event/table-schema.ts';
import { decodeGroup, encodeGroup, numberGroup } from './group-codec.ts';
import { arbitraryGroup } from './sample-groups.ts';

function decode(bytes: Uint8Array, schemas: readonly TableSchema[]): CommitGroup {
  const byFingerprint = new Map(schemas.map((schema) => [schema.fingerprint, schema]));
  return decodeGroup(bytes, (fingerprint) => byFingerprint.get(fingerprint));
}

const damageCodes = ['LOG_CORRUPT', 'DATA_VERSION'];

test('every commit group comes back from its bytes as it was', () => {
  fc.assert(
    fc.property(arbitraryGroup, (group) => {
      const { bytes, schemas } = encodeGroup(group);
      assert.deepEqual(decode(bytes, schemas), group);
    }),
    { numRuns: 500 },
  );
});

test('a decoded group is views of its bytes, and names the schemas that it was given', () => {
  const [group] = fc.sample(
    arbitraryGroup.filter((one) => one.entries.some((entry) => entry.kind === 'changes')),
    1,
  );
  assert(group !== undefined);
  const { bytes, schemas } = encodeGroup(group);
  const decoded = decode(bytes, schemas);
  for (const entry of decoded.entries) {
    if (entry.kind !== 'changes') continue;
    for (const column of [entry.batch.bytes, entry.batch.starts, entry.batch.ops]) assert.equal(column.buffer, bytes.buffer);
    assert(schemas.includes(entry.batch.schema));
  }
});

test('bytes at an odd address are decoded too', () => {
  fc.assert(
    fc.property(arbitraryGroup, fc.integer({ min: 1, max: 7 }), (group, shift) => {
      const { bytes, schemas } = encodeGroup(group);
      const shifted = new Uint8Array(bytes.length + shift).subarray(shift);
      shifted.set(bytes);
      assert.deepEqual(decode(shifted, schemas), group);
    }),
    { numRuns: 50 },
  );
});

test('a batch cut out of a longer one is encoded without the rest', () => {
  const schema = fc.sample(arbitraryGroup, 20).flatMap((group) => encodeGroup(group).schemas)[0];
  assert(schema !== undefined);
  const [empty] = fc.sample(arbitraryGroup, 1);
  assert(empty !== undefined);
  const whole = { starts: Uint32Array.of(0, 0, 3, 5, 9), bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) };
  const batch = {
    schema,
    count: 1,
    ops: Uint8Array.of(1, 2).subarray(1),
    events: Uint32Array.of(0, 7).subarray(1),
    starts: whole.starts.subarray(2),
    bytes: whole.bytes,
  };
  const { bytes, schemas } = encodeGroup({ ...empty, entries: [{ kind: 'changes', batch }] });
  const [entry] = decode(bytes, schemas).entries;
  assert(entry?.kind === 'changes');
  assert.deepEqual(entry.batch, {
    schema,
    count: 1,
    ops: Uint8Array.of(2),
    events: Uint32Array.of(7),
    starts: Uint32Array.of(0, 2, 6),
    bytes: Uint8Array.of(4, 5, 6, 7, 8, 9),
  });
});

test('another number can be written into an encoded group', () => {
  fc.assert(
    fc.property(arbitraryGroup, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (group, seq) => {
      const { bytes, schemas } = encodeGroup(group);
      numberGroup(bytes, seq);
      assert.deepEqual(decode(bytes, schemas), { ...group, seq });
    }),
    { numRuns: 50 },
  );
});

test('a group cut off at any byte is refused as damaged', () => {
  const cutAnywhere = fc.property(arbitraryGroup, (group) => {
    const { bytes, schemas } = encodeGroup(group);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => decode(bytes.slice(0, length), schemas),
        (error) => isMillraceError(error, 'LOG_CORRUPT'),
      );
    }
  });
  fc.assert(cutAnywhere, { numRuns: 20 });
});

test('a group with any bit flipped is refused as damaged', () => {
  const flipAnywhere = fc.property(arbitraryGroup, (group) => {
    const { bytes, schemas } = encodeGroup(group);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(
        () => decode(flipped, schemas),
        (error) => isMillraceError(error) && damageCodes.includes(error.code),
      );
    }
  });
  fc.assert(flipAnywhere, { numRuns: 5 });
});

test('bytes with a right checksum but any content are refused or decoded, never a crash', () => {
  fc.assert(
    fc.property(arbitraryGroup, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (group, edits) => {
      const { bytes, schemas } = encodeGroup(group);
      for (const [at, byte] of edits) bytes[16 + (at % (bytes.length - 16))] = byte;
      numberGroup(bytes, 1);
      try {
        decode(bytes, schemas);
      } catch (error) {
        assert(isMillraceError(error, 'LOG_CORRUPT'), String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test('a group of a newer format is refused as that', () => {
  const [group] = fc.sample(arbitraryGroup, 1);
  assert(group !== undefined);
  const { bytes, schemas } = encodeGroup(group);
  bytes[3] = 9;
  assert.throws(
    () => decode(bytes, schemas),
    (error) => isMillraceError(error, 'DATA_VERSION'),
  );
});

test('a group whose schema is not stored is refused', () => {
  const group = fc.sample(arbitraryGroup, 50).find((one) => encodeGroup(one).schemas.length > 0);
  assert(group !== undefined);
  assert.throws(
    () => decode(encodeGroup(group).bytes, []),
    (error) => isMillraceError(error, 'LOG_CORRUPT'),
  );
});
