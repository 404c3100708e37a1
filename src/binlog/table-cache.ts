import { MillraceError } from '../base/errors.ts';
import { Cursor, bufferOf } from './cursor.ts';
import { readTableMap } from './table-map.ts';
import type { TableMap } from './table-map.ts';

interface Known {
  /** The event's body behind the table id. */
  readonly body: Buffer;
  readonly table: TableMap;
}

/** Ids of tables that were closed since are never seen again; when there are so many, all are forgotten. */
const mostIds = 4096;
const mostNames = 65_536;

/**
 * The tables of a stream. A TABLE_MAP stands before the rows of every statement, mostly with the bytes that it had the
 * last time: then nothing is parsed. A table that the server opened anew has another id and still the same TableMap.
 */
export class TableCache {
  #byId = new Map<number, Known>();
  #byName = new Map<string, Known>();
  #lastId = -1;
  #last: Known | undefined;

  /** The table that rows of this id belong to. */
  find(tableId: number): TableMap | undefined {
    if (tableId === this.#lastId) return this.#last?.table;
    const known = this.#byId.get(tableId);
    if (known === undefined) return undefined;
    this.#lastId = tableId;
    this.#last = known;
    return known.table;
  }

  /** Takes a TABLE_MAP event's body, `bytes[start, end)`, from behind the table id on. */
  add(tableId: number, bytes: Uint8Array, start: number, end: number, mariadb: boolean): TableMap {
    let known = tableId === this.#lastId ? this.#last : this.#byId.get(tableId);
    if (known === undefined || !sameBody(known.body, bytes, start, end)) {
      known = this.#intern(bytes, start, end, mariadb);
      if (this.#byId.size >= mostIds) this.#byId.clear();
      this.#byId.set(tableId, known);
    }
    this.#lastId = tableId;
    this.#last = known;
    return known.table;
  }

  #intern(bytes: Uint8Array, start: number, end: number, mariadb: boolean): Known {
    const cursor = new Cursor(bytes, start, end, 'TABLE_MAP');
    cursor.skip(2);
    const name = `${cursor.text(cursor.uint8())}\0${(cursor.skip(1), cursor.text(cursor.uint8()))}`;
    const known = this.#byName.get(name);
    if (known !== undefined && sameBody(known.body, bytes, start, end)) return known;
    cursor.at = start;
    const fresh: Known = { body: Buffer.from(bytes.subarray(start, end)), table: readTableMap(cursor, mariadb) };
    if (this.#byName.size >= mostNames) this.#byName.clear();
    this.#byName.set(name, fresh);
    return fresh;
  }
}

/** Below so many bytes comparing them here is faster than a call. */
const worthACall = 512;

function sameBody(body: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = body;
  if (length !== end - start) return false;
  if (length >= worthACall) return bufferOf(bytes).compare(body, 0, length, start, end) === 0;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const from = start + at;
    const differs =
      ((body[at] ?? 0) ^ (bytes[from] ?? 0)) |
      ((body[at + 1] ?? 0) ^ (bytes[from + 1] ?? 0)) |
      ((body[at + 2] ?? 0) ^ (bytes[from + 2] ?? 0)) |
      ((body[at + 3] ?? 0) ^ (bytes[from + 3] ?? 0));
    if (differs !== 0) return false;
  }
  for (; at < length; at++) if (body[at] !== bytes[start + at]) return false;
  return true;
}

/** The error for rows whose TABLE_MAP was not seen: the stream did not begin at a statement. */
export function unknownTable(tableId: number, where: string): MillraceError {
  return new MillraceError('BINLOG_CORRUPT', `rows of table id ${tableId} at ${where}, whose TABLE_MAP was not read`, {
    nextStep: 'The start position is in the middle of a statement. Start at the beginning of a transaction.',
  });
}
