import { literal, qualified, quoted, type TablePlace } from '../sql-text.ts';
import { pathOf, type LandedColumn, type LandedReplica } from './replica-table.ts';

/** Names of what stands beside a landing table. */
export function ownNames({ landing }: Pick<LandedReplica, 'landing'>): {
  /** The rows with their positions and the marks of deleted ones, of which the replica is a view; or those alone. */
  readonly base: TablePlace;
  readonly stream: TablePlace;
  readonly task: TablePlace;
} {
  const beside = (suffix: string): TablePlace => ({ ...landing, table: `${landing.table}${suffix}` });
  return { base: beside('__REPLICA'), stream: beside('__STREAM'), task: beside('__TASK') };
}

/** The replica's own place. */
export function replicaPlace({ landing, replica }: Pick<LandedReplica, 'landing' | 'replica'>): TablePlace {
  return { database: landing.database, ...replica };
}

/** Columns of the base that are no columns of the source's. */
const position = '"__POS"';
const deleted = '"__DELETED"';

/**
 * The newest event of each key, its values cast. `from` is the stream, or the landing table.
 *
 * A position is a number of 36 digits: epoch (6), number of the binlog file (9), offset in it (13), row of the event (8).
 * A row of a snapshot counts as the zeroth of its position, so that what the binlog says afterwards is newer. Without a
 * source block it is the epoch and the offset in the topic, of which each has one partition.
 */
export function newestSql(replica: LandedReplica, from: TablePlace): string {
  const { columns, key } = replica;
  // events of the stream have all columns: when one comes, those before it have been merged
  const fills = qualified(from) === qualified(replica.landing);
  const named = columns.map((column) => `${fills ? filledSql(column) : column.expression} AS ${quoted(column.name)}`).join(', ');
  const partition = key.map(quoted).join(', ');
  return (
    `SELECT * FROM (SELECT ${named}, ${position}, ${deleted}, "__OFFSET" FROM (${eventsSql(replica, qualified(from))})) ` +
    `QUALIFY ROW_NUMBER() OVER (PARTITION BY ${partition} ORDER BY ${position} DESC, "__OFFSET" DESC) = 1`
  );
}

/** What an older event does not have, which is another thing than null. */
function filledSql({ landed, expression, fallback }: LandedColumn): string {
  return fallback === undefined ? expression : expression.replaceAll(landed, `COALESCE(${landed}, ${jsonSql(fallback)})`);
}

export function jsonSql(json: string): string {
  return `PARSE_JSON(${literal(json)})`;
}

/** Each event of rows: its row as `"V"`, position and whether it deletes. Tombstones have no row. */
function eventsSql(replica: LandedReplica, from: string): string {
  const { shape, schematized, contentColumns, columns, key } = replica;
  const offset = `CAST("RECORD_METADATA":"offset" AS NUMBER(20,0)) AS "__OFFSET"`;
  const member = (name: string): string => {
    const column = contentColumns[name];
    return schematized && column !== undefined ? quoted(column) : pathOf('"RECORD_CONTENT"', name);
  };
  if (shape === 'flat') {
    const gone =
      schematized && contentColumns['__deleted'] === undefined
        ? 'FALSE'
        : `COALESCE(CAST(${member('__deleted')} AS VARCHAR), 'false') = 'true'`;
    const place = `TO_NUMBER(${epochSql} || LPAD(CAST("RECORD_METADATA":"offset" AS VARCHAR), 30, '0'), 38, 0)`;
    const fields = columns.map(({ field }) => quoted(contentColumns[field] ?? field));
    const keys = columns.filter(({ name }) => key.includes(name)).map(({ field }) => quoted(contentColumns[field] ?? field));
    const row = schematized ? fields.join(', ') : '"RECORD_CONTENT" AS "V"';
    const isRow = schematized ? keys.map((each) => `${each} IS NOT NULL`).join(' AND ') : `TYPEOF("RECORD_CONTENT") = 'OBJECT'`;
    return `SELECT ${row}, ${place} AS ${position}, ${gone} AS ${deleted}, ${offset} FROM ${from} WHERE ${isRow}`;
  }
  const op = `CAST(${member('op')} AS VARCHAR)`;
  const source = (name: string): string => `CAST(${pathOf(member('source'), name)} AS VARCHAR)`;
  const row = `IFF(${op} = 'r', '0', CAST(CAST(${source('row')} AS NUMBER(9,0)) + 1 AS VARCHAR))`;
  const place =
    `TO_NUMBER(${epochSql} || LPAD(SPLIT_PART(${source('file')}, '.', -1), 9, '0') || ` +
    `LPAD(${source('pos')}, 13, '0') || LPAD(${row}, 8, '0'), 38, 0)`;
  return (
    `SELECT IFF(${op} = 'd', ${member('before')}, ${member('after')}) AS "V", ${place} AS ${position}, ${op} = 'd' AS ${deleted}, ${offset} ` +
    `FROM ${from} WHERE ${op} IN ('c', 'u', 'r', 'd')`
  );
}

/** Positions count anew in each epoch. */
const epochSql = `LPAD(COALESCE(CAST("RECORD_METADATA":"epoch" AS VARCHAR), '0'), 6, '0')`;

/**
 * The statements of one transaction that bring the newest events into the replica. What is older than the row there does
 * nothing, and of a deleted row the position stays, so that an event which comes again cannot bring it back: they may be
 * run any number of times, over events in any order.
 */
export function mergeStatements(replica: LandedReplica, from: TablePlace): readonly string[] {
  return replica.form.table ? [mergeTableSql(replica, from), mergePositionsSql(replica, from)] : [mergeBaseSql(replica, from)];
}

/** The base of a view: rows and marks in one table. */
function mergeBaseSql(replica: LandedReplica, from: TablePlace): string {
  const { columns, key } = replica;
  const others = columns.filter(({ name }) => !key.includes(name));
  const sets = [...others.map(({ name }) => `${quoted(name)} = s.${quoted(name)}`), `${deleted} = FALSE`, `${position} = s.${position}`];
  const all = [...columns.map(({ name }) => quoted(name)), deleted, position];
  const newer = `s.${position} > t.${position}`;
  return (
    `MERGE INTO ${qualified(ownNames(replica).base)} t USING (${newestSql(replica, from)}) s ON ${sameKey(key, 't', 's')} ` +
    `WHEN MATCHED AND ${newer} AND s.${deleted} THEN UPDATE SET ${deleted} = TRUE, ${position} = s.${position} ` +
    `WHEN MATCHED AND ${newer} THEN UPDATE SET ${sets.join(', ')} ` +
    `WHEN NOT MATCHED THEN INSERT (${all.join(', ')}) VALUES (${all.map((name) => `s.${name}`).join(', ')})`
  );
}

/** A replica that is a table: the positions of its rows, and of those that are gone, are in another. */
function mergeTableSql(replica: LandedReplica, from: TablePlace): string {
  const { columns, key } = replica;
  const names = columns.map(({ name }) => quoted(name));
  const others = columns.filter(({ name }) => !key.includes(name));
  const update =
    others.length === 0
      ? ''
      : `WHEN MATCHED THEN UPDATE SET ${others.map(({ name }) => `${quoted(name)} = s.${quoted(name)}`).join(', ')} `;
  return (
    `MERGE INTO ${qualified(replicaPlace(replica))} t USING (SELECT n.* FROM (${newestSql(replica, from)}) n ` +
    `LEFT JOIN ${qualified(ownNames(replica).base)} p ON ${sameKey(key, 'p', 'n')} ` +
    `WHERE p.${position} IS NULL OR n.${position} > p.${position}) s ON ${sameKey(key, 't', 's')} ` +
    `WHEN MATCHED AND s.${deleted} THEN DELETE ${update}` +
    `WHEN NOT MATCHED AND NOT s.${deleted} THEN INSERT (${names.join(', ')}) VALUES (${names.map((name) => `s.${name}`).join(', ')})`
  );
}

function mergePositionsSql(replica: LandedReplica, from: TablePlace): string {
  const { key } = replica;
  const all = [...key.map(quoted), deleted, position];
  return (
    `MERGE INTO ${qualified(ownNames(replica).base)} p USING (${newestSql(replica, from)}) s ON ${sameKey(key, 'p', 's')} ` +
    `WHEN MATCHED AND s.${position} > p.${position} THEN UPDATE SET ${position} = s.${position}, ${deleted} = s.${deleted} ` +
    `WHEN NOT MATCHED THEN INSERT (${all.join(', ')}) VALUES (${all.map((name) => `s.${name}`).join(', ')})`
  );
}

/** All rows that are older than a position go: the source has truncated the table there. */
export function truncateStatements(replica: LandedReplica, at: string): readonly string[] {
  const base = qualified(ownNames(replica).base);
  const mark = `UPDATE ${base} SET ${deleted} = TRUE, ${position} = ${at} WHERE ${position} < ${at}`;
  if (!replica.form.table) return [mark];
  const older = `SELECT ${replica.key.map(quoted).join(', ')} FROM ${base} WHERE ${position} < ${at}`;
  return [
    `DELETE FROM ${qualified(replicaPlace(replica))} USING (${older}) s WHERE ${sameKey(replica.key, qualified(replicaPlace(replica)), 's')}`,
    mark,
  ];
}

function sameKey(key: readonly string[], one: string, other: string): string {
  return key.map((name) => `${one}.${quoted(name)} = ${other}.${quoted(name)}`).join(' AND ');
}

/** Tables that a replica needs besides the landing table. */
export function createTablesSql(replica: LandedReplica): readonly string[] {
  const { columns, key, form } = replica;
  const marks = [`${deleted} BOOLEAN NOT NULL`, `${position} NUMBER(38,0) NOT NULL`];
  const base = qualified(ownNames(replica).base);
  const create = (name: string, parts: readonly string[]): string => `CREATE TABLE IF NOT EXISTS ${name} (${parts.join(', ')})`;
  if (!form.table) return [create(base, [...columns.map(columnSql), ...marks])];
  const keys = columns.filter(({ name }) => key.includes(name));
  return [create(qualified(replicaPlace(replica)), columns.map(columnSql)), create(base, [...keys.map(columnSql), ...marks])];
}

export function columnSql({ name, sqlType }: LandedColumn): string {
  return `${quoted(name)} ${sqlType}`;
}

/** The rows that there are, the columns of the source. */
export function createViewSql(replica: LandedReplica): string {
  const list = replica.columns.map(({ name }) => quoted(name)).join(', ');
  return `CREATE OR REPLACE VIEW ${qualified(replicaPlace(replica))} AS SELECT ${list} FROM ${qualified(ownNames(replica).base)} WHERE NOT ${deleted}`;
}

export function createStreamSql(replica: LandedReplica): string {
  return `CREATE STREAM IF NOT EXISTS ${qualified(ownNames(replica).stream)} ON TABLE ${qualified(replica.landing)} APPEND_ONLY = TRUE`;
}

export function createLandingSql(landing: TablePlace, schematized: boolean): string {
  const content = schematized ? '' : ', "RECORD_CONTENT" VARIANT';
  return `CREATE TABLE IF NOT EXISTS ${qualified(landing)} ("RECORD_METADATA" VARIANT${content})`;
}
