import { MillraceError, isMillraceError, messageOf } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';

/** What a driver error is made of, whether mysql2, Node or an ERR packet of the server brought it. */
export interface DriverFault {
  /** The server's error number; undefined for faults on this side of the wire. */
  readonly number: number | undefined;
  /** Node's or mysql2's own name of the fault: ECONNREFUSED, PROTOCOL_CONNECTION_LOST, … */
  readonly name: string;
  readonly message: string;
  /** The server's SQLSTATE. */
  readonly sqlState?: unknown;
}

interface Translation {
  readonly code: ErrorCode;
  readonly retriable?: boolean;
  readonly nextStep?: string;
}

/**
 * Server errors by number, the same on both flavors below 4000 except where noted.
 * Source: mysql-server, share/messages_to_clients.txt; MariaDB, sql/share/errmsg-utf8.txt.
 */
const byNumber = new Map<number, Translation>([
  [1045, { code: 'MYSQL_ACCESS_DENIED' }], // ER_ACCESS_DENIED_ERROR
  [1698, { code: 'MYSQL_ACCESS_DENIED' }], // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  [1251, { code: 'MYSQL_ACCESS_DENIED' }], // ER_NOT_SUPPORTED_AUTH_MODE
  [1130, { code: 'MYSQL_ACCESS_DENIED', nextStep: 'Allow the user to connect from this host.' }], // ER_HOST_NOT_PRIVILEGED
  [
    1129,
    { code: 'MYSQL_UNREACHABLE', retriable: true, nextStep: 'Run FLUSH HOSTS, or TRUNCATE performance_schema.host_cache, on the server.' },
  ],
  [1862, { code: 'MYSQL_ACCESS_DENIED', nextStep: 'Set a new password for the user: it has expired.' }],
  [1820, { code: 'MYSQL_ACCESS_DENIED', nextStep: 'Set a new password for the user: it has expired.' }],
  [3118, { code: 'MYSQL_ACCESS_DENIED', nextStep: 'Unlock the account: ALTER USER … ACCOUNT UNLOCK.' }],
  [4151, { code: 'MYSQL_ACCESS_DENIED', nextStep: 'Unlock the account: ALTER USER … ACCOUNT UNLOCK.' }], // MariaDB
  [3159, { code: 'MYSQL_TLS', nextStep: 'The server asks for TLS: set database.ssl.mode=required.' }],
  [1044, { code: 'MYSQL_PRIVILEGE_MISSING' }], // ER_DBACCESS_DENIED_ERROR
  [1142, { code: 'MYSQL_PRIVILEGE_MISSING' }], // ER_TABLEACCESS_DENIED_ERROR
  [1143, { code: 'MYSQL_PRIVILEGE_MISSING' }], // ER_COLUMNACCESS_DENIED_ERROR
  [1227, { code: 'MYSQL_PRIVILEGE_MISSING' }], // ER_SPECIFIC_ACCESS_DENIED_ERROR
  [1370, { code: 'MYSQL_PRIVILEGE_MISSING' }], // ER_PROCACCESS_DENIED_ERROR
  [1040, { code: 'MYSQL_UNREACHABLE', retriable: true, nextStep: 'The server has too many connections; raise max_connections.' }],
  [1203, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_TOO_MANY_USER_CONNECTIONS
  [1226, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_USER_LIMIT_REACHED
  [1053, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_SERVER_SHUTDOWN
  [1077, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_NORMAL_SHUTDOWN
  [1079, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_SHUTDOWN_COMPLETE
  [1152, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_ABORTING_CONNECTION
  [1158, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_NET_READ_ERROR
  [1159, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_NET_READ_INTERRUPTED
  [1160, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_NET_ERROR_ON_WRITE
  [1161, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_NET_WRITE_INTERRUPTED
  [1317, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_QUERY_INTERRUPTED: KILL QUERY
  [1927, { code: 'MYSQL_UNREACHABLE', retriable: true }], // MariaDB ER_CONNECTION_KILLED
  [3169, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_SESSION_WAS_KILLED
  [3032, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_SERVER_OFFLINE_MODE
  [4031, { code: 'MYSQL_UNREACHABLE', retriable: true }], // ER_CLIENT_INTERACTION_TIMEOUT
  [1205, { code: 'MYSQL_QUERY_FAILED', retriable: true }], // ER_LOCK_WAIT_TIMEOUT
  [1213, { code: 'MYSQL_QUERY_FAILED', retriable: true }], // ER_LOCK_DEADLOCK
  [1381, { code: 'MYSQL_SETTING', nextStep: 'Start the server with --log-bin.' }], // ER_NO_BINARY_LOGGING
  [1789, { code: 'BINLOG_PURGED' }], // ER_SOURCE_HAS_PURGED_REQUIRED_GTIDS
  [1945, { code: 'BINLOG_PURGED' }], // MariaDB ER_GTID_POSITION_NOT_FOUND_IN_BINLOG
  [1946, { code: 'BINLOG_PURGED' }], // MariaDB ER_CANNOT_LOAD_SLAVE_GTID_STATE
  [1951, { code: 'BINLOG_PURGED' }], // MariaDB ER_GTID_START_FROM_BINLOG_HOLE
  [1955, { code: 'BINLOG_PURGED' }], // MariaDB ER_GTID_POSITION_NOT_FOUND_IN_BINLOG2
  [4052, { code: 'SERVER_ID_IN_USE' }], // MariaDB ER_SLAVE_SAME_ID
]);

/**
 * 1236, ER_SOURCE_FATAL_ERROR_READING_BINLOG, stands for everything that can go wrong in a dump; only its text says
 * what. MySQL and MariaDB, old words (master, slave) and new ones. The first that matches counts.
 */
const dumpFaults: readonly (readonly [RegExp, Translation])[] = [
  [/same server_uuid\/server_id/, { code: 'SERVER_ID_IN_USE' }],
  [
    /purged|Could not find first log file name|Could not find GTID state|not in the (master|source)'s binlog|diverged/i,
    { code: 'BINLOG_PURGED' },
  ],
  [/position > file size|impossible position|has more GTIDs than/i, { code: 'BINLOG_PURGED' }],
  [
    /exceeded max_allowed_packet/,
    {
      code: 'BINLOG_CORRUPT',
      nextStep:
        'The start position is inside of an event, or an event is larger than the server can send: raise max_allowed_packet on the server; if it was reset or restored from a backup, `millrace resync --all`.',
    },
  ],
  [
    /truncated in the middle of event/,
    {
      code: 'BINLOG_CORRUPT',
      nextStep: 'If the server was reset or restored from a backup, `millrace resync --all` copies the tables again; else check its disk.',
    },
  ],
  [/binary log is not open|not open/i, { code: 'MYSQL_SETTING', nextStep: 'Start the server with --log-bin.' }],
  [
    /server_id was not set|Misconfigured (master|source)/i,
    { code: 'MYSQL_SETTING', nextStep: 'SET PERSIST server_id = 1; (any number that no other server has)' },
  ],
  [/checksum/i, { code: 'BINLOG_CORRUPT' }],
  [
    /auto_position|gtid_mode|GTID_MODE/i,
    { code: 'MYSQL_SETTING', nextStep: 'Turn gtid_mode ON on the server, or start from a file and position.' },
  ],
];

/** Faults of the network; all of them can pass by themselves. */
const networkFaults = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOENT',
  'EACCES',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_SOCKET_CLOSED',
]);

/** What mysql2 says, without a name, to who uses a connection that broke while nothing was asked of it. */
const closedState = /connection is in closed state/;

/** mysql2's names for "the server has no TLS" and "TLS did not come about". */
const tlsFaults = new Set(['HANDSHAKE_NO_SSL_SUPPORT', 'HANDSHAKE_SSL_ERROR']);

/**
 * A MillraceError for whatever the driver threw, by number, with the server's own text in the message.
 * `where` says what was tried: "connecting to db.example:3306".
 */
export function translateDriverError(error: unknown, where: string): MillraceError {
  if (isMillraceError(error)) return error;
  const fault = faultOf(error);
  const { code, retriable, nextStep } = translate(fault);
  return new MillraceError(code, `${where}: ${describe(fault)}`, {
    cause: error,
    retriable: retriable ?? false,
    ...(nextStep === undefined ? {} : { nextStep }),
    context: { errno: fault.number, name: fault.name, sqlState: fault.sqlState },
  });
}

/** Whether TLS could not be had at all, so that `preferred` may go on without it. */
export function isTlsFault(error: unknown): boolean {
  return tlsFaults.has(faultOf(error).name);
}

/** The error of an ERR packet that came on the dump connection itself, behind authentication. */
export function translateDumpError(number: number, message: string, where: string): MillraceError {
  const fault = { number, name: '', message };
  const { code, retriable, nextStep } = dumpTranslation(translate(fault));
  return new MillraceError(code, `${where}: ${describe(fault)}`, {
    retriable: retriable ?? false,
    ...(nextStep === undefined ? {} : { nextStep }),
    context: { errno: number },
  });
}

function dumpTranslation(translation: Translation): Translation {
  switch (translation.code) {
    case 'MYSQL_UNREACHABLE':
      // A stream that was running and is cut is another matter than a server that does not answer.
      return { ...translation, code: 'BINLOG_DISCONNECTED' };
    case 'MYSQL_ACCESS_DENIED':
      return { code: 'MYSQL_PRIVILEGE_MISSING', nextStep: 'GRANT REPLICATION SLAVE ON *.* TO the user.' };
    default:
      return translation;
  }
}

function translate({ number, name, message }: DriverFault): Translation {
  if (number === 1236) {
    for (const [pattern, translation] of dumpFaults) if (pattern.test(message)) return translation;
    return { code: 'BINLOG_CORRUPT' };
  }
  if (number !== undefined) return byNumber.get(number) ?? { code: 'MYSQL_QUERY_FAILED' };
  if (tlsFaults.has(name) || name.startsWith('ERR_TLS_') || name.startsWith('ERR_SSL_') || name.startsWith('ERR_OSSL_')) {
    return { code: 'MYSQL_TLS' };
  }
  if (networkFaults.has(name) || closedState.test(message)) return { code: 'MYSQL_UNREACHABLE', retriable: true };
  return { code: 'MYSQL_QUERY_FAILED' };
}

function faultOf(error: unknown): DriverFault {
  // A failed connection to a name with several addresses is an AggregateError without a text of its own.
  const inner: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const number = property(inner, 'errno');
  const name = property(inner, 'code');
  return {
    // Node puts negative system numbers into `errno`, the server's are positive.
    number: typeof number === 'number' && number > 0 ? number : undefined,
    name: typeof name === 'string' ? name : '',
    message: messageOf(inner),
    sqlState: property(inner, 'sqlState'),
  };
}

function describe({ number, name, message }: DriverFault): string {
  if (number !== undefined) return `${message} (error ${number})`;
  return name === '' || message.includes(name) ? message : `${message} (${name})`;
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
