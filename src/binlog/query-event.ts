import { inflateSync } from 'node:zlib';
import { charsetOfCollation, decodeText } from './charsets.ts';
import { Cursor, copyOf, textOf } from './cursor.ts';
import { MillraceError } from '../base/errors.ts';

/** The session settings that the statement ran under, as far as the server wrote them. */
export interface QueryStatus {
  /** Bits of `sql_mode`. */
  readonly sqlMode?: bigint;
  /** Bits of FLAGS2: autocommit, foreign key and unique checks. */
  readonly flags2?: number;
  /** Collation ids: `character_set_client`'s default one, `collation_connection`, `collation_server`. */
  readonly clientCollation?: number;
  readonly connectionCollation?: number;
  readonly serverCollation?: number;
  /** `collation_database`, where it differs from the server's. */
  readonly databaseCollation?: number;
  /** `default_collation_for_utf8mb4` of MySQL 8. */
  readonly utf8mb4Collation?: number;
  /** MariaDB's `character_set_collations`: pairs of a set's default collation and the one used for it. */
  readonly charsetCollations?: readonly (readonly [number, number])[];
  /** `time_zone`, if the statement depends on it. */
  readonly timeZone?: string;
  /** Fraction of the header's timestamp. */
  readonly microseconds?: number;
  /** The databases that the statement changes, if the server could tell. */
  readonly updatedDatabases?: readonly string[];
  readonly explicitDefaultsForTimestamp?: boolean;
  readonly requirePrimaryKey?: boolean;
  /** The transaction id that an atomic DDL statement was logged with. */
  readonly ddlXid?: bigint;
}

export interface QueryBody {
  readonly threadId: number;
  readonly executionSeconds: number;
  readonly errorCode: number;
  readonly database: string;
  readonly sql: string;
  readonly status: QueryStatus;
}

const noStatus: QueryStatus = Object.freeze({});
const begin = Buffer.from('BEGIN');
/** More databases than the list can hold: it is left out. */
const tooManyDatabases = 254;

/** How the statement of a query event is stored. */
export type QueryForm = 'plain' | 'compressed' | 'load';

/**
 * QUERY_EVENT.
 *
 *   4  thread id
 *   4  seconds that it ran
 *   1  length of the database name
 *   2  error code
 *   2  length of the status variables
 *   …  status variables
 *   …  database name, then one 0 byte
 *   …  statement, to the end, in the character set of the client
 *
 * In MariaDB's QUERY_COMPRESSED_EVENT the statement is compressed; EXECUTE_LOAD_QUERY_EVENT has 13 bytes more before the
 * status variables.
 * Source: mysql-server, statement_events.cpp, Query_event; MariaDB, log_event.cc, Query_compressed_log_event.
 *
 * Transactions repeat the same BEGIN under the same settings: what is the same as in the event before is not read again.
 */
export class QueryReader {
  #statusBytes: Uint8Array = new Uint8Array(0);
  #status: QueryStatus = noStatus;
  #databaseBytes: Uint8Array = new Uint8Array(0);
  #database = '';

  read(cursor: Cursor, form: QueryForm): QueryBody {
    const threadId = cursor.uint32();
    const executionSeconds = cursor.uint32();
    const databaseLength = cursor.uint8();
    const errorCode = cursor.uint16();
    const statusLength = cursor.uint16();
    if (form === 'load') cursor.skip(13); // file id, where its name is in the statement, how duplicates are handled
    const status = this.#readStatus(cursor, statusLength);
    const database = this.#readDatabase(cursor, databaseLength);
    cursor.skip(1);
    if (form === 'compressed') {
      const bytes = inflateRecord(cursor);
      return { threadId, executionSeconds, errorCode, database, sql: readStatement(bytes, 0, bytes.length, status), status };
    }
    const { bytes, at, end } = cursor;
    return { threadId, executionSeconds, errorCode, database, sql: readStatement(bytes, at, end, status), status };
  }

  #readStatus(cursor: Cursor, length: number): QueryStatus {
    const start = cursor.at;
    cursor.skip(length);
    if (length === 0) return noStatus;
    if (!sameBytes(cursor.bytes, start, cursor.at, this.#statusBytes)) {
      this.#status = readStatus(new Cursor(cursor.bytes, start, cursor.at, 'QUERY status'));
      this.#statusBytes = copyOf(cursor.bytes, start, cursor.at);
    }
    return this.#status;
  }

  #readDatabase(cursor: Cursor, length: number): string {
    const start = cursor.at;
    cursor.skip(length);
    if (!sameBytes(cursor.bytes, start, cursor.at, this.#databaseBytes)) {
      this.#database = textOf(cursor.bytes, start, cursor.at);
      this.#databaseBytes = copyOf(cursor.bytes, start, cursor.at);
    }
    return this.#database;
  }
}

function sameBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (bytes[start + i] !== other[i]) return false;
  return true;
}

function readStatement(bytes: Uint8Array, start: number, end: number, { clientCollation }: QueryStatus): string {
  if (sameBytes(bytes, start, end, begin)) return 'BEGIN';
  const charset = clientCollation === undefined ? undefined : charsetOfCollation(clientCollation);
  return (charset === undefined ? undefined : decodeText(bytes, start, end, charset)) ?? textOf(bytes, start, end);
}

/**
 * Status variables: a code, then a value whose length depends on the code. They are in order of age, so that reading
 * stops at the first unknown one.
 *
 * Source: mysql-server, statement_events.h, Query_event::Query_event_post_header; MariaDB, log_event.h, Q_*.
 */
function readStatus(cursor: Cursor): QueryStatus {
  const status: { -readonly [K in keyof QueryStatus]: QueryStatus[K] } = {};
  while (cursor.remaining > 0) {
    switch (cursor.uint8()) {
      case 0:
        status.flags2 = cursor.uint32();
        break;
      case 1:
        status.sqlMode = cursor.uint64BigInt();
        break;
      case 2:
        cursor.skip(cursor.uint8() + 1); // catalog with a 0 byte, of old servers
        break;
      case 3:
        cursor.skip(4); // auto_increment_increment, auto_increment_offset
        break;
      case 4:
        status.clientCollation = cursor.uint16();
        status.connectionCollation = cursor.uint16();
        status.serverCollation = cursor.uint16();
        break;
      case 5:
        status.timeZone = cursor.text(cursor.uint8());
        break;
      case 6:
        cursor.skip(cursor.uint8()); // catalog
        break;
      case 7:
        cursor.skip(2); // lc_time_names
        break;
      case 8:
        status.databaseCollation = cursor.uint16();
        break;
      case 9:
        cursor.skip(8); // table map for update
        break;
      case 10:
        cursor.skip(4); // bytes that a relay log was written from
        break;
      case 11:
        cursor.skip(cursor.uint8()); // definer: user, host
        cursor.skip(cursor.uint8());
        break;
      case 12:
        readDatabases(cursor, status);
        break;
      case 13:
      case 128: // MariaDB
        status.microseconds = cursor.uint24();
        break;
      case 16:
        status.explicitDefaultsForTimestamp = cursor.uint8() !== 0;
        break;
      case 17:
      case 129: // MariaDB
        status.ddlXid = cursor.uint64BigInt();
        break;
      case 18:
        status.utf8mb4Collation = cursor.uint16();
        break;
      case 19:
        status.requirePrimaryKey = cursor.uint8() !== 0;
        break;
      case 20:
        cursor.skip(1); // default_table_encryption
        break;
      case 130:
        cursor.skip(2); // MariaDB: more flags of the GTID
        break;
      case 131: {
        const count = cursor.uint8();
        status.charsetCollations = Array.from({ length: count }, () => [cursor.uint16(), cursor.uint16()] as const);
        break;
      }
      default:
        return status;
    }
  }
  return status;
}

function readDatabases(cursor: Cursor, status: { updatedDatabases?: readonly string[] }): void {
  const count = cursor.uint8();
  if (count === tooManyDatabases) return;
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const end = cursor.bytes.indexOf(0, cursor.at);
    if (end < 0 || end >= cursor.end) throw cursor.corrupt('a database name has no end');
    names.push(cursor.text(end - cursor.at));
    cursor.skip(1);
  }
  status.updatedDatabases = names;
}

/** What MariaDB lets a record grow to; an event is never larger. */
const largestRecord = 1024 * 1024 * 1024;

/**
 * MariaDB's compressed part of an event, from the cursor to its end.
 *
 *   1    0x80 | algorithm << 4 | n: zlib is algorithm 0, n is the size of the next field
 *   1-4  length of the uncompressed bytes, big-endian
 *   …    zlib stream
 *
 * Source: MariaDB, sql/log_event.cc, binlog_buf_uncompress.
 */
export function inflateRecord(cursor: Cursor): Buffer {
  const head = cursor.uint8();
  const lengthSize = head & 0x07;
  if ((head & 0x80) === 0 || lengthSize < 1 || lengthSize > 4) throw cursor.corrupt('not a compressed record');
  if ((head & 0x70) !== 0) {
    throw new MillraceError('BINLOG_UNSUPPORTED', `an event is compressed with algorithm ${(head & 0x70) >> 4}`);
  }
  let length = 0;
  for (let i = 0; i < lengthSize; i++) length = length * 256 + cursor.uint8();
  if (length > largestRecord) throw cursor.corrupt(`an uncompressed length of ${length}`);
  let bytes: Buffer;
  try {
    bytes = inflateSync(cursor.view(cursor.remaining), { maxOutputLength: Math.max(1, length) });
  } catch (error) {
    throw new MillraceError('BINLOG_CORRUPT', 'a compressed event cannot be inflated', { cause: error });
  }
  if (bytes.length !== length) throw cursor.corrupt(`${bytes.length} bytes were inflated, ${length} were announced`);
  return bytes;
}
