import type { CommitGroup, Entry } from '../../connect/commit-group.ts';
import type { SerializedRecord } from '../../connect/record.ts';
import type { PlacedRecord } from './source-order.ts';

export interface GroupLimits {
  readonly records: number;
  readonly bytes: number;
}

/** Groups of records for the log: whole transactions of the source where the records name them. */
export function* recordGroups(records: readonly PlacedRecord[], limits: GroupLimits): Generator<readonly PlacedRecord[]> {
  let open: PlacedRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const before = open.at(-1);
    const newTransaction = before === undefined || before.gtid !== record.gtid || record.gtid === '';
    // a group is all of transactions, or of none
    const otherKind = before !== undefined && (before.gtid === '') !== (record.gtid === '');
    if (before !== undefined && (otherKind || (newTransaction && (open.length >= limits.records || bytes >= limits.bytes)))) {
      yield open;
      open = [];
      bytes = 0;
    }
    open.push(record);
    bytes += (record.from.record.value?.length ?? 0) + (record.from.record.key?.length ?? 0);
  }
  if (open.length > 0) yield open;
}

/** The group of these records, as `recordGroups` gives them. */
export function groupOfRecords(source: string, records: readonly PlacedRecord[]): CommitGroup {
  const end = records.at(-1);
  const gtids = [...new Set(records.map(({ gtid }) => gtid))].filter((gtid) => gtid !== '');
  const ordinals = new Map(gtids.map((gtid, ordinal) => [gtid, ordinal]));
  const parts = gtids.map((gtid) => /^(.*)[:-](\d+)$/.exec(gtid));
  const sources = [...new Set(['', ...parts.map((part) => part?.[1] ?? '')])];
  const firsts = new Map(records.toReversed().map((record) => [record.gtid, record]));
  const ofTransaction = gtids.map((gtid) => firsts.get(gtid));
  const count = gtids.length;
  const entries: Entry[] = [];
  let open: { topic: string; records: SerializedRecord[] } | undefined;
  for (const { from, gtid } of records) {
    if (open?.topic !== from.topic) {
      open = { topic: from.topic, records: [] };
      entries.push({ kind: 'records', topic: open.topic, records: open.records });
    }
    open.records.push(gtid === '' ? from.record : { ...from.record, transaction: ordinals.get(gtid) ?? 0 });
  }
  return {
    source,
    seq: 0,
    position: { file: end?.file ?? '', pos: end?.pos ?? 0, gtids: '' },
    open: false,
    file: end?.file ?? '',
    transactions: {
      count,
      gtidSources: sources,
      gtidSource: Uint16Array.from(parts, (part) => sources.indexOf(part?.[1] ?? '')),
      gtidSequence: Float64Array.from(parts, (part) => Number(part?.[2] ?? 0)),
      committedMicros: Float64Array.from(ofTransaction, (record) => record?.micros ?? 0),
      threadId: new Uint32Array(count),
      serverId: new Uint32Array(count),
    },
    events: {
      count,
      transaction: Uint32Array.from({ length: count }, (_, index) => index),
      pos: Float64Array.from(ofTransaction, (record) => record?.pos ?? 0),
      seconds: Uint32Array.from(ofTransaction, (record) => Math.floor((record?.micros ?? 0) / 1e6)),
    },
    entries,
  };
}
