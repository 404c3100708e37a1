import { qualified, quoted, type TablePlace } from '../sql-text.ts';
import { pathOf, type LandedColumn, type LandedReplica } from './replica-table.ts';

/** Names of what stands beside a landing table. */
export function ownNames({ landing }: Pick<LandedReplica, 'landing'>): {
  /** The replica with the marks of deleted rows; the replica itself is a view of it. */
  readonly base: TablePlace;
  readonly stream: TablePlace;
  readonly task: TablePlace;
} {
  const beside = (suffix: string): TablePlace => ({ ...landing, table: `${landing.table}${suffix}` });
  return { base: beside('__REPLICA'), stream: beside('__STREAM'), task: beside('__TASK') };
}

/** Columns of the base that are no columns of the source's. */
const position = '"__POS"';
const deleted = '"__DELETED"';

/**
 * The newest event of each key, its values cast: what MERGE takes. `from` is the stream, or the landing table.
 *
 * A position is a number of 36 digits: epoch (6), number of the binlog file (9), offset in it (13), row of the event (8).
 * A row of a snapshot counts as the zeroth of its position, so that what the binlog says afterwards is newer. Without a
 * source block it is the epoch and the offset in the topic, of which each has one partition.
 */
function newestSql(replica: LandedReplica, from: string): string {
  const { columns, key } = replica;
  const named = columns.map(({ name, expression }) => `${expression} AS ${quoted(name)}`).join(', ');
  const partition = key.map(quoted).join(', ');
  return (
    `SELECT * FROM (SELECT ${named}, ${position}, ${deleted}, "__OFFSET" FROM (${eventsSql(replica, from)})) ` +
    `QUALIFY ROW_NUMBER() OVER (PARTITION BY ${partition} ORDER BY ${position} DESC, "__OFFSET" DESC) = 1`
  );
}

/** Each event of rows: its row as `"V"`, position and whether it deletes. Tombstones have no row. */
function eventsSql(replica: LandedReplica, from: string): string {
  const offset = `CAST("RECORD_METADATA":"offset" AS NUMBER(20,0)) AS "__OFFSET"`;
  if (replica.shape === 'flat') {
    const row = replica.schematized ? schematizedRow(replica) : '"RECORD_CONTENT"';
    const gone = replica.schematized ? '"__DELETED"' : pathOf('"RECORD_CONTENT"', '__deleted');
    const place = `TO_NUMBER(${epochSql} || LPAD(CAST("RECORD_METADATA":"offset" AS VARCHAR), 30, '0'), 38, 0)`;
    return (
      `SELECT ${row} AS "V", ${place} AS ${position}, COALESCE(CAST(${gone} AS VARCHAR), 'false') = 'true' AS ${deleted}, ${offset} ` +
      `FROM ${from} WHERE TYPEOF(${row}) = 'OBJECT'`
    );
  }
  const member = (name: string): string => (replica.schematized ? quoted(name.toUpperCase()) : pathOf('"RECORD_CONTENT"', name));
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

/** A flat row whose fields are columns of the landing table. */
function schematizedRow({ columns }: LandedReplica): string {
  const members = columns.flatMap(({ field }) => [`'${field.replaceAll("'", "''")}'`, quoted(field.toUpperCase())]);
  return `OBJECT_CONSTRUCT_KEEP_NULL(${members.join(', ')})`;
}

/**
 * Brings the newest events into the base. What is older than the row there does nothing, and a deleted row stays as a mark, so
 * that an event which comes again cannot bring it back: it may be run any number of times, over events in any order.
 */
export function mergeSql(replica: LandedReplica, from: TablePlace): string {
  const { columns, key } = replica;
  const { base } = ownNames(replica);
  const same = key.map((name) => `t.${quoted(name)} = s.${quoted(name)}`).join(' AND ');
  const others = columns.filter(({ name }) => !key.includes(name));
  const sets = [...others.map(({ name }) => `${quoted(name)} = s.${quoted(name)}`), `${deleted} = FALSE`, `${position} = s.${position}`];
  const all = [...columns.map(({ name }) => quoted(name)), deleted, position];
  const newer = `s.${position} > t.${position}`;
  return (
    `MERGE INTO ${qualified(base)} t USING (${newestSql(replica, qualified(from))}) s ON ${same} ` +
    `WHEN MATCHED AND ${newer} AND s.${deleted} THEN UPDATE SET ${deleted} = TRUE, ${position} = s.${position} ` +
    `WHEN MATCHED AND ${newer} THEN UPDATE SET ${sets.join(', ')} ` +
    `WHEN NOT MATCHED THEN INSERT (${all.join(', ')}) VALUES (${all.map((name) => `s.${name}`).join(', ')})`
  );
}

export function createBaseSql(replica: LandedReplica): string {
  const columns = replica.columns.map(columnSql);
  return `CREATE TABLE IF NOT EXISTS ${qualified(ownNames(replica).base)} (${[...columns, `${deleted} BOOLEAN NOT NULL`, `${position} NUMBER(38,0) NOT NULL`].join(', ')})`;
}

export function columnSql({ name, sqlType }: LandedColumn): string {
  return `${quoted(name)} ${sqlType}`;
}

/** The replica: the rows that there are, the columns of the source. */
export function createViewSql(replica: LandedReplica): string {
  const { landing, columns } = replica;
  const place = { database: landing.database, ...replica.replica };
  const list = columns.map(({ name }) => quoted(name)).join(', ');
  return `CREATE OR REPLACE VIEW ${qualified(place)} AS SELECT ${list} FROM ${qualified(ownNames(replica).base)} WHERE NOT ${deleted}`;
}

export function createStreamSql(replica: LandedReplica): string {
  return `CREATE STREAM IF NOT EXISTS ${qualified(ownNames(replica).stream)} ON TABLE ${qualified(replica.landing)} APPEND_ONLY = TRUE`;
}

export function createLandingSql(landing: TablePlace, schematized: boolean): string {
  const content = schematized ? '' : ', "RECORD_CONTENT" VARIANT';
  return `CREATE TABLE IF NOT EXISTS ${qualified(landing)} ("RECORD_METADATA" VARIANT${content})`;
}
