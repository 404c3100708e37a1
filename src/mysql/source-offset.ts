import type { StreamStart } from '../binlog/dump.ts';
import { GtidSet } from '../binlog/gtid-set.ts';
import { MariadbGtidList } from '../binlog/mariadb-gtid.ts';
import type { StreamPosition } from './stream-contract.ts';

/** What an offset tells besides its place. */
export interface OffsetFacts {
  /** Of the newest event before it: seconds since the epoch. */
  readonly seconds: number;
  /** Of the server that wrote that event; undefined: it was a snapshot. */
  readonly serverId?: number | undefined;
  /** The first snapshot has not ended. */
  readonly snapshot: boolean;
}

/**
 * A source's offset as Debezium stores it, so that either can go on where the other was:
 *
 * - `file`, `pos`: the place between two transactions, or where the one that is under way begins
 * - `gtids`: those of all transactions before it
 * - `event`, `row`: of the transaction there, events from its BEGIN on that are done, and rows of the next one; absent: 0
 * - `snapshot`: `INITIAL` while the first snapshot is taken
 *
 * Source: debezium-connector-binlog, BinlogOffsetContext.
 */
export function writeOffset(position: StreamPosition, { seconds, serverId, snapshot }: OffsetFacts): Record<string, unknown> {
  return {
    ts_sec: seconds,
    ...writePlace(position),
    ...(snapshot ? { snapshot: 'INITIAL' } : {}),
    ...(serverId === undefined ? {} : { server_id: serverId }),
  };
}

export function writePlace({ file, pos, gtids, eventsDone, rowsDone = 0 }: StreamPosition): Record<string, unknown> {
  return {
    file,
    pos,
    ...(gtids === '' ? {} : { gtids }),
    ...(eventsDone === 0 ? {} : { event: eventsDone }),
    ...(rowsDone === 0 ? {} : { row: rowsDone }),
  };
}

/** What an offset that was stored says besides its place. */
export function readFacts(offset: Readonly<Record<string, unknown>> | undefined): Pick<OffsetFacts, 'seconds' | 'serverId'> {
  const { ts_sec: seconds, server_id: serverId } = offset ?? {};
  return {
    seconds: typeof seconds === 'number' ? seconds : Math.floor(Date.now() / 1000),
    serverId: typeof serverId === 'number' ? serverId : undefined,
  };
}

/** Undefined: there is none to go on from. */
export function readOffset(offset: Readonly<Record<string, unknown>> | undefined): StreamPosition | undefined {
  if (offset === undefined) return undefined;
  const { file, pos, gtids, event, row } = offset;
  const hasGtids = typeof gtids === 'string' && gtids !== '';
  // By GTIDs alone the server finds the file, from whose beginning on it is read.
  const place = typeof file === 'string' && typeof pos === 'number' ? { file, pos } : hasGtids ? { file: '', pos: 4 } : undefined;
  if (place === undefined) return undefined;
  return {
    ...place,
    gtids: hasGtids ? gtids : '',
    eventsDone: typeof event === 'number' ? event : 0,
    rowsDone: typeof row === 'number' ? row : 0,
  };
}

/** Whether the first snapshot was under way; older versions of Debezium wrote `true`. */
export function isAmidSnapshot(offset: Readonly<Record<string, unknown>> | undefined): boolean {
  const snapshot = offset?.['snapshot'];
  return snapshot === 'INITIAL' || snapshot === true || snapshot === 'true';
}

/** By file and offset where that is possible, since it names one place whatever the GTID settings are. */
export function streamStart(flavor: 'mysql' | 'mariadb', { file, pos, gtids, byGtids }: StreamPosition): StreamStart {
  if (gtids === '' || (byGtids !== true && pos <= 0xffff_ffff)) return { position: { file, position: pos } };
  return flavor === 'mysql' ? { gtids: GtidSet.parse(gtids) } : { mariadbGtids: MariadbGtidList.parse(gtids) };
}
