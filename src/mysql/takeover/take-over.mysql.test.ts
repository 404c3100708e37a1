/** A source that begins at an offset which Debezium stored: amid a transaction or between two, before DDL and after it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { freshDatabase, sharedServer, withoutServer } from '../../../test/servers/shared.ts';
import type { FreshDatabase, SharedServer } from '../../../test/servers/shared.ts';
import { writeJavaArray } from '../../base/java-object.ts';
import { silentLogger } from '../../base/logger.ts';
import { isMillraceError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { flavors } from '../../cli/private-server.ts';
import { batchRows, never } from '../snapshot.fixture.ts';
import type { SourceConfig } from '../source-config.ts';
import { configOf } from '../source-task.fixture.ts';
import { openSourceTask } from '../source-task.ts';

interface Place {
  readonly file: string;
  readonly pos: number;
  readonly gtids: string;
}

/** Where the server's binlog ends now. */
async function endOf({ root }: FreshDatabase, { flavor }: SharedServer): Promise<Place> {
  const [rows] = await root.query<RowDataPacket[]>(flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
  const file: unknown = rows[0]?.['File'];
  const pos: unknown = rows[0]?.['Position'];
  const executed: unknown = rows[0]?.['Executed_Gtid_Set'];
  if (flavor === 'mysql') return { file: String(file), pos: Number(pos), gtids: String(executed).replaceAll(/\s/g, '') };
  const [gtid] = await root.query<RowDataPacket[]>(`SELECT BINLOG_GTID_POS('${String(file)}', ${Number(pos)}) AS gtids`);
  return { file: String(file), pos: Number(pos), gtids: String(gtid[0]?.['gtids']) };
}

/** Where the transaction with the first rows of the table after a place begins: Debezium's `pos` is its BEGIN. */
async function beginOf({ root, name }: FreshDatabase, { file, pos }: Place): Promise<number> {
  const [events] = await root.query<RowDataPacket[]>(`SHOW BINLOG EVENTS IN '${file}' FROM ${pos}`);
  let begin = 0;
  for (const { Info: info, Pos: at, Event_type: type } of events) {
    if ((type === 'Query' || type === 'Gtid') && String(info).startsWith('BEGIN')) begin = Number(at);
    if (type === 'Table_map' && String(info).includes(`(${name}.`)) return begin;
  }
  throw new Error('no transaction');
}

/** First columns of the rows that come from the offset on, up to the one with 99. */
async function rowsFrom(config: SourceConfig, offset: Readonly<Record<string, unknown>>, last = '99'): Promise<string[]> {
  await using task = await openSourceTask(
    { config, state: { offset, state: () => new Map() }, log: silentLogger, keepsTables: () => false },
    AbortSignal.timeout(30_000),
  );
  const ids: string[] = [];
  while (!ids.includes(last)) {
    const { group } = await task.poll(AbortSignal.timeout(30_000));
    for (const entry of group.entries) if (entry.kind === 'changes') ids.push(...batchRows(entry.batch).map((row) => String(row[0])));
  }
  return ids;
}

for (const flavor of flavors) {
  test(`the rows after an offset of Debezium come, each once, on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (0)');
    const before = await endOf(database, server);
    await root.query('BEGIN; INSERT INTO t VALUES (1), (2), (3); INSERT INTO t VALUES (4), (5); COMMIT');
    const after = await endOf(database, server);
    await root.query('INSERT INTO t VALUES (99)');
    const config = configOf(server, database.name);
    const begin = await beginOf(database, before);
    const from = async (offset: Readonly<Record<string, unknown>>): Promise<readonly string[]> => rowsFrom(config, offset);
    const { file, gtids } = before;

    assert.deepEqual(await from({ ts_sec: 1, file, pos: before.pos, gtids }), ['1', '2', '3', '4', '5', '99'], 'between two transactions');
    assert.deepEqual(await from({ ts_sec: 1, file, pos: after.pos, gtids: after.gtids, server_id: 1 }), ['99']);
    // Its BEGIN is the first event, a TABLE_MAP the second, its rows the third.
    const amid = { ts_sec: 1, file, pos: begin, gtids, server_id: 1 };
    assert.deepEqual(await from({ ...amid, event: 2, row: 1 }), ['2', '3', '4', '5', '99'], 'amid its first rows');
    assert.deepEqual(await from({ ...amid, event: 3 }), ['4', '5', '99'], 'after its first rows');
    assert.deepEqual(await from({ ...amid, event: 4, row: 1 }), ['5', '99'], 'amid its second rows');
    assert.deepEqual(await from({ ...amid, event: 5 }), ['99'], 'after its last rows');
    // A server without GTIDs, and an offset of a server whose files have other names.
    assert.deepEqual(await from({ ts_sec: 1, file, pos: begin, event: 2, row: 1 }), ['2', '3', '4', '5', '99'], 'by its place alone');
    assert.deepEqual(
      await from({ ts_sec: 1, file: 'other.000007', pos: 4, gtids, event: 2, row: 1 }),
      ['2', '3', '4', '5', '99'],
      'by GTIDs',
    );
  });

  test(
    `an incremental snapshot that Debezium had open goes on after its last key, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await database.root.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3), (4), (5), (6)');
      const { file, pos, gtids } = await endOf(database, server);
      const key = (id: bigint): string => writeJavaArray([{ type: 'Integer', value: id }]).toString('hex');
      const offset = {
        ts_sec: 1,
        file,
        pos,
        gtids,
        server_id: 1,
        incremental_snapshot_correlation_id: 'ad-hoc',
        incremental_snapshot_maximum_key: key(5n),
        incremental_snapshot_primary_key: key(3n),
        incremental_snapshot_collections: `[{"incremental_snapshot_collections_id":"${database.name}.t"}]`,
      };
      assert.deepEqual(await rowsFrom(configOf(server, database.name), offset, '5'), ['4', '5']);
    },
  );

  test(`an offset that the server no longer has is refused by name, on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const config = configOf(server, database.name);
    await database.root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const { file, pos } = await endOf(database, server);
    const refused = (offset: Readonly<Record<string, unknown>>, code: ErrorCode, message: RegExp): Promise<void> =>
      assert.rejects(
        openSourceTask({ config, state: { offset, state: () => new Map() }, log: silentLogger }, never),
        (error) => isMillraceError(error, code) && message.test(error.message),
      );
    await refused({ file: 'nope.000001', pos: 4 }, 'BINLOG_PURGED', /nope\.000001/);
    await refused({ file, pos: pos - 1 }, 'BINLOG_PURGED', /within an event/);
    await refused({ file }, 'CONFIG_INVALID', /names no place in the binlog: \{"file":"/);
  });

  test(
    `tables that were altered after the offset are those of the schema history, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { root, name } = database;
      await root.query('CREATE TABLE t (id INT PRIMARY KEY, b INT, c INT); CREATE TABLE same (id INT PRIMARY KEY)');
      const offset = await endOf(database, server);
      const history: unknown[] = [
        historyRecord(name, { ...offset, snapshot: 'INITIAL' }, 'SET character_set_server=utf8mb4, collation_server=utf8mb4_bin', []),
        historyRecord(name, { ...offset, snapshot: 'INITIAL' }, await createText(database, 't'), [['t', ['id', 'b', 'c']]]),
        historyRecord(name, { ...offset, snapshot: 'INITIAL' }, await createText(database, 'same'), [['same', ['id']]]),
      ];
      await root.query('INSERT INTO t VALUES (1, 2, 3)');
      const begun = await endOf(database, server);
      const statement = 'ALTER TABLE t MODIFY b INT AFTER c';
      await root.query(statement);
      // Debezium had come further than the offset that it stored last: gtids are those before the statement, pos is its end
      const { file, pos } = await endOf(database, server);
      history.push(historyRecord(name, { file, pos, gtids: begun.gtids }, statement, [['t', ['id', 'c', 'b']]]));
      await root.query('INSERT INTO t VALUES (2, 20, 30)');
      const later = await endOf(database, server);
      await root.query('ALTER TABLE t DROP c; INSERT INTO t VALUES (3, 300)');
      await root.query("RENAME TABLE t TO u; CREATE TABLE t (id INT PRIMARY KEY, z CHAR(3)); INSERT INTO t VALUES (99, 'z')");

      using folder = temporaryFolder();
      const pretty = folder.write('pretty', history.map((record) => JSON.stringify(record, undefined, 2)).join('\n'));
      const recorded = history.map((value, at) => JSON.stringify({ partition: 0, offset: at, key: null, value })).join('\n');
      const wrapped = folder.write('wrapped', recorded);
      const configWith = (extra: Readonly<Record<string, string>>): SourceConfig => configOf(server, name, extra);
      const withFile = (path: string): SourceConfig => configWith({ 'schema.history.internal.file.filename': path });
      const after = [
        { id: '3', b: '300' },
        { id: '99', z: 'z' },
      ];
      const expected = [{ id: '1', b: '2', c: '3' }, { id: '2', c: '20', b: '30' }, ...after];
      assert.deepEqual(await namedRowsFrom(withFile(pretty), { ...offset }), expected);
      assert.deepEqual(await namedRowsFrom(withFile(wrapped), { file: offset.file, pos: offset.pos }), expected, 'by its place alone');
      assert.deepEqual(await namedRowsFrom(withFile(pretty), { ...offset }, true), expected, 'beside the copy that a sink needs');
      assert.deepEqual(await namedRowsFrom(withFile(wrapped), { ...later }), after, 'with the statement before the offset');

      const refused = (config: SourceConfig, message: RegExp): Promise<void> =>
        assert.rejects(namedRowsFrom(config, { ...offset }), (error) => isMillraceError(error) && message.test(error.message));
      await refused(configWith({}), /^tables of .* were altered after its offset.*ALTER TABLE t MODIFY b INT AFTER c/);
      await refused(withFile(`${pretty}.not`), /schema\.history\.internal\.file\.filename.*ENOENT/);
      await refused(withFile(folder.write('rubbish', '{"a": 1}')), /object 1 is no record of a schema history/);
      await refused(configWith({ 'schema.history.internal.file.filename': pretty, 'topic.prefix': 'q' }), /has no record of q/);
      // the owner has said that the tables of today will do
      const recovered = await namedRowsFrom(configWith({ 'snapshot.mode': 'recovery' }), { ...offset });
      assert.deepEqual(recovered.at(-1), { id: '99', z: 'z' });

      // A history that ends before the offset, of tables that nothing has altered since.
      const end = await endOf(database, server);
      await root.query("INSERT INTO t VALUES (4, 'y'); INSERT INTO u VALUES (99, 1)");
      const ended = folder.write(
        'ended',
        history
          .slice(0, 3)
          .map((record) => JSON.stringify(record))
          .join('\n'),
      );
      assert.deepEqual(await namedRowsFrom(withFile(ended), { ...end }), [
        { id: '4', z: 'y' },
        { id: '99', b: '1' },
      ]);
    },
  );

  test(`a table that is made after the offset needs no history, on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE old (id INT PRIMARY KEY)');
    const offset = await endOf(database, server);
    await root.query('INSERT INTO old VALUES (1); CREATE TABLE t (id INT PRIMARY KEY, b INT, c INT); INSERT INTO t VALUES (2, 3, 4)');
    await root.query('ALTER TABLE t MODIFY b INT AFTER c; INSERT INTO t VALUES (5, 6, 7); INSERT INTO old VALUES (99)');
    const rows = [{ id: '1' }, { id: '2', b: '3', c: '4' }, { id: '5', c: '6', b: '7' }, { id: '99' }];
    assert.deepEqual(await namedRowsFrom(configOf(server, name), { ...offset }), rows);
  });
}

/** Rows with their columns' names that come from the offset on, up to the one with 99. */
async function namedRowsFrom(
  config: SourceConfig,
  offset: Readonly<Record<string, unknown>>,
  keepsTables = false,
): Promise<Record<string, string | null>[]> {
  await using task = await openSourceTask(
    { config, state: { offset, state: () => new Map() }, log: silentLogger, keepsTables: () => keepsTables },
    AbortSignal.timeout(30_000),
  );
  const rows: Record<string, string | null>[] = [];
  while (rows.at(-1)?.['id'] !== '99') {
    const { group } = await task.poll(AbortSignal.timeout(30_000));
    for (const entry of group.entries) {
      if (entry.kind !== 'changes' && entry.kind !== 'told') continue;
      const { columns } = entry.batch.schema;
      for (const row of batchRows(entry.batch)) rows.push(Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])));
    }
  }
  return rows;
}

async function createText({ root }: FreshDatabase, table: string): Promise<string> {
  const [rows] = await root.query<RowDataPacket[]>(`SHOW CREATE TABLE ${table}`);
  return String(rows[0]?.['Create Table']);
}

/** As Debezium writes it; tables with the names of their columns, all of type INT. */
function historyRecord(
  database: string,
  position: Place & { readonly snapshot?: string },
  ddl: string,
  tables: readonly (readonly [string, readonly string[]])[],
): object {
  const tableChanges = tables.map(([table, columns]) => ({
    type: 'CREATE',
    id: `"${database}"."${table}"`,
    table: {
      defaultCharsetName: 'utf8mb4',
      primaryKeyColumnNames: ['id'],
      columns: columns.map((name, at) => ({ name, typeName: 'INT', position: at + 1, optional: name !== 'id', enumValues: [] })),
      attributes: [],
    },
  }));
  return { source: { server: 'p' }, position: { ts_sec: 1, ...position }, ts_ms: 1, databaseName: database, ddl, tableChanges };
}

interface Folder extends Disposable {
  /** Its path. */
  write(name: string, text: string): string;
}

function temporaryFolder(): Folder {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-takeover-'));
  return {
    write(name, text) {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    },
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
