import { createConnection, type Connection, type RowDataPacket } from 'mysql2';
import { duckDbDialect } from '../../src/verify/duckdb-dialect.ts';
import { verify } from '../../src/verify/verify.ts';
import type { Replica } from '../../src/warehouse/duckdb/replica.ts';
import type { SharedServer } from '../servers/shared.ts';

/** What is not the same in a table that the SQL made and in the one that the records made. */
export interface TableDifference {
  /** `database.table`. */
  readonly table: string;
  /** `missing` and `extra` are rows; `structure` is columns, NOT NULL and key; `undecided` is all else. */
  readonly kind: 'missing' | 'extra' | 'different' | 'structure' | 'undecided';
  /** Of a value: its column, with the source's type and default. */
  readonly column?: string;
  readonly columnType?: string;
  readonly hasDefault?: boolean;
  readonly source: string | null;
  readonly replica: string | null;
}

interface ColumnFacts {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  readonly isKey: boolean;
}

const { signal } = new AbortController();

/** Compares every table of these databases, on either side, by the server's own text of each value. */
export async function compareTables(
  replica: Replica,
  server: SharedServer,
  databases: readonly string[],
): Promise<readonly TableDifference[]> {
  const driver = createConnection({ uri: server.root.url });
  try {
    const facts = await readFacts(driver, databases);
    const records = replica.tables().filter(({ live }) => live !== undefined);
    const known = new Set(records.map(({ database, table }) => `${database}.${table}`));
    const differences: TableDifference[] = [...facts.keys()]
      .filter((table) => !known.has(table))
      .map((table) => ({ table, kind: 'undecided', source: 'there', replica: 'no table' }));
    for (const { database, table, live } of records) {
      const columns = facts.get(`${database}.${table}`);
      if (columns === undefined || live === undefined) continue;
      const key = live.primaryKey.map((position) => live.columns[position]?.name);
      const withKey = columns.some(({ isKey }) => isKey);
      const ours = live.columns
        .map(({ name, nullable }) => `${name}${nullable ? '' : ' NOT NULL'}${withKey && key.includes(name) ? ' KEY' : ''}`)
        .join(', ');
      const theirs = columns.map(({ name, nullable, isKey }) => `${name}${nullable ? '' : ' NOT NULL'}${isKey ? ' KEY' : ''}`).join(', ');
      if (ours !== theirs) differences.push({ table: `${database}.${table}`, kind: 'structure', source: theirs, replica: ours });
    }
    if (records.length === 0) return differences;
    const tables = records.map((record) => ({
      id: { database: record.database, table: record.table },
      columns: record.live?.columns.map(({ name }) => name) ?? [],
      replicaSchema: record.replica.schema,
      replicaName: record.replica.table,
    }));
    const report = await verify(
      {
        tables,
        onePosition: true,
        maxDifferences: 10_000,
        // what columns there are is compared above
        isCaptured: () => false,
        openView: () =>
          Promise.resolve({
            driver,
            flavor: server.flavor,
            position: { file: '', pos: 0, gtids: '' },
            [Symbol.asyncDispose]: () => Promise.resolve(),
          }),
        pinAt: async () => ({ ...(await replica.pin()), dialect: duckDbDialect }),
      },
      signal,
    );
    for (const verdict of report.tables) {
      const { table, undecided } = verdict;
      if (undecided !== undefined) differences.push({ table, kind: 'undecided', source: null, replica: undecided });
      for (const { kind, key, columns } of verdict.differences) {
        if (kind !== 'different') differences.push({ table, kind, source: JSON.stringify(key), replica: null });
        for (const { name, source, replica: value } of kind === 'different' ? columns : []) {
          const fact = facts.get(table)?.find((each) => each.name === name);
          differences.push({
            table,
            kind,
            column: name,
            columnType: fact?.type ?? '',
            hasDefault: fact?.hasDefault ?? false,
            source,
            replica: value,
          });
        }
      }
    }
    return differences;
  } finally {
    await new Promise((resolve) => driver.end(resolve));
  }
}

/** Columns of the base tables, by table, with those of the primary key. */
async function readFacts(driver: Connection, databases: readonly string[]): Promise<ReadonlyMap<string, readonly ColumnFacts[]>> {
  const list = databases.map((database) => driver.escape(database)).join(', ');
  const rows = await queryRows(
    driver,
    `SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLUMN_DEFAULT
     FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
     WHERE c.TABLE_SCHEMA IN (${list}) AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1, 2, c.ORDINAL_POSITION`,
  );
  const keys = await queryRows(
    driver,
    `SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA IN (${list}) AND INDEX_NAME = 'PRIMARY'`,
  );
  const facts = new Map<string, ColumnFacts[]>();
  for (const [database, table, name, type, nullable, fallback] of rows) {
    const own = facts.get(`${String(database)}.${String(table)}`) ?? [];
    facts.set(`${String(database)}.${String(table)}`, own);
    own.push({
      name: String(name),
      type: String(type),
      nullable: nullable === 'YES',
      hasDefault: fallback !== null && fallback !== 'NULL',
      isKey: keys.some((key) => key[0] === database && key[1] === table && key[2] === name),
    });
  }
  return facts;
}

function queryRows(driver: Connection, sql: string): Promise<unknown[][]> {
  return new Promise((resolve, reject) => {
    driver.query<RowDataPacket[][]>({ sql, rowsAsArray: true }, (error, rows) => {
      if (error === null) resolve(rows.map((row) => [...row]));
      else reject(error);
    });
  });
}
