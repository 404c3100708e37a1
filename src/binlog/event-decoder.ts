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
import { Cursor, uint32At } from './cursor.ts';
import { EventFrame, headerLength } from './event-frame.ts';
import { eventFlag, eventType, eventTypeName, mayPassOver } from './event-types.ts';
import type { BinlogEvent, EventHeader, MariadbGtidEvent } from './events.ts';
import { QueryReader, inflateRecord } from './query-event.ts';
import type { QueryForm } from './query-event.ts';
import { RowsHead, bitmapAt, dummyTableId, isCompressedRows, rowsKind } from './rows-event.ts';
import { TableCache, unknownTable } from './table-cache.ts';
import { readPayloadHeader } from './transaction-payload.ts';
import type { TransactionPayload } from './transaction-payload.ts';

/**
 * Decodes binlog events one after another. What the stream says about itself (file and position, checksums, tables) it
 * keeps. The header and the checksum are read by `EventFrame`.
 */
export class EventDecoder {
  readonly #frame: EventFrame;
  /** The event before was a GTID; of MariaDB: without COMMIT. What follows may be a transaction by itself. */
  #afterGtid = false;
  #standalone = false;
  readonly #tables = new TableCache();
  readonly #gtids = new GtidReader();
  readonly #queries = new QueryReader();
  readonly #rowsHead = new RowsHead();
  readonly #cursor = new Cursor(new Uint8Array(0), 0, 0, '');

  /** Where the stream begins; a GTID stream says so itself with its first event. */
  constructor(start: { readonly file: string; readonly position: number; readonly mariadb: boolean }) {
    this.#frame = new EventFrame(start);
  }

  /** The place behind the event that was decoded last. */
  get file(): string {
    return this.#frame.file;
  }

  get position(): number {
    return this.#frame.position;
  }

  /**
   * Decodes the event `bytes[start, end)`. A compressed transaction is given as such: its owner unfolds it and brings
   * the events in it to `decodeInner`.
   *
   * @throws BINLOG_CORRUPT, TRUNCATED, BINLOG_UNSUPPORTED
   */
  decode(bytes: Uint8Array, start: number, end: number): BinlogEvent | TransactionPayload {
    const bodyEnd = this.#frame.open(bytes, start, end);
    return this.#body(bytes, start + headerLength, bodyEnd);
  }

  /**
   * Decodes an event from inside of the compressed transaction that was decoded last; such events have no checksum. Only
   * the last one of them has the place behind the transaction.
   */
  decodeInner(bytes: Uint8Array, start: number, end: number, isLast: boolean): BinlogEvent {
    const frame = this.#frame;
    const { position } = frame;
    frame.openInner(bytes, start, end, isLast);
    const event = this.#body(bytes, start + headerLength, end);
    frame.position = position;
    if (event.type === 'TRANSACTION_PAYLOAD') throw frame.corrupt('a compressed transaction inside of another');
    return event;
  }

  #body(bytes: Uint8Array, start: number, end: number): BinlogEvent | TransactionPayload {
    const code = this.#frame.code;
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
    switch (this.#frame.code) {
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
        if (file === this.#frame.file && position > this.#frame.position) this.#frame.position = position;
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
    const code = this.#frame.code;
    head.read(bytes, start, end, code);
    const table = this.#tables.find(head.tableId);
    if (table === undefined) {
      if (head.tableId === dummyTableId) return this.#other();
      throw unknownTable(head.tableId, `${this.#frame.file}:${this.#frame.position}`);
    }
    if (table.columnCount !== head.columnCount) {
      throw this.#frame.corrupt(`rows of ${head.columnCount} columns for ${table.database}.${table.table} with ${table.columnCount}`);
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
          file: this.#frame.file,
          nextPosition: this.#frame.position,
          timestamp: this.#frame.timestamp,
          serverId: this.#frame.serverId,
          size: this.#frame.size,
          flags: this.#frame.flags,
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
          file: this.#frame.file,
          nextPosition: this.#frame.position,
          timestamp: this.#frame.timestamp,
          serverId: this.#frame.serverId,
          size: this.#frame.size,
          flags: this.#frame.flags,
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
          file: this.#frame.file,
          nextPosition: this.#frame.position,
          timestamp: this.#frame.timestamp,
          serverId: this.#frame.serverId,
          size: this.#frame.size,
          flags: this.#frame.flags,
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
      file: this.#frame.file,
      nextPosition: this.#frame.position,
      timestamp: this.#frame.timestamp,
      serverId: this.#frame.serverId,
      size: this.#frame.size,
      flags: this.#frame.flags,
      tableId,
      table: this.#tables.add(tableId, bytes, start + 6, end, this.#frame.mariadb),
    };
  }

  #xid(cursor: Cursor): BinlogEvent {
    return {
      type: 'XID',
      file: this.#frame.file,
      nextPosition: this.#frame.position,
      timestamp: this.#frame.timestamp,
      serverId: this.#frame.serverId,
      size: this.#frame.size,
      flags: this.#frame.flags,
      xid: cursor.uint64BigInt(),
    };
  }

  /**
   * HEARTBEAT_LOG_EVENT: the file name; the position is the header's. MariaDB puts a position past 4 GiB in front of the
   * name, 8 bytes, and 0 in the header. Source: MariaDB, sql/sql_repl.cc, send_heartbeat_event.
   */
  #heartbeat(cursor: Cursor): BinlogEvent {
    if (this.#frame.mariadb && this.#frame.low === 0 && cursor.remaining > 8) {
      this.#frame.position = Math.max(this.#frame.position, cursor.uint64());
    }
    return { type: 'HEARTBEAT', ...this.#header() };
  }

  #rotate(cursor: Cursor): BinlogEvent {
    const position = cursor.uint64();
    this.#frame.file = cursor.restAsText();
    this.#frame.position = position;
    return {
      type: 'ROTATE',
      ...this.#header(),
      position,
      artificial: (this.#frame.flags & eventFlag.artificial) !== 0 || this.#frame.timestamp === 0,
    };
  }

  #query(cursor: Cursor, form: QueryForm): BinlogEvent {
    const body = this.#queries.read(cursor, form);
    const standalone = this.#frame.mariadb ? this.#standalone : this.#afterGtid && !opensTransaction(body.sql);
    this.#afterGtid = false;
    this.#standalone = false;
    return {
      type: 'QUERY',
      file: this.#frame.file,
      nextPosition: this.#frame.position,
      timestamp: this.#frame.timestamp,
      serverId: this.#frame.serverId,
      size: this.#frame.size,
      flags: this.#frame.flags,
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
    const anonymous = this.#frame.code === eventType.anonymousGtid;
    const body = this.#frame.code === eventType.gtidTagged ? readTaggedGtid(cursor) : this.#gtids.read(cursor);
    this.#afterGtid = true;
    return {
      type: 'GTID',
      file: this.#frame.file,
      nextPosition: this.#frame.position,
      timestamp: this.#frame.timestamp,
      serverId: this.#frame.serverId,
      size: this.#frame.size,
      flags: this.#frame.flags,
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
      file: this.#frame.file,
      nextPosition: this.#frame.position,
      timestamp: this.#frame.timestamp,
      serverId: this.#frame.serverId,
      size: this.#frame.size,
      flags: this.#frame.flags,
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
    if (mayPassOver(this.#frame.code, this.#frame.flags)) return this.#other();
    const name = eventTypeName(this.#frame.code);
    throw new MillraceError(
      'BINLOG_UNSUPPORTED',
      `an event ${name} before ${this.#frame.file}:${this.#frame.position}, which this version does not decode`,
    );
  }

  #other(): BinlogEvent {
    return { type: 'OTHER', ...this.#header(), code: this.#frame.code, name: eventTypeName(this.#frame.code) };
  }

  #header(): EventHeader {
    return {
      file: this.#frame.file,
      nextPosition: this.#frame.position,
      timestamp: this.#frame.timestamp,
      serverId: this.#frame.serverId,
      size: this.#frame.size,
      flags: this.#frame.flags,
    };
  }

  #cursorAt(bytes: Uint8Array, start: number, end: number, what: string): Cursor {
    this.#cursor.reset(bytes, start, end, what);
    return this.#cursor;
  }
}

/** Statements after a GTID event that have a COMMIT, an XID or an XA_PREPARE to come. */
function opensTransaction(sql: string): boolean {
  return sql === 'BEGIN' || /^\s*(BEGIN|XA\s+START|XA\s+BEGIN)\b/i.test(sql);
}
