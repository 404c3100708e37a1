import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import type { Log } from './log.ts';

/*
 * Topics of Debezium's form, derived from commit groups: nothing is stored per record.
 *
 * A topic's offsets are counted when a group is appended, entry by entry, by the log's `countRecords` (as Debezium writes
 * by default: 1 per row, 2 per delete, 3 per update of the key), and the first offset of each entry is kept with the
 * group. So offsets start at 0, survive retention, and never change, even where the count is configured otherwise later.
 * The source's thread appends, so it gives the rule of its connector (`countRecordsWith`: tombstones.on.delete,
 * skipped.operations). A renderer that makes fewer than `records` of an entry leaves a gap, as compaction does in Kafka,
 * and goes on with the next entry's `firstOffset`; one that made more would give offsets twice.
 * It also gives the connector's own names of topics: tables whose names give one topic share its offsets.
 * Chunks of a resync have no records: they tell consumers of a topic nothing new.
 */

/** A topic of the log: a table's changes; without database the topic that is named as the table; without both the source's DDL statements. */
export interface TopicInfo {
  readonly source: string;
  readonly database: string;
  readonly table: string;
  /** Offset that the next record gets: how many there have been. */
  readonly nextOffset: number;
  /** The last group with records of it; it may be removed already. */
  readonly lastSeq: number;
}

/** The entries of one group that have records. */
export interface GroupTopics {
  readonly seq: number;
  readonly entries: readonly TopicEntry[];
}

export interface TopicEntry {
  /** Index in the group's `entries`. */
  readonly entry: number;
  readonly database: string;
  readonly table: string;
  readonly firstOffset: number;
  readonly records: number;
}

/** What a log keeps about its topics. */
export interface TopicIndex {
  topics(): readonly TopicInfo[];
  /** Of groups from `afterSeq + 1` on, at most `maxGroups`. @throws LOG_START_GONE */
  groupTopics(request: { readonly source: string; readonly afterSeq: number; readonly maxGroups: number }): readonly GroupTopics[];
}

/** A topic by its name, `${source}.${database}.${table}`, or `${source}` for DDL. */
export interface Topic extends TopicInfo {
  readonly name: string;
  /** Offset of the first record that is held; `nextOffset` when none is. */
  readonly firstOffset: number;
}

/** A topic's name, of what the log knows of it. */
export function topicName({ source, database, table }: Pick<TopicInfo, 'source' | 'database' | 'table'>): string {
  if (database !== '') return `${source}.${database}.${table}`;
  return table === '' ? source : table;
}

/** Every topic that ever had a record, sorted by name. */
export function listTopics(log: Log & TopicIndex): readonly Topic[] {
  const bySource = Map.groupBy(log.topics(), (topic) => topic.source);
  const topics: Topic[] = [];
  for (const [source, infos] of bySource) {
    const firstOffsets = findFirstOffsets(log, source, infos);
    for (const info of infos) {
      const name = topicName(info);
      topics.push({ ...info, name, firstOffset: firstOffsets.get(name) ?? info.nextOffset });
    }
  }
  return topics.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of the topics that have held groups; looks no further than to the last one's first group. */
function findFirstOffsets(log: Log & TopicIndex, source: string, topics: readonly TopicInfo[]): ReadonlyMap<string, number> {
  const firstOffsets = new Map<string, number>();
  const firstHeld = log.range(source)?.first ?? Infinity;
  const wanted = new Set(topics.filter((topic) => topic.lastSeq >= firstHeld).map((topic) => topicName(topic)));
  if (wanted.size === 0) return firstOffsets;
  for (const { topic, firstOffset } of indexEntries(log, { source, topics: wanted })) {
    if (!firstOffsets.has(topic)) firstOffsets.set(topic, firstOffset);
    if (firstOffsets.size === wanted.size) break;
  }
  return firstOffsets;
}

export interface TopicRequest {
  readonly source: string;
  /** Names of topics; absent: all of the source. */
  readonly topics?: ReadonlySet<string>;
  /** Begins after this group; absent: with the first that is held. */
  readonly afterSeq?: number;
}

/** An entry that has records of a topic, in its group. */
export interface TopicBatch {
  readonly topic: string;
  readonly group: CommitGroup;
  readonly entry: Entry;
  /** Of `changes` and `chunk` entries. */
  readonly batch: ChangeBatch | undefined;
  readonly firstOffset: number;
  readonly records: number;
}

/**
 * The entries of these topics in log order, up to what is durable now. Reads only groups that have some; the others are
 * passed by their index. To follow a log, note `log.range(source).last` before the call, and go on after it next time.
 * @throws LOG_START_GONE
 */
export function* readTopics(log: Log & TopicIndex, request: TopicRequest): Generator<TopicBatch, void, undefined> {
  let group: CommitGroup | undefined;
  for (const { topic, seq, ...indexed } of indexEntries(log, request)) {
    if (group?.seq !== seq) [group] = log.read({ source: request.source, afterSeq: seq - 1, maxBytes: 1 });
    const entry = group?.entries[indexed.entry];
    if (group === undefined || entry === undefined) continue;
    const batch = 'batch' in entry ? entry.batch : undefined;
    yield { topic, group, entry, batch, firstOffset: indexed.firstOffset, records: indexed.records };
  }
}

interface IndexedEntry extends TopicEntry {
  readonly topic: string;
  readonly seq: number;
}

function* indexEntries(log: Log & TopicIndex, { source, topics, afterSeq }: TopicRequest): Generator<IndexedEntry, void, undefined> {
  const range = log.range(source);
  if (range === undefined) return;
  let at = afterSeq ?? range.first - 1;
  for (;;) {
    const groups = log.groupTopics({ source, afterSeq: at, maxGroups: 1000 });
    for (const { seq, entries } of groups) {
      for (const entry of entries) {
        const topic = topicName({ source, database: entry.database, table: entry.table });
        if (topics === undefined || topics.has(topic)) yield { ...entry, topic, seq };
      }
    }
    const last = groups.at(-1);
    if (last === undefined) return;
    at = last.seq;
  }
}
