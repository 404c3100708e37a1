import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../base/errors.ts';
import { encodeBinlogDump, encodeBinlogDumpGtid, encodeRegisterReplica, errorOf } from './dump.ts';
import { isTlsFault, translateDriverError, translateDumpError } from './driver-errors.ts';
import { GtidSet } from './gtid-set.ts';

function codeOf(fault: object): [ErrorCode, boolean] {
  const { code, retriable } = translateDriverError(Object.assign(new Error('words of the server'), fault), 'here');
  return [code, retriable];
}

test('driver errors are told apart by number, and by name where there is none', () => {
  assert.deepEqual(codeOf({ errno: 1045 }), ['MYSQL_ACCESS_DENIED', false]);
  assert.deepEqual(codeOf({ errno: 1227 }), ['MYSQL_PRIVILEGE_MISSING', false]);
  assert.deepEqual(codeOf({ errno: 1142 }), ['MYSQL_PRIVILEGE_MISSING', false]);
  assert.deepEqual(codeOf({ errno: 1040 }), ['MYSQL_UNREACHABLE', true]);
  assert.deepEqual(codeOf({ errno: 1064 }), ['MYSQL_QUERY_FAILED', false]);
  assert.deepEqual(codeOf({ errno: 1213 }), ['MYSQL_QUERY_FAILED', true]);
  assert.deepEqual(codeOf({ errno: -111, code: 'ECONNREFUSED' }), ['MYSQL_UNREACHABLE', true]);
  assert.deepEqual(codeOf({ code: 'PROTOCOL_CONNECTION_LOST' }), ['MYSQL_UNREACHABLE', true]);
  const closed = new Error("Can't add new command when connection is in closed state");
  assert.equal(translateDriverError(Object.assign(closed, { fatal: true }), 'here').retriable, true);
  assert.deepEqual(codeOf({ code: 'HANDSHAKE_SSL_ERROR' }), ['MYSQL_TLS', false]);
  assert.equal(isTlsFault(Object.assign(new Error(''), { code: 'HANDSHAKE_NO_SSL_SUPPORT' })), true);
  const several = new AggregateError([Object.assign(new Error('connect ECONNREFUSED ::1:3306'), { code: 'ECONNREFUSED' })]);
  assert.match(translateDriverError(several, 'here').message, /here: connect ECONNREFUSED/);
});

test('error 1236 is told apart by its text, in the words of old and new servers', () => {
  const cases: readonly (readonly [string, ErrorCode])[] = [
    ['Could not find first log file name in binary log index file', 'BINLOG_PURGED'],
    ['Cannot replicate because the source purged required binary logs. Replicate the missing transactions …', 'BINLOG_PURGED'],
    ['The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs …', 'BINLOG_PURGED'],
    ['Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old …', 'BINLOG_PURGED'],
    ["Error: connecting slave requested to start from GTID 0-1-9, which is not in the master's binlog", 'BINLOG_PURGED'],
    ['Client requested source to start replication from position > file size', 'BINLOG_PURGED'],
    ["Replica has more GTIDs than the source has, using the source's SERVER_UUID.", 'BINLOG_PURGED'],
    ['A replica with the same server_uuid/server_id as this replica has connected to the source', 'SERVER_ID_IN_USE'],
    ['A slave with the same server_uuid/server_id as this slave has connected to the master', 'SERVER_ID_IN_USE'],
    ['bogus data in log event; the first event …', 'BINLOG_CORRUPT'],
    ['log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source', 'BINLOG_CORRUPT'],
    ['Binary log is not open', 'MYSQL_SETTING'],
    ['Misconfigured master - server_id was not set', 'MYSQL_SETTING'],
    ['something new', 'BINLOG_CORRUPT'],
  ];
  for (const [text, code] of cases) assert.equal(translateDumpError(1236, text, 'here').code, code, text);
  assert.equal(translateDumpError(1053, 'Server shutdown in progress', 'here').code, 'BINLOG_DISCONNECTED');
  assert.equal(translateDumpError(1053, 'Server shutdown in progress', 'here').retriable, true);
  assert.equal(translateDumpError(1045, 'Access denied', 'here').code, 'MYSQL_PRIVILEGE_MISSING');
});

test('commands are the bytes that the protocol asks for', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  assert.equal(
    hex(encodeBinlogDump({ file: 'b.01', position: 0x1234 }, 2, 7)),
    `0f0000001234120000020007000000${Buffer.from('b.01').toString('hex')}`,
  );
  assert.equal(hex(encodeBinlogDumpGtid(2, 7, new GtidSet())), '1f0000001e020007000000000000000400000000000000080000000000000000000000');
  assert.equal(
    hex(encodeRegisterReplica(7)),
    '1a000000150700000008' + Buffer.from('millrace').toString('hex') + '0000000000000000000000000000'.slice(0, 24),
  );
  assert.throws(() => encodeBinlogDump({ file: 'b.01', position: 2 ** 32 }, 0, 7), /4 GiB/);
});

test('an ERR packet is an error, with and without SQL state', () => {
  const old = Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from('#28000Access denied')]);
  assert.match(errorOf(old, 0, old.length, 'here')?.message ?? '', /^here: Access denied \(error 1045\)$/);
  assert.equal(errorOf(Buffer.from([0]), 0, 1, 'here'), undefined);
  assert.match(errorOf(Buffer.from([0xff, 1]), 0, 2, 'here')?.message ?? '', /error 1\)/);
});
