import { unknownForm } from '../snowflake-error.ts';
import type { Source } from '../compile/typed.ts';
import { boolean, text } from '../sql/sf-type.ts';
import type { StreamObject, TableObject } from './objects.ts';
import type { Session } from './session.ts';
import type { Transaction } from './transaction.ts';
import type { View } from './versions.ts';
import { visible } from './versions.ts';

/**
 * What a stream shows: an append-only one the rows that INSERT and COPY brought, a standard one the difference between
 * its offset and now. Within a transaction it shows the same rows to each statement; a DML statement that reads it
 * moves its offset at the commit.
 */
export function streamSource(session: Session, stream: StreamObject, view: View, transaction: Transaction | undefined): Source {
  const table = session.catalog.byId(stream.tableId);
  if (table?.kind !== 'table') throw unknownForm(`a stream whose table is gone (${stream.name} is stale)`);
  const until = seenUntil(stream, view, transaction);
  const columns = [
    ...table.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
    { name: 'METADATA$ACTION', type: text, nullable: false },
    { name: 'METADATA$ISUPDATE', type: boolean, nullable: false },
    { name: 'METADATA$ROW_ID', type: text, nullable: false },
  ];
  const schema = session.catalog.schemaById(stream.schemaId);
  const sql = stream.appendOnly ? appended(table, stream.offset, until) : difference(table, stream.offset, until);
  return { sql, columns, name: [schema.database, schema.name, stream.name] };
}

function seenUntil(stream: StreamObject, view: View, transaction: Transaction | undefined): number {
  if (transaction === undefined) return view.version;
  const until = transaction.streamVersions.get(stream.id) ?? view.version;
  transaction.streamVersions.set(stream.id, until);
  return until;
}

function columnsOf(table: TableObject, relation: string): string {
  return table.columns.map((column, index) => `${relation}.c${column.id} AS c${index + 1}`).join(', ');
}

function metadata(table: TableObject, action: string, isUpdate: string, relation: string): string {
  const next = table.columns.length + 1;
  const rowId = `md5('${table.id}:' || ${relation}._r)`;
  return `'${action}' AS c${next}, ${isUpdate} AS c${next + 1}, ${rowId} AS c${next + 2}`;
}

function appended(table: TableObject, after: number, until: number): string {
  return `SELECT ${columnsOf(table, 'n')}, ${metadata(table, 'INSERT', 'false', 'n')} FROM t${table.id} n WHERE n._o AND n._b > ${after} AND n._b <= ${until}`;
}

/** Rows as they were and as they are, by the id that a row keeps through its updates. */
function difference(table: TableObject, after: number, until: number): string {
  const before = `(SELECT * FROM t${table.id} WHERE ${visible({ version: after, stamp: 0 })} AND _e <= ${until})`;
  const now = `(SELECT * FROM t${table.id} WHERE ${visible({ version: until, stamp: 0 })} AND _b > ${after})`;
  const inserts = `SELECT ${columnsOf(table, 'n')}, ${metadata(table, 'INSERT', 'o._r IS NOT NULL', 'n')} FROM ${now} n LEFT JOIN ${before} o ON n._r = o._r`;
  const deletes = `SELECT ${columnsOf(table, 'o')}, ${metadata(table, 'DELETE', 'n._r IS NOT NULL', 'o')} FROM ${before} o LEFT JOIN ${now} n ON n._r = o._r`;
  return `${inserts} UNION ALL ${deletes}`;
}

/** Whether a stream would show a row; a standard one may say so of rows that came and went. */
export function hasDataSql(stream: StreamObject, version: number): string {
  const { tableId: id, offset } = stream;
  const changed = stream.appendOnly
    ? `_b > ${offset} AND _b <= ${version} AND _o`
    : `(_b > ${offset} AND _b <= ${version}) OR (_e > ${offset} AND _e <= ${version} AND _b <= ${offset})`;
  return `SELECT count(*) > 0 FROM t${id} WHERE ${changed}`;
}

/** After a DML statement read streams: they move when its transaction commits. */
export function consumeStreams(session: Session, transaction: Transaction): void {
  for (const [id, until] of transaction.streamVersions) {
    if (session.catalog.byId(id)?.kind === 'stream') transaction.streams.set(id, until);
  }
}
