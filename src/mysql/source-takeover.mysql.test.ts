/** A source that begins at an offset which Debezium stored, amid a transaction or between two. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowDataPacket } from 'mysql2/promise';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import type { FreshDatabase, SharedServer } from '../../test/servers/shared.ts';
import { silentLogger } from '../base/logger.ts';
import { isMillraceError } from '../base/errors.ts';
import { flavors } from '../cli/private-server.ts';
import { batchRows, never } from './snapshot.fixture.ts';
import type { SourceConfig } from './source-config.ts';
import { configOf } from './source-task.fixture.ts';
import { openSourceTask } from './source-task.ts';

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
async function rowsFrom(config: SourceConfig, offset: Readonly<Record<string, unknown>>): Promise<string[]> {
  await using task = await openSourceTask(
    { config, state: { offset, state: () => new Map() }, log: silentLogger, keepsTables: () => false },
    AbortSignal.timeout(30_000),
  );
  const ids: string[] = [];
  while (!ids.includes('99')) {
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

  test(`an offset that the server no longer has is refused by name, on ${flavor}`, { skip: withoutServer(flavor) }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const config = configOf(server, database.name);
    await assert.rejects(
      openSourceTask({ config, state: { offset: { file: 'nope.000001', pos: 4 }, state: () => new Map() }, log: silentLogger }, never),
      (error) => isMillraceError(error, 'BINLOG_PURGED') && error.message.includes('nope.000001'),
    );
  });
}
