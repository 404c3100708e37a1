/**
 * Every error that Millrace raises on purpose, by code. The sentence beside a code says the cause and what
 * the operator does next; it is printed with the error and is the source of the errors page.
 */
export const errorCodes = {
  // configuration and command line
  CONFIG_UNREADABLE: 'A configuration file could not be read or is not JSON. Check the path and the file.',
  CONFIG_INVALID: 'A property has a wrong value. Correct the named property.',
  CONFIG_UNSUPPORTED: 'A known property asks for something that this version does not do. Remove it or change it.',
  FOLDER_UNUSABLE: 'A folder cannot be made or written to. Correct its path, owner or permissions, or give another.',
  DATA_LOCKED: 'Another process works on the same data folder. Stop it, or give another --data folder.',
  DATA_VERSION: 'The data folder or replica was written by another format version. Use the version that wrote it, or resync.',
  WORKER_NOT_RUNNING: 'No worker answers for this data folder. Start one with `millrace run`.',
  WORKER_REFUSED: 'The running worker refused the request. The message says why.',
  // the REST API; the messages are Kafka Connect's
  CONNECTOR_NOT_FOUND: 'There is no connector or task of this name. `GET /connectors` lists what there is.',
  CONNECTOR_CONFLICT: 'The request and the state of the worker do not go together. Look at the message, and ask again.',
  REQUEST_INVALID: 'The request cannot be done as it is. The message says what is wrong with it.',
  LISTEN_FAILED: 'The REST API cannot have its address. Give `listeners` another one.',
  REQUEST_FORBIDDEN: 'The worker is configured not to do this. The message names what is switched off.',
  // MySQL and MariaDB
  MYSQL_UNREACHABLE: 'The server does not answer. Check host, port, firewall and that the server runs; Millrace retries.',
  MYSQL_ACCESS_DENIED: 'The server refused the user or the password. Correct database.user and database.password.',
  MYSQL_PRIVILEGE_MISSING: 'The user lacks a privilege. Run the GRANT that the message names.',
  MYSQL_TLS: 'TLS to the server failed. Check database.ssl.mode and the certificates.',
  MYSQL_SETTING: 'A server setting does not allow replication. Run the statement that the message names.',
  MYSQL_QUERY_FAILED: 'The server refused a statement. The message holds its number and text.',
  BINLOG_PURGED: 'The server no longer has the binlog from our position. Resync: `millrace resync`, or snapshot.mode=when_needed.',
  BINLOG_CORRUPT: 'An event of the binlog has a wrong checksum or layout. Check the server and its disk; Millrace stops before it.',
  BINLOG_UNSUPPORTED: 'The binlog holds an event that this version cannot decode. The message names it.',
  BINLOG_DISCONNECTED: 'The connection that carries the binlog broke. Millrace reconnects at the exact position.',
  SERVER_ID_IN_USE: 'Another replica uses the same server id. Give each connector its own database.server.id.',
  TRUNCATED: 'Bytes ended before the value did. The source of the bytes is damaged.',
  SCHEMA_UNKNOWN: 'Rows of a table arrived whose columns are not known. Resync the table.',
  SCHEMA_MISMATCH: 'Rows of a table do not fit its known columns. Resync the table.',
  SNAPSHOT_FAILED: 'The snapshot could not be taken. The message says why; it is retried from where it stopped.',
  XA_PREPARED: 'Prepared XA transactions are open, which a snapshot cannot see. Commit or roll back the named ones.',
  VALUE_UNREPRESENTABLE: 'A value does not fit its column in the replica. The message names column and setting.',
  // log
  LOG_CORRUPT: 'The log file is damaged. Restore it, or run `millrace resync --all`: it begins a new one, and all tables are copied.',
  LOG_IO: 'The log file could not be opened, read or written. Check its folder, permissions and disk.',
  LOG_FULL: 'The log has reached log.max.bytes and waits for its sinks. Raise it or let the sinks catch up.',
  LOG_IDENTITY: 'The log is not the one that the replica was fed from. Resync: `millrace resync`.',
  LOG_START_GONE: 'The log no longer has the groups that a sink needs next. Stop the worker and run `millrace resync --all`.',
  DISK_FULL: 'The disk is full. Free space; nothing is lost, the worker goes on from where it was.',
  // records
  CONVERSION_FAILED: 'A record cannot be converted. The message says which and why; errors.tolerance=all goes on without it.',
  TRANSFORMATION_FAILED: 'A transformation refused a record. The message says which and why; errors.tolerance=all goes on without it.',
  // replica
  WAREHOUSE_FAILED: 'The warehouse refused a statement. The message holds its text.',
  WAREHOUSE_LOCKED: 'Another process has the replica file open. Close it; only one process can open a DuckDB file.',
  WAREHOUSE_UNREACHABLE: 'The warehouse does not answer, or has ended the session. Check its address and the network; Millrace retries.',
  WAREHOUSE_ACCESS_DENIED:
    "The warehouse refuses the login or a right. Correct the sink's user, key or token, or run the GRANT that is named.",
  DRIVER_MISSING: 'The driver of a warehouse is not installed. Install the package that is named, beside millrace.',
  WAREHOUSE_FENCED: 'The offsets in the replica moved without us: a second writer. Stop one of the two.',
  NAME_COLLISION: 'Two tables would be one in the replica, or a name is reserved. Set replica.name.format or replica.name.map.',
  RESYNC_NEEDED: 'A table cannot go on from the log. Run `millrace resync <table>`.',
  VERIFY_UNDECIDED: 'The two sides could not be compared at one position. The message says why.',
  // the rest
  ABORTED: 'The work was asked to stop.',
  INTERNAL: 'A fault of Millrace itself. Report it with the message and the stack.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Whether trying the same again later can succeed without anybody's doing. */
  readonly retriable?: boolean;
  /** What the operator does next, more exact than the code's own sentence: a statement, a setting. */
  readonly nextStep?: string;
  /** Values for structured logs: table, column, position. Never secrets. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** The one error class of Millrace: a documented code, whether a retry can help, the cause and the next step. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly nextStep: string;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.nextStep = options.nextStep ?? errorCodes[code];
    this.context = options.context ?? {};
  }
}

export function isMillraceError(error: unknown, code?: ErrorCode): error is MillraceError {
  return error instanceof MillraceError && (code === undefined || error.code === code);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Error as plain data, so that it crosses a thread boundary whole; `reviveError` is the inverse. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retriable: boolean;
  readonly nextStep: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly stack: string;
}

export function toErrorData(error: unknown): ErrorData {
  if (error instanceof MillraceError) {
    const { code, message, retriable, nextStep, context } = error;
    return { code, message, retriable, nextStep, context, stack: stackOf(error) };
  }
  return {
    code: 'INTERNAL',
    message: messageOf(error),
    retriable: false,
    nextStep: errorCodes.INTERNAL,
    context: {},
    stack: stackOf(error),
  };
}

export function reviveError(data: ErrorData): MillraceError {
  const error = new MillraceError(data.code, data.message, data);
  error.stack = data.stack;
  return error;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`;
}
