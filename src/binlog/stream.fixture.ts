/** What the tests against servers share: settings, positions, and the events that some work on the server makes. */
import assert from 'node:assert/strict';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { SharedServer } from '../../test/servers/shared.ts';
import type { Login } from '../cli/private-server.ts';
import type { ConnectionSettings } from './connection.ts';
import type { BinlogEvent, RowsEvent } from './events.ts';
import { compareBinlogPositions } from './positions.ts';
import type { BinlogPosition } from './positions.ts';
import type { RowValue } from './row-image.ts';
import { openBinlogStream } from './stream.ts';
import type { BinlogStream, BinlogStreamOptions } from './stream.ts';

export const never = new AbortController().signal;

let serverIds = 1_000_000 + (process.pid % 100_000) * 100;

/** A server id of this test's own. */
export function freshServerId(): number {
  return serverIds++;
}

/** How to connect to a test server as one of its users. */
export function settingsOf(server: Login & { readonly host: string; readonly port: number }): ConnectionSettings {
  return { host: server.host, port: server.port, user: server.user, password: server.password, ssl: { mode: 'disabled' } };
}

/** Runs a query and gives its rows as arrays of text. */
export async function rowsOf(root: Connection, sql: string): Promise<(string | null)[][]> {
  const [rows] = await root.query<RowDataPacket[][]>({ sql, rowsAsArray: true, typeCast: (field) => field.string() });
  return rows.map((row) => Array.from(row, (value: unknown) => (typeof value === 'string' ? value : null)));
}

/** The end of the binlog. */
export async function endOfBinlog(root: Connection, flavor: 'mysql' | 'mariadb'): Promise<BinlogPosition> {
  const [row] = await rowsOf(root, flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
  return { file: row?.[0] ?? '', position: Number(row?.[1]) };
}

/** Reads until the stream is at `end`. */
export async function readTo(
  stream: BinlogStream,
  end: BinlogPosition,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): Promise<BinlogEvent[]> {
  const events: BinlogEvent[] = [];
  for (;;) {
    const some = await stream.read(signal);
    for (const event of some) events.push(event);
    const last = some.at(-1);
    if (last === undefined) continue;
    const order = compareBinlogPositions({ file: last.file, position: last.nextPosition }, end);
    if (order !== undefined && order >= 0) return events;
  }
}

/** The events that `work` makes on a server, with those that others make there meanwhile. */
export async function eventsOf(
  server: SharedServer,
  root: Connection,
  work: () => Promise<unknown>,
  options: Partial<BinlogStreamOptions> = {},
): Promise<BinlogEvent[]> {
  const position = await endOfBinlog(root, server.flavor);
  await work();
  const end = await endOfBinlog(root, server.flavor);
  await using stream = await openBinlogStream(
    { connection: settingsOf(server), serverId: freshServerId(), start: { position }, heartbeatMs: 1000, ...options },
    never,
  );
  return await readTo(stream, end);
}

/** The rows events of one database. */
export function rowsEventsOf(events: readonly BinlogEvent[], database: string): RowsEvent[] {
  return events.filter((event) => event.type === 'ROWS').filter(({ table }) => table.database === database);
}

/** A value as text, bytes as hex. */
export function plain(value: RowValue): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').toUpperCase();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function onlyOne<T>(items: readonly T[]): T {
  assert.equal(items.length, 1);
  const [item] = items;
  assert.ok(item !== undefined);
  return item;
}
