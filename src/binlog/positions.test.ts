import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareBinlogPositions, formatBinlogPosition } from './positions.ts';

test('positions are ordered by the number of the file, then by the offset', () => {
  const at = (file: string, position: number) => ({ file, position });
  assert.ok((compareBinlogPositions(at('bin.000009', 900), at('bin.000010', 4)) ?? 0) < 0);
  assert.ok((compareBinlogPositions(at('bin.1000000', 4), at('bin.999999', 4)) ?? 0) > 0);
  assert.equal(compareBinlogPositions(at('bin.000009', 900), at('bin.000009', 900)), 0);
  assert.equal(compareBinlogPositions(at('a.000009', 900), at('b.000009', 900)), undefined);
  assert.equal(compareBinlogPositions(at('a.b-bin.000001', 4), at('a.b-bin.000002', 4)), -1);
  assert.equal(formatBinlogPosition(at('bin.000009', 900)), 'bin.000009:900');
});
