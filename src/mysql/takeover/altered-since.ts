import type { ConnectionSettings } from '../../binlog/connection.ts';
import type { QueryEvent } from '../../binlog/events.ts';
import { openBinlogStream } from '../../binlog/stream.ts';
import type { SourcePosition } from '../../connect/commit-group.ts';
import { tableName } from '../../event/table-schema.ts';
import type { TableId } from '../../event/table-schema.ts';
import { readDdl } from '../ddl/read-ddl.ts';
import type { DdlStatement } from '../ddl/statement.ts';
import { comparePositions } from '../server-position.ts';
import type { SourceConfig } from '../source-config.ts';
import { streamStart } from '../source-offset.ts';
import { firstWord } from '../statement-facts.ts';
import type { StreamPosition } from '../stream-contract.ts';

/** What a stretch of the binlog does to definitions of captured tables. */
export interface DefinitionsSince {
  /** The first statement that changes a table which may have rows before it: how it was is not known. */
  readonly altered: { readonly statement: string; readonly file: string; readonly pos: number } | undefined;
  /** Tables that are made there, of which rows come only after that. */
  readonly created: ReadonlySet<string>;
}

const frames = new Set(['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE', 'XA']);

/** Reads the binlog from an offset to an end that the server has written. @throws what `openBinlogStream` and its reads throw */
export async function definitionsSince(
  { start, end, config, settings }: DefinitionsSinceOptions,
  signal: AbortSignal,
): Promise<DefinitionsSince> {
  const created = new Set<string>();
  const connection = { connection: settings, serverId: config.serverId, start: streamStart(config.flavor, start) };
  await using stream = await openBinlogStream({ ...connection, heartbeatMs: 500, readTimeoutMs: 10_000 }, signal);
  for (;;) {
    for (const event of await stream.read(signal)) {
      if (event.type === 'QUERY' && !frames.has(firstWord(event.sql)) && alters(event, config, created)) {
        return { altered: { statement: event.sql, file: event.file, pos: event.nextPosition - event.size }, created };
      }
      if (event.file !== '' && comparePositions({ file: event.file, pos: event.nextPosition }, end) >= 0) {
        return { altered: undefined, created };
      }
    }
  }
}

interface DefinitionsSinceOptions {
  readonly start: StreamPosition;
  readonly end: SourcePosition;
  readonly config: SourceConfig;
  readonly settings: ConnectionSettings;
}

/** Whether a captured table that was not made meanwhile is another after the statement. */
function alters(event: QueryEvent, config: SourceConfig, created: Set<string>): boolean {
  const context = { flavor: config.flavor, defaultDatabase: event.database, sqlMode: event.status.sqlMode ?? 0n };
  const statement = readDdl(event.sql, context);
  if (statement.kind === 'createTable' && !statement.orReplace && !statement.ifNotExists) {
    created.add(tableName(statement.table));
    return false;
  }
  if (statement.kind === 'uncertain' && statement.tables.length === 0) return true;
  const isOld = (table: TableId): boolean => config.captures(table) && !created.has(tableName(table));
  return changedTables(statement).some(isOld);
}

function changedTables(statement: DdlStatement): readonly TableId[] {
  switch (statement.kind) {
    case 'createTable':
      return statement.orReplace ? [statement.table] : [];
    case 'alterTable':
      return [statement.table, ...statement.actions.flatMap((action) => (action.kind === 'rename' ? [action.to] : []))];
    case 'renameTables':
      return statement.renames.flatMap(({ from, to }) => [from, to]);
    case 'dropTables':
      return statement.tables;
    case 'uncertain':
      return statement.tables;
    // Its tables are gone: rows of them are of no table that is known.
    case 'dropDatabase':
    case 'truncateTable':
    case 'createDatabase':
    case 'alterDatabase':
    case 'irrelevant':
      return [];
  }
}
