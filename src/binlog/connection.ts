import { addAbortListener } from 'node:events';
import { Socket, connect as connectSocket } from 'node:net';
import { createConnection } from 'mysql2';
import type { Connection, ConnectionOptions, RowDataPacket, SslOptions } from 'mysql2';
import { reasonOf } from '../base/abort.ts';
import { MillraceError } from '../base/errors.ts';
import { isTlsFault, translateDriverError } from './driver-errors.ts';
import { parseServerVersion } from './server-version.ts';
import type { ServerVersion } from './server-version.ts';

/** As `database.ssl.mode` of Debezium and `--ssl-mode` of MySQL's own clients. */
export type SslMode = 'disabled' | 'preferred' | 'required' | 'verify_ca' | 'verify_identity';

export interface SslSettings {
  readonly mode: SslMode;
  /** PEM text; several certificates may follow each other. Without it, Node's own list of authorities is used. */
  readonly ca?: string;
  /** PEM text of the client's certificate and of its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Of the key. */
  readonly passphrase?: string;
}

export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  /** A Unix domain socket; then host and port are not used. */
  readonly socketPath?: string;
  readonly user: string;
  readonly password?: string;
  readonly ssl?: SslSettings;
  /** Default 10 s, for TCP, TLS and authentication together. */
  readonly connectTimeoutMs?: number;
  /** Delay until the first TCP keep-alive probe; default 60 s. */
  readonly keepAliveMs?: number;
  /** Shown in `performance_schema.session_connect_attrs`. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Allows several statements in one round trip, through `driver`; default false. */
  readonly multipleStatements?: boolean;
  /** Run first, one after the other. */
  readonly initialStatements?: readonly string[];
}

/** A row of a query's answer, positional, each value as the server's own text. */
export type TextRow = readonly (string | null)[];

/** An authenticated connection; the owner disposes it. Not for concurrent use. */
export interface ServerConnection extends AsyncDisposable {
  readonly version: ServerVersion;
  /** Where it goes to, for messages: `host:port`. */
  readonly address: string;
  /** Whether the wire is encrypted. */
  readonly encrypted: boolean;
  /** The driver's own connection, for what `query` does not do (prepared statements, streamed rows). */
  readonly driver: Connection;
  /**
   * Runs one statement and gives all its rows, values as text.
   * @throws MYSQL_QUERY_FAILED, MYSQL_PRIVILEGE_MISSING, MYSQL_UNREACHABLE
   */
  query(sql: string, signal: AbortSignal): Promise<readonly TextRow[]>;
  /** The socket under the driver. Whoever takes its data may no longer use the driver. */
  socket(): Socket;
  /** Ends the connection without a word to the server. */
  destroy(): void;
}

/**
 * Connects, by TLS as `ssl.mode` says, authenticates and finds out flavor and version.
 *
 * @throws MYSQL_UNREACHABLE (retriable), MYSQL_ACCESS_DENIED, MYSQL_TLS
 */
export async function openConnection(settings: ConnectionSettings, signal: AbortSignal): Promise<ServerConnection> {
  const connection = await connect(settings, signal);
  try {
    for (const statement of settings.initialStatements ?? []) await connection.query(statement, signal);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

async function connect(settings: ConnectionSettings, signal: AbortSignal): Promise<ServerConnection> {
  const mode = settings.ssl?.mode ?? 'preferred';
  try {
    return await openWith(settings, mode === 'disabled' ? undefined : sslOptions(settings, mode), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (mode === 'preferred' && isTlsFault(error)) {
      try {
        return await openWith(settings, undefined, signal);
      } catch (second) {
        signal.throwIfAborted();
        throw translateDriverError(second, `connecting to ${addressOf(settings)} without TLS`);
      }
    }
    throw translateDriverError(error, `connecting to ${addressOf(settings)}`);
  }
}

function sslOptions({ ssl }: ConnectionSettings, mode: SslMode): SslOptions {
  const verify = mode === 'verify_ca' || mode === 'verify_identity';
  return {
    rejectUnauthorized: verify,
    verifyIdentity: mode === 'verify_identity',
    ...(verify && ssl?.ca !== undefined ? { ca: ssl.ca } : {}),
    ...(ssl?.cert === undefined ? {} : { cert: ssl.cert }),
    ...(ssl?.key === undefined ? {} : { key: ssl.key }),
    ...(ssl?.passphrase === undefined ? {} : { passphrase: ssl.passphrase }),
  };
}

async function openWith(settings: ConnectionSettings, ssl: SslOptions | undefined, signal: AbortSignal): Promise<ServerConnection> {
  signal.throwIfAborted();
  const raw = openSocket(settings);
  const options: ConnectionOptions = {
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password ?? '',
    stream: raw,
    connectTimeout: settings.connectTimeoutMs ?? 10_000,
    charset: 'UTF8MB4_GENERAL_CI',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    multipleStatements: settings.multipleStatements ?? false,
    connectAttributes: { _client_name: 'millrace', ...settings.attributes },
    ...(ssl === undefined ? {} : { ssl }),
  };
  using _abort = addAbortListener(signal, () => raw.destroy(reasonOf(signal)));
  const driver = createConnection(options);
  // Faults after the handshake reach whoever waits for an answer; without a listener they would end the process.
  driver.on('error', () => {});
  try {
    await new Promise<void>((resolve, reject) => driver.connect((error) => (error === null ? resolve() : reject(error))));
    const rows = await runQuery(driver, 'SELECT VERSION(), @@version_comment');
    const version = parseServerVersion(rows[0]?.[0] ?? '', rows[0]?.[1] ?? '');
    return serverConnection({ driver, version, address: addressOf(settings), encrypted: ssl !== undefined });
  } catch (error) {
    driver.destroy();
    raw.destroy();
    throw error;
  }
}

function openSocket({ host, port, socketPath, keepAliveMs }: ConnectionSettings): Socket {
  if (socketPath !== undefined) return connectSocket(socketPath);
  const socket = connectSocket({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs ?? 60_000 });
  // TLS checks the certificate against the name that was looked up, which Node keeps here; for an IP address it
  // keeps nothing and would check against "localhost".
  return Object.assign(socket, { _host: host });
}

function serverConnection(parts: Pick<ServerConnection, 'driver' | 'version' | 'address' | 'encrypted'>): ServerConnection {
  const { driver, address } = parts;
  let open = true;
  const destroy = (): void => {
    open = false;
    driver.destroy(); // only ends its side of the socket
    socketOf(driver).destroy();
  };
  return {
    ...parts,
    async query(sql, signal) {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      // The driver tells nobody that a connection was closed by ourselves.
      using _abort = addAbortListener(signal, () => {
        destroy();
        aborted.reject(reasonOf(signal));
      });
      try {
        return await Promise.race([runQuery(driver, sql), aborted.promise]);
      } catch (error) {
        signal.throwIfAborted();
        throw translateDriverError(error, `${address}: ${sql.length > 200 ? `${sql.slice(0, 200)}…` : sql}`);
      }
    },
    socket: () => socketOf(driver),
    destroy,
    async [Symbol.asyncDispose]() {
      if (!open) return;
      await new Promise<void>((resolve) => driver.end(() => resolve()));
      destroy();
    },
  };
}

/** The driver's socket, the encrypted one if there is TLS. */
function socketOf(driver: Connection): Socket {
  const socket: unknown = Reflect.get(driver, 'stream');
  if (!(socket instanceof Socket)) throw new MillraceError('INTERNAL', 'the MySQL driver keeps its socket elsewhere');
  return socket;
}

/** Rows as text: no conversion of the driver's touches them. */
function runQuery(driver: Connection, sql: string): Promise<TextRow[]> {
  return new Promise((resolve, reject) => {
    driver.query<RowDataPacket[][]>({ sql, rowsAsArray: true, typeCast: (field) => field.string() }, (error, result) => {
      if (error !== null) reject(error);
      else resolve(Array.isArray(result) ? result.map(textRow) : []);
    });
  });
}

function textRow(row: unknown): TextRow {
  return Array.isArray(row) ? row.map((value: unknown) => (typeof value === 'string' ? value : null)) : [];
}

function addressOf({ host, port, socketPath }: ConnectionSettings): string {
  return socketPath ?? `${host}:${port}`;
}
