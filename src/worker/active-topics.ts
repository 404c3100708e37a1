import type { Log } from '../log/log.ts';
import { topicName } from '../log/topic-view.ts';
import type { TopicIndex } from '../log/topic-view.ts';
import type { StatusStore } from './status-store.ts';

/** A connector whose tasks run. */
export interface TrackedConnector {
  readonly name: string;
  /** Of a source. */
  readonly stream: string | undefined;
  /** Of a source: topics that it keeps for itself, past the worker: Debezium's schema history, signals. */
  readonly own?: readonly string[];
  /** Of a sink. */
  readonly takes: ((topic: string) => boolean) | undefined;
}

/**
 * Kafka Connect's active topics: those that a connector has written to or read from since it was made, or since they were
 * reset. Seen in the log's counters, since nobody here touches records.
 */
export interface ActiveTopics {
  /** Looks what is new. */
  observe(connectors: readonly TrackedConnector[]): void;
  /** Sorted. */
  of(connector: string): readonly string[];
  reset(connector: string): void;
  /** It begins, with nothing: records that are in the log already count for a sink only. */
  begin(connector: string, type: 'source' | 'sink'): void;
  remove(connector: string): void;
}

export function createActiveTopics(log: Log & TopicIndex, statuses: StatusStore): ActiveTopics {
  const active = new Map([...statuses.topics()].map(([connector, topics]) => [connector, new Set(topics)]));
  /** By connector, offsets up to which records do not count. */
  const baselines = new Map<string, ReadonlyMap<string, number>>();
  const now = (): ReadonlyMap<string, number> => new Map(log.topics().map((topic) => [topicName(topic), topic.nextOffset]));
  const atStart = now();
  const add = (connector: string, topic: string): void => {
    const topics = active.get(connector) ?? new Set();
    if (topics.has(topic)) return;
    active.set(connector, topics.add(topic));
    statuses.putTopic(connector, topic, 0);
  };
  /** Groups with records that a sink has not reached yet, by connector and topic. */
  const awaited = new Map<string, number>();
  const clear = (connector: string): void => {
    active.delete(connector);
    awaited.clear();
    statuses.removeTopics(connector);
  };
  return {
    observe(connectors) {
      if (connectors.length === 0) return;
      const seqs = new Map(log.consumers().map(({ consumer, source, seq }) => [JSON.stringify([consumer, source]), seq]));
      for (const topic of log.topics()) {
        const name = topicName(topic);
        for (const { name: connector, stream, own, takes } of connectors) {
          if (own?.includes(name) === true || active.get(connector)?.has(name) === true) continue;
          if (topic.nextOffset <= ((baselines.get(connector) ?? atStart).get(name) ?? 0)) continue;
          if (stream !== undefined && stream === topic.source) add(connector, name);
          if (takes?.(name) !== true) continue;
          const key = JSON.stringify([connector, name]);
          const seq = awaited.get(key) ?? topic.lastSeq;
          awaited.set(key, seq);
          if ((seqs.get(JSON.stringify([connector, topic.source])) ?? 0) >= seq) add(connector, name);
        }
      }
    },
    of: (connector) => [...(active.get(connector) ?? [])].sort(),
    reset(connector) {
      baselines.set(connector, now());
      clear(connector);
    },
    begin(connector, type) {
      baselines.set(connector, type === 'source' ? now() : new Map());
    },
    remove(connector) {
      baselines.delete(connector);
      clear(connector);
    },
  };
}
