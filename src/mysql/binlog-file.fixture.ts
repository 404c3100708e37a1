/**
 * For tests: what a binlog file says of tables and statements, read without any of the project's decoders, so that
 * it can judge them.
 */
import { readFileSync } from 'node:fs';

export interface TableMapSeen {
  readonly database: string;
  readonly table: string;
  /** The server's type code of each column of the row images. */
  readonly types: readonly number[];
}

export interface RowsSeen extends TableMapSeen {
  readonly event: 'write' | 'update' | 'delete';
  /** Positions of the columns in the (first) image. */
  readonly present: readonly number[];
}

export interface StatementSeen {
  readonly database: string;
  readonly sql: string;
  readonly sqlMode: bigint;
  /** explicit_defaults_for_timestamp, where the event has it (MySQL: where it matters). */
  readonly explicitDefaults: boolean | undefined;
  readonly timeZone: string | undefined;
}

export interface BinlogSeen {
  readonly tableMaps: readonly TableMapSeen[];
  readonly rows: readonly RowsSeen[];
  readonly statements: readonly StatementSeen[];
  /** Where the file ended. */
  readonly end: number;
}

const rowsEvents: Readonly<Record<number, RowsSeen['event']>> = { 23: 'write', 24: 'update', 25: 'delete', 30: 'write', 31: 'update', 32: 'delete' };

/** Reads the events of a binlog file from an offset on. */
export function readBinlogFile(path: string, { checksums, from = 4, mariadb = false }: { readonly checksums: boolean; readonly from?: number; readonly mariadb?: boolean }): BinlogSeen {
  const file = readFileSync(path);
  const tableMaps: TableMapSeen[] = [];
  const rows: RowsSeen[] = [];
  const statements: StatementSeen[] = [];
  const byId = new Map<number, TableMapSeen>();
  let at = from;
  while (at + 19 <= file.length) {
    const type = file[at + 4] ?? 0;
    const size = file.readUInt32LE(at + 9);
    if (size < 19 || at + size > file.length) break;
    const body = file.subarray(at + 19, at + size - (checksums ? 4 : 0));
    const kind = rowsEvents[type];
    if (type === 19) {
      const map = readTableMap(body);
      byId.set(body.readUIntLE(0, 6), map);
      tableMaps.push(map);
    } else if (kind !== undefined) {
      const map = byId.get(body.readUIntLE(0, 6));
      if (map !== undefined) rows.push({ ...map, event: kind, present: presentColumns(body, type >= 30) });
    } else if (type === 2) {
      statements.push(readStatement(body, mariadb));
    }
    at += size;
  }
  return { tableMaps, rows, statements, end: at };
}

function readTableMap(body: Buffer): TableMapSeen {
  const databaseLength = body[8] ?? 0;
  const tableAt = 9 + databaseLength + 1;
  const tableLength = body[tableAt] ?? 0;
  const countAt = tableAt + 1 + tableLength + 1;
  const count = body[countAt] ?? 0;
  return {
    database: body.toString('utf8', 9, 9 + databaseLength),
    table: body.toString('utf8', tableAt + 1, tableAt + 1 + tableLength),
    types: [...body.subarray(countAt + 1, countAt + 1 + count)],
  };
}

function presentColumns(body: Buffer, version2: boolean): number[] {
  const at = 8 + (version2 ? body.readUInt16LE(8) : 0);
  const count = body[at] ?? 0;
  const present: number[] = [];
  for (let i = 0; i < count; i++) if ((((body[at + 1 + (i >> 3)] ?? 0) >> (i & 7)) & 1) === 1) present.push(i);
  return present;
}

/** Source: MySQL internals, Query_event; the status variables in the order of the codes that the servers write. */
function readStatement(body: Buffer, mariadb: boolean): StatementSeen {
  const databaseLength = body[8] ?? 0;
  const statusLength = body.readUInt16LE(11);
  const status = body.subarray(13, 13 + statusLength);
  const databaseAt = 13 + statusLength;
  const seen = { sqlMode: 0n, explicitDefaults: undefined as boolean | undefined, timeZone: undefined as string | undefined };
  const fixed: Readonly<Record<number, number>> = { 0: 4, 1: 8, 3: 4, 4: 6, 7: 2, 8: 2, 9: 8, 10: 4, 13: 3, 16: 1, 17: 8, 18: 2, 19: 1, 20: 1, 128: 3 };
  for (let at = 0; at < status.length; ) {
    const code = status[at++] ?? 0;
    // MariaDB has it among the flags of the session.
    if (code === 0 && mariadb) seen.explicitDefaults = (status.readUInt32LE(at) & (1 << 24)) !== 0;
    if (code === 1) seen.sqlMode = status.readBigUInt64LE(at);
    if (code === 16) seen.explicitDefaults = status[at] === 1;
    if (code === 5) seen.timeZone = status.toString('utf8', at + 1, at + 1 + (status[at] ?? 0));
    if (code === 5 || code === 6) at += 1 + (status[at] ?? 0);
    else if (code === 11) for (let i = 0; i < 2; i++) at += 1 + (status[at] ?? 0);
    else if (code === 12) {
      const count = status[at++] ?? 0;
      for (let i = 0; count !== 254 && i < count; i++) at = status.indexOf(0, at) + 1;
    } else {
      const width = fixed[code];
      if (width === undefined) break;
      at += width;
    }
  }
  const sqlAt = databaseAt + databaseLength + 1;
  return { database: body.toString('utf8', databaseAt, databaseAt + databaseLength), sql: body.toString('utf8', sqlAt), ...seen };
}
