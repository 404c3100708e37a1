import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exactDouble, readExactDouble } from './exact-double.ts';

test('an exact text tells every double from all others, and gives it back', () => {
  assert.equal(exactDouble(1), '4503599627370496p-52');
  assert.equal(exactDouble(-0.1), '-7205759403792794p-56');
  assert.equal(exactDouble(5e-324), '1p-1074');
  assert.equal(exactDouble(0), '0');
  assert.equal(exactDouble(-0), '-0');
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      assert.equal(readExactDouble(exactDouble(value)), Object.is(value, -0) ? '-0' : String(value)),
    ),
  );
});
