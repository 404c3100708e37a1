/**
 * For tests: what a binlog file says of tables and rows, read without any of the project's decoders, so that it can
 * judge them.
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

export interface BinlogSeen {
  readonly tableMaps: readonly TableMapSeen[];
  readonly rows: readonly RowsSeen[];
  /** The bodies of QUERY_EVENTs. */
  readonly statements: readonly Uint8Array[];
  /** Where the file ended. */
  readonly end: number;
}

const rowsEvents: Readonly<Record<number, RowsSeen['event']>> = {
  23: 'write',
  24: 'update',
  25: 'delete',
  30: 'write',
  31: 'update',
  32: 'delete',
};

/** Reads the events of a binlog file from an offset on. */
export function readBinlogFile(path: string, { checksums, from = 4 }: { readonly checksums: boolean; readonly from?: number }): BinlogSeen {
  const file = readFileSync(path);
  const tableMaps: TableMapSeen[] = [];
  const rows: RowsSeen[] = [];
  const statements: Uint8Array[] = [];
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
      statements.push(body);
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
