import type { StreamStart } from '../binlog/dump.ts';
import { GtidSet } from '../binlog/gtid-set.ts';
import { MariadbGtidList } from '../binlog/mariadb-gtid.ts';
import type { StreamPosition } from './event-mapper.ts';

/**
 * The source's stored offset, with Debezium's names: `event` counts the row events of the transaction at `pos` that are done
 * already, and is there only in the midst of one that is too large for one commit group.
 */
export function writeOffset({ file, pos, gtids, eventsDone }: StreamPosition): Record<string, unknown> {
  return { file, pos, ...(gtids === '' ? {} : { gtids }), ...(eventsDone === 0 ? {} : { event: eventsDone }) };
}

export function readOffset(offset: Readonly<Record<string, unknown>> | undefined): StreamPosition | undefined {
  if (offset === undefined) return undefined;
  const { file, pos, gtids, event } = offset;
  if (typeof file !== 'string' || typeof pos !== 'number') return undefined;
  return { file, pos, gtids: typeof gtids === 'string' ? gtids : '', eventsDone: typeof event === 'number' ? event : 0 };
}

/** By file and offset where that is possible, since it names one place whatever the GTID settings are. */
export function streamStart(flavor: 'mysql' | 'mariadb', { file, pos, gtids }: StreamPosition): StreamStart {
  if (pos <= 0xffff_ffff || gtids === '') return { position: { file, position: pos } };
  return flavor === 'mysql' ? { gtids: GtidSet.parse(gtids) } : { mariadbGtids: MariadbGtidList.parse(gtids) };
}
