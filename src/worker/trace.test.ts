import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError, toErrorData } from '../base/errors.ts';
import { traceOf } from './trace.ts';

test('a failure reads as a Java trace: class, code and message, what to do next, frames, causes', () => {
  const cause = new Error('read ECONNRESET');
  const error = new MillraceError('BINLOG_PURGED', 'the server no longer has bin.000001', {
    cause,
    nextStep: 'Resync: `millrace resync`.',
  });
  const lines = traceOf(toErrorData(error)).split('\n');
  assert.equal(lines[0], 'io.millrace.MillraceException: BINLOG_PURGED: the server no longer has bin.000001');
  assert.equal(lines[1], '\tnext: Resync: `millrace resync`.');
  assert.match(lines[2] ?? '', /^\tat /);
  assert.ok(lines.includes('Caused by: Error: read ECONNRESET'), lines.join('\n'));
  assert.equal(lines.at(-1), '');
});
