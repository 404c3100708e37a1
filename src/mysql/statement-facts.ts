import type { GtidEvent, MariadbGtidEvent, QueryEvent } from '../binlog/events.ts';
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

/** Of the newest transaction in these GTIDs: `uuid:1-5`, MariaDB's `0-1-7`; before anything of the stream was seen. */
export function headerOfGtids(gtids: string, { serverId, pos }: { readonly serverId: number; readonly pos: number }): TransactionHeader {
  const rest = { committedMicros: Date.now() * 1000, threadId: 0, pos };
  const last = gtids.split(',').at(-1) ?? '';
  const mariadb = /^(\d+)-(\d+)-(\d+)$/.exec(last);
  if (mariadb !== null) {
    return { ...rest, gtidSource: `${mariadb[1]}-${mariadb[2]}`, gtidSequence: Number(mariadb[3]), serverId: Number(mariadb[2]) };
  }
  const mysql = /^([0-9a-f-]{36}(?::[a-z_]\w*)?):.*?(\d+)$/i.exec(last);
  return { ...rest, gtidSource: mysql?.[1] ?? '', gtidSequence: Number(mysql?.[2] ?? 0), serverId };
}

export function headerOfGtid(event: GtidEvent): TransactionHeader {
  return {
    gtidSource: event.anonymous ? '' : event.source,
    gtidSequence: event.anonymous ? 0 : event.gno,
    committedMicros: event.originalCommitMicros ?? event.timestamp * 1_000_000,
    threadId: 0,
    serverId: event.serverId,
    pos: event.nextPosition - event.size,
  };
}

export function headerOfMariadbGtid(event: MariadbGtidEvent): TransactionHeader {
  return {
    gtidSource: `${event.domain}-${event.serverId}`,
    gtidSequence: event.sequence,
    committedMicros: event.timestamp * 1_000_000,
    threadId: 0,
    serverId: event.serverId,
    pos: event.nextPosition - event.size,
  };
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
