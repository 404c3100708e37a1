import { MillraceError } from '../base/errors.ts';
import {
  GtidReader,
  readFormatDescription,
  readGtidList,
  readHeartbeatV2,
  readIncident,
  readMariadbGtid,
  readPreviousGtids,
  readTaggedGtid,
  readXaPrepare,
} from './control-events.ts';
import { crc32 } from './crc32.ts';
import { Cursor, bufferOf, uint32At } from './cursor.ts';
import { eventFlag, eventType, eventTypeName, mayPassOver } from './event-types.ts';
import type { BinlogEvent, EventHeader, MariadbGtidEvent } from './events.ts';
import { QueryReader, inflateRecord } from './query-event.ts';
import type { QueryForm } from './query-event.ts';
import { RowsHead, bitmapAt, dummyTableId, isCompressedRows, rowsKind } from './rows-event.ts';
import { TableCache, unknownTable } from './table-cache.ts';
import { readPayloadHeader } from './transaction-payload.ts';
import type { TransactionPayload } from './transaction-payload.ts';

const headerLength = 19;
const checksumLength = 4;

/**
 * Decodes binlog events one after another. Holds what the stream says about itself: file and position, checksum
 * algorithm, tables.
 *
 * Every event begins with a header:
 *
 *   4  timestamp, seconds
 *   1  type
 *   4  server id
 *   4  size of the event, header and checksum included
 *   4  position of the next event, low 32 bits; 0 if it is in no file
 *   2  flags
 *
 * and ends with a CRC32 of all before it, if FORMAT_DESCRIPTION said so.
 * Source: mysql-server, binlog_event.h, Log_event_header.
 */
export class EventDecoder {
  #file: string;
  #position: number;
  /** Where the event that was decoded last began. */
  #payloadStart = 0;
  #checksum: boolean | undefined;
  #mariadb: boolean;
  /** The event before was a GTID; of MariaDB: without COMMIT. What follows may be a transaction by itself. */
  #afterGtid = false;
  #standalone = false;
  readonly #tables = new TableCache();
  readonly #gtids = new GtidReader();
  readonly #queries = new QueryReader();
  readonly #rowsHead = new RowsHead();
  readonly #cursor = new Cursor(new Uint8Array(0), 0, 0, '');

  // The header of the event being decoded.
  #timestamp = 0;
  #code = 0;
  #serverId = 0;
  #size = 0;
  #flags = 0;
  #low = 0;

  /** Where the stream begins; a GTID stream says so itself with its first event. */
  constructor(start: { readonly file: string; readonly position: number; readonly mariadb: boolean }) {
    this.#file = start.file;
    this.#position = start.position;
    this.#mariadb = start.mariadb;
  }

  /** The place behind the event that was decoded last. */
  get file(): string {
    return this.#file;
  }

  get position(): number {
    return this.#position;
  }

  /**
   * Decodes the event `bytes[start, end)`. A compressed transaction is given as such: its owner unfolds it and brings
   * the events in it to `decodeInner`.
   *
   * @throws BINLOG_CORRUPT, TRUNCATED, BINLOG_UNSUPPORTED
   */
  decode(bytes: Uint8Array, start: number, end: number): BinlogEvent | TransactionPayload {
    this.#readHeader(bytes, start, end);
    const bodyEnd = this.#bodyEnd(bytes, start, end);
    this.#low = uint32At(bytes, start + 13);
    this.#advance(this.#low);
    this.#payloadStart = this.#position - this.#size;
    return this.#body(bytes, start + headerLength, bodyEnd);
  }

  /**
   * Decodes an event from inside of the compressed transaction that was decoded last; such events have no checksum. Only
   * the last one of them has the place behind the transaction.
   */
  decodeInner(bytes: Uint8Array, start: number, end: number, isLast: boolean): BinlogEvent {
    this.#readHeader(bytes, start, end);
    const position = this.#position;
    if (!isLast) this.#position = this.#payloadStart;
    this.#size = isLast ? position - this.#payloadStart : 0;
    const event = this.#body(bytes, start + headerLength, end);
    this.#position = position;
    if (event.type === 'TRANSACTION_PAYLOAD') throw this.#corrupt('a compressed transaction inside of another');
    return event;
  }

  #readHeader(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < headerLength) throw new MillraceError('TRUNCATED', `an event of ${end - start} bytes after ${this.#file}:${this.#position}`);
    this.#timestamp = uint32At(bytes, start);
    this.#code = bytes[start + 4] ?? 0;
    this.#serverId = uint32At(bytes, start + 5);
    this.#size = uint32At(bytes, start + 9);
    this.#flags = (bytes[start + 17] ?? 0) | ((bytes[start + 18] ?? 0) << 8);
    if (this.#size !== end - start) throw this.#corrupt(`the event says ${this.#size} bytes and has ${end - start}`);
  }

  /** Where the body ends, after the checksum was verified. */
  #bodyEnd(bytes: Uint8Array, start: number, end: number): number {
    if (this.#code === eventType.formatDescription) {
      this.#readFormat(bytes, start, end);
      return end;
    }
    const bodyEnd = end - checksumLength;
    // What the dump thread makes up follows the checksum that we asked for or that of the file before: try.
    if (this.#checksum === undefined || (this.#code === eventType.rotate && (this.#flags & eventFlag.artificial) !== 0)) {
      return bodyEnd >= start + headerLength && crc32(bytes, start, bodyEnd) === uint32At(bytes, bodyEnd) ? bodyEnd : end;
    }
    if (!this.#checksum) return end;
    if (bodyEnd < start + headerLength) throw this.#corrupt('no room for a checksum');
    if (crc32(bytes, start, bodyEnd) !== uint32At(bytes, bodyEnd)) throw this.#corrupt('wrong checksum');
    return bodyEnd;
  }

  #readFormat(bytes: Uint8Array, start: number, end: number): void {
    const { checksum, serverVersion } = readFormatDescription(this.#cursorAt(bytes, start + headerLength, end, 'FORMAT_DESCRIPTION'));
    if (checksum && formatChecksum(bytes, start, end - checksumLength) !== uint32At(bytes, end - checksumLength)) throw this.#corrupt('wrong checksum');
    this.#checksum = checksum;
    this.#mariadb = /mariadb/i.test(serverVersion) || this.#mariadb;
  }

  /** The position behind the event: headers have its low 32 bits; within a file it only grows. */
  #advance(low: number): void {
    if ((this.#flags & eventFlag.artificial) !== 0) return;
    if (low === 0) {
      // MariaDB writes no positions inside of a transaction; what the dump thread makes up has none either.
      if (!isMadeUp(this.#code)) this.#position += this.#size;
      return;
    }
    const position = this.#position - (this.#position % 0x1_0000_0000) + low;
    if (position >= this.#position) this.#position = position;
    else if (this.#position - position > 0x8000_0000) this.#position = position + 0x1_0000_0000;
  }

  #body(bytes: Uint8Array, start: number, end: number): BinlogEvent | TransactionPayload {
    const code = this.#code;
    switch (code) {
      case eventType.writeRows:
      case eventType.updateRows:
      case eventType.deleteRows:
      case eventType.writeRowsV1:
      case eventType.updateRowsV1:
      case eventType.deleteRowsV1:
      case eventType.partialUpdateRows:
        return this.#rows(bytes, start, end);
      case eventType.tableMap:
        return this.#tableMap(bytes, start, end);
      case eventType.xid:
        return this.#xid(this.#cursorAt(bytes, start, end, 'XID'));
      case eventType.query:
        return this.#query(this.#cursorAt(bytes, start, end, 'QUERY'), 'plain');
      case eventType.queryCompressed:
        return this.#query(this.#cursorAt(bytes, start, end, 'QUERY_COMPRESSED'), 'compressed');
      case eventType.executeLoadQuery:
        return this.#query(this.#cursorAt(bytes, start, end, 'EXECUTE_LOAD_QUERY'), 'load');
      case eventType.gtid:
      case eventType.anonymousGtid:
      case eventType.gtidTagged:
        return this.#gtid(this.#cursorAt(bytes, start, end, 'GTID'));
      case eventType.mariadbGtid:
        return this.#mariadbGtid(this.#cursorAt(bytes, start, end, 'GTID'));
      case eventType.writeRowsCompressedV1:
      case eventType.updateRowsCompressedV1:
      case eventType.deleteRowsCompressedV1:
      case eventType.writeRowsCompressed:
      case eventType.updateRowsCompressed:
      case eventType.deleteRowsCompressed:
        return this.#rows(bytes, start, end);
      case eventType.heartbeat:
        return this.#heartbeat(this.#cursorAt(bytes, start, end, 'HEARTBEAT'));
      default:
        return this.#rareBody(this.#cursorAt(bytes, start, end, eventTypeName(code)));
    }
  }

  #rareBody(cursor: Cursor): BinlogEvent | TransactionPayload {
    switch (this.#code) {
      case eventType.rotate:
        return this.#rotate(cursor);
      case eventType.formatDescription: {
        const { headerLengths: _, ...format } = readFormatDescription(cursor);
        return { type: 'FORMAT_DESCRIPTION', ...this.#header(), ...format };
      }
      case eventType.previousGtids:
        return { type: 'PREVIOUS_GTIDS', ...this.#header(), gtids: readPreviousGtids(cursor) };
      case eventType.gtidList:
        return { type: 'GTID_LIST', ...this.#header(), gtids: readGtidList(cursor) };
      case eventType.xaPrepare:
        return { type: 'XA_PREPARE', ...this.#header(), ...readXaPrepare(cursor) };
      case eventType.rowsQuery:
        cursor.skip(1); // a length that is cut at 255
        return { type: 'ROWS_QUERY', ...this.#header(), sql: cursor.restAsText() };
      case eventType.annotateRows:
        return { type: 'ROWS_QUERY', ...this.#header(), sql: cursor.restAsText() };
      case eventType.heartbeatV2: {
        const { file, position } = readHeartbeatV2(cursor);
        if (file === this.#file && position > this.#position) this.#position = position;
        return { type: 'HEARTBEAT', ...this.#header() };
      }
      case eventType.incident:
        return { type: 'INCIDENT', ...this.#header(), ...readIncident(cursor) };
      case eventType.stop:
        return { type: 'STOP', ...this.#header() };
      case eventType.transactionPayload:
        return { type: 'TRANSACTION_PAYLOAD', ...this.#header(), ...readPayloadHeader(cursor) };
      default:
        return this.#notDecoded();
    }
  }

  #rows(bytes: Uint8Array, start: number, end: number): BinlogEvent {
    const head = this.#rowsHead;
    const code = this.#code;
    head.read(bytes, start, end, code);
    const table = this.#tables.find(head.tableId);
    if (table === undefined) {
      if (head.tableId === dummyTableId) return this.#other();
      throw unknownTable(head.tableId, `${this.#file}:${this.#position}`);
    }
    if (table.columnCount !== head.columnCount) {
      throw this.#corrupt(`rows of ${head.columnCount} columns for ${table.database}.${table.table} with ${table.columnCount}`);
    }
    let rows = bytes;
    let rowsStart = head.rows;
    let rowsEnd = end;
    if (isCompressedRows(code)) {
      rows = inflateRecord(this.#cursorAt(bytes, head.rows, end, 'compressed rows'));
      rowsStart = 0;
      rowsEnd = rows.length;
    }
    const first = bitmapAt(bytes, head.bitmaps, head.columnCount);
    const partial = code === eventType.partialUpdateRows;
    const endOfStatement = (head.flags & 1) !== 0;
    // The literals have the same keys in the same order, so that all rows events have one shape.
    switch (rowsKind(code)) {
      case 'insert':
        return {
          type: 'ROWS',
          kind: 'insert',
          file: this.#file,
          nextPosition: this.#position,
          timestamp: this.#timestamp,
          serverId: this.#serverId,
          size: this.#size,
          flags: this.#flags,
          table,
          partial,
          presentBefore: undefined,
          presentAfter: first,
          bytes: rows,
          start: rowsStart,
          end: rowsEnd,
          endOfStatement,
        };
      case 'update':
        return {
          type: 'ROWS',
          kind: 'update',
          file: this.#file,
          nextPosition: this.#position,
          timestamp: this.#timestamp,
          serverId: this.#serverId,
          size: this.#size,
          flags: this.#flags,
          table,
          partial,
          presentBefore: first,
          presentAfter: bitmapAt(bytes, head.bitmaps + head.bitmapLength, head.columnCount),
          bytes: rows,
          start: rowsStart,
          end: rowsEnd,
          endOfStatement,
        };
      case 'delete':
        return {
          type: 'ROWS',
          kind: 'delete',
          file: this.#file,
          nextPosition: this.#position,
          timestamp: this.#timestamp,
          serverId: this.#serverId,
          size: this.#size,
          flags: this.#flags,
          table,
          partial,
          presentBefore: first,
          presentAfter: undefined,
          bytes: rows,
          start: rowsStart,
          end: rowsEnd,
          endOfStatement,
        };
    }
  }

  #tableMap(bytes: Uint8Array, start: number, end: number): BinlogEvent {
    if (end - start < 8) throw new MillraceError('TRUNCATED', `a TABLE_MAP of ${end - start} bytes`);
    const tableId = uint32At(bytes, start) + ((bytes[start + 4] ?? 0) | ((bytes[start + 5] ?? 0) << 8)) * 0x1_0000_0000;
    return {
      type: 'TABLE_MAP',
      file: this.#file,
      nextPosition: this.#position,
      timestamp: this.#timestamp,
      serverId: this.#serverId,
      size: this.#size,
      flags: this.#flags,
      tableId,
      table: this.#tables.add(tableId, bytes, start + 6, end, this.#mariadb),
    };
  }

  #xid(cursor: Cursor): BinlogEvent {
    return {
      type: 'XID',
      file: this.#file,
      nextPosition: this.#position,
      timestamp: this.#timestamp,
      serverId: this.#serverId,
      size: this.#size,
      flags: this.#flags,
      xid: cursor.uint64BigInt(),
    };
  }

  /**
   * HEARTBEAT_LOG_EVENT: the file name; the position is the header's. MariaDB puts a position past 4 GiB in front of the
   * name, 8 bytes, and 0 in the header. Source: MariaDB, sql/sql_repl.cc, send_heartbeat_event.
   */
  #heartbeat(cursor: Cursor): BinlogEvent {
    if (this.#mariadb && this.#low === 0 && cursor.remaining > 8) this.#position = Math.max(this.#position, cursor.uint64());
    return { type: 'HEARTBEAT', ...this.#header() };
  }

  #rotate(cursor: Cursor): BinlogEvent {
    const position = cursor.uint64();
    this.#file = cursor.restAsText();
    this.#position = position;
    return { type: 'ROTATE', ...this.#header(), position, artificial: (this.#flags & eventFlag.artificial) !== 0 || this.#timestamp === 0 };
  }

  #query(cursor: Cursor, form: QueryForm): BinlogEvent {
    const body = this.#queries.read(cursor, form);
    const standalone = this.#mariadb ? this.#standalone : this.#afterGtid && !opensTransaction(body.sql);
    this.#afterGtid = false;
    this.#standalone = false;
    return {
      type: 'QUERY',
      file: this.#file,
      nextPosition: this.#position,
      timestamp: this.#timestamp,
      serverId: this.#serverId,
      size: this.#size,
      flags: this.#flags,
      threadId: body.threadId,
      executionSeconds: body.executionSeconds,
      errorCode: body.errorCode,
      database: body.database,
      sql: body.sql,
      status: body.status,
      standalone,
    };
  }

  #gtid(cursor: Cursor): BinlogEvent {
    const anonymous = this.#code === eventType.anonymousGtid;
    const body = this.#code === eventType.gtidTagged ? readTaggedGtid(cursor) : this.#gtids.read(cursor);
    this.#afterGtid = true;
    return {
      type: 'GTID',
      file: this.#file,
      nextPosition: this.#position,
      timestamp: this.#timestamp,
      serverId: this.#serverId,
      size: this.#size,
      flags: this.#flags,
      anonymous,
      source: anonymous ? '' : body.source,
      gno: body.gno,
      lastCommitted: body.lastCommitted,
      sequenceNumber: body.sequenceNumber,
      originalCommitMicros: body.originalCommitMicros,
      immediateCommitMicros: body.immediateCommitMicros,
      transactionLength: body.transactionLength,
    };
  }

  #mariadbGtid(cursor: Cursor): MariadbGtidEvent {
    const { sequence, domain, flags, groupCommitId, moreFlags } = readMariadbGtid(cursor);
    this.#standalone = (flags & 1) !== 0;
    return {
      type: 'MARIADB_GTID',
      file: this.#file,
      nextPosition: this.#position,
      timestamp: this.#timestamp,
      serverId: this.#serverId,
      size: this.#size,
      flags: this.#flags,
      domain,
      sequence,
      standalone: this.#standalone,
      transactional: (flags & 4) !== 0,
      ddl: (flags & 32) !== 0,
      groupCommitId,
      xa: (flags & 64) !== 0 ? 'prepared' : (flags & 128) !== 0 ? 'completed' : undefined,
      alter: (moreFlags & 2) !== 0 ? 'start' : (moreFlags & 4) !== 0 ? 'commit' : (moreFlags & 8) !== 0 ? 'rollback' : undefined,
    };
  }

  #notDecoded(): BinlogEvent {
    if (mayPassOver(this.#code, this.#flags)) return this.#other();
    const name = eventTypeName(this.#code);
    throw new MillraceError('BINLOG_UNSUPPORTED', `an event ${name} before ${this.#file}:${this.#position}, which this version does not decode`);
  }

  #other(): BinlogEvent {
    return { type: 'OTHER', ...this.#header(), code: this.#code, name: eventTypeName(this.#code) };
  }

  #header(): EventHeader {
    return {
      file: this.#file,
      nextPosition: this.#position,
      timestamp: this.#timestamp,
      serverId: this.#serverId,
      size: this.#size,
      flags: this.#flags,
    };
  }

  #cursorAt(bytes: Uint8Array, start: number, end: number, what: string): Cursor {
    this.#cursor.reset(bytes, start, end, what);
    return this.#cursor;
  }

  #corrupt(message: string): MillraceError {
    return new MillraceError('BINLOG_CORRUPT', `${eventTypeName(this.#code)} after ${this.#file}:${this.#position}: ${message}`);
  }
}

/** Statements after a GTID event that have a COMMIT, an XID or an XA_PREPARE to come. */
function opensTransaction(sql: string): boolean {
  return sql === 'BEGIN' || /^\s*(BEGIN|XA\s+START|XA\s+BEGIN)\b/i.test(sql);
}

function isMadeUp(code: number): boolean {
  return (
    code === eventType.rotate ||
    code === eventType.formatDescription ||
    code === eventType.startEncryption ||
    code === eventType.heartbeat ||
    code === eventType.heartbeatV2 ||
    code === eventType.gtidList
  );
}

/** The flag "in use" of an open file is set after the checksum was written. */
function formatChecksum(bytes: Uint8Array, start: number, end: number): number {
  if (((bytes[start + 17] ?? 0) & 1) === 0) return crc32(bytes, start, end);
  const copy = Buffer.from(bufferOf(bytes).subarray(start, end));
  copy[17] = (copy[17] ?? 0) & ~1;
  return crc32(copy, 0, copy.length);
}
