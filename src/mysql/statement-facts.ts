import type { QueryEvent } from '../binlog/events.ts';
import type { DdlPlace, DdlRecord } from '../event/ddl-record.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import type { TransactionHeader } from './group-builder.ts';

/** What tables' topics tell of TRUNCATE. */
export function truncates(event: QueryEvent, changes: readonly SchemaChange[], place: DdlPlace): readonly DdlRecord[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'truncateTable') return [];
    const { database, table } = change.before;
    const changed = [{ kind: 'TRUNCATE', id: { database, table }, schema: change.before }] as const;
    return [{ statement: event.sql, database, table, changes: changed, place }];
  });
}

export function headerOfNone(): TransactionHeader {
  return { gtidSource: '', gtidSequence: 0, committedMicros: Date.now() * 1000, threadId: 0, serverId: 0, pos: 0 };
}

export function headerWithoutGtid(event: QueryEvent): TransactionHeader {
  return {
    gtidSource: '',
    gtidSequence: 0,
    committedMicros: event.timestamp * 1_000_000,
    threadId: event.threadId,
    serverId: event.serverId,
    pos: event.nextPosition - event.size,
  };
}

export function firstWord(sql: string): string {
  return /^\s*([A-Za-z]+)/.exec(sql.length > 64 ? sql.slice(0, 64) : sql)?.[1]?.toUpperCase() ?? '';
}
