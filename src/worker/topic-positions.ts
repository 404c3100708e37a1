/** What of a source's topics there is, and how far a sink has come: both from the counters that the log keeps. */
import type { Log } from '../log/log.ts';
import { topicName } from '../log/topic-view.ts';
import type { TopicIndex, TopicInfo } from '../log/topic-view.ts';
import type { ConnectorOffset } from './connect-service.ts';

/** Groups whose index is looked through at a time, and in all: a sink that is further behind shows where it is about. */
const chunkGroups = 1000;
const mostGroups = 100_000;

/** A sink's offsets as Kafka Connect shows them: of each topic that it has taken anything of, the next record's. */
export function sinkOffsets(log: Log & TopicIndex, sink: string, takes: (topic: string) => boolean): readonly ConnectorOffset[] {
  const topics = Map.groupBy(log.topics(), (topic) => topic.source);
  const offsets = log.consumers().flatMap(({ consumer, source, seq }) => {
    if (consumer !== sink || seq === 0) return [];
    const own = (topics.get(source) ?? []).filter((topic) => takes(topicName(topic)));
    const firstAfter = firstOffsetsAfter(log, source, seq, own);
    return own.map((topic): readonly [string, number] => {
      const name = topicName(topic);
      return [name, topic.lastSeq <= seq ? topic.nextOffset : (firstAfter.get(name) ?? topic.nextOffset)];
    });
  });
  return offsets
    .filter(([, offset]) => offset > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, offset]) => ({ partition: { kafka_topic: topic, kafka_partition: 0 }, offset: { kafka_offset: offset } }));
}

/** Offset of the first record after the group, of the topics that have one. */
function firstOffsetsAfter(log: Log & TopicIndex, source: string, seq: number, topics: readonly TopicInfo[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const wanted = new Set(topics.filter((topic) => topic.lastSeq > seq).map((topic) => topicName(topic)));
  const first = log.range(source)?.first ?? 1;
  let at = Math.max(seq, first - 1);
  const last = at + mostGroups;
  while (wanted.size > 0 && at < last) {
    const groups = log.groupTopics({ source, afterSeq: at, maxGroups: chunkGroups });
    for (const { entries } of groups) {
      for (const { database, table, firstOffset } of entries) {
        const name = topicName({ source, database, table });
        if (wanted.delete(name)) found.set(name, firstOffset);
      }
    }
    const end = groups.at(-1);
    if (end === undefined) break;
    at = end.seq;
  }
  return found;
}
