import { isMillraceError } from '../base/errors.ts';
import { isJsonObject } from '../base/json-object.ts';
import type { Logger } from '../base/logger.ts';
import type { Log } from '../log/log.ts';
import type { TaskState } from './task-state.ts';

export interface StoredState {
  readonly state: TaskState;
  readonly trace: string | null;
  /** Of the plugin. */
  readonly version: string | null;
}

/** The states of connectors and tasks, and their active topics, in the records of Kafka Connect's status topic. */
export interface StatusStore {
  putConnector(name: string, state: StoredState | null): void;
  putTask(name: string, task: number, state: StoredState | null): void;
  /** The task has written to the topic, or read from it. */
  putTopic(connector: string, topic: string, task: number): void;
  /** Names by connector. */
  topics(): ReadonlyMap<string, ReadonlySet<string>>;
  removeTopics(connector: string): void;
  /** All states, as a worker does that begins: what they were says nothing of what they are. */
  clearStates(): void;
}

export interface StatusStoreOptions {
  readonly topic: string;
  readonly workerId: string;
  readonly logger: Logger;
}

/**
 * A state that the log has no room for is written with the next one: it must not end what has changed.
 *
 * Keys `status-connector-<name>`, `status-task-<name>-<number>`, `status-topic-<topic>:connector-<name>`; source:
 * org.apache.kafka.connect.storage.KafkaStatusBackingStore.
 */
export function openStatusStore(log: Pick<Log, 'put' | 'get'>, { topic, workerId, logger }: StatusStoreOptions): StatusStore {
  const unwritten = new Map<string, string | null>();
  /** Counts what in a cluster are its rebalances: the changes of who runs what. */
  let generation = 1;
  const put = (key: string, value: object | null): void => {
    const isFirst = unwritten.size === 0;
    unwritten.set(key, value === null ? null : JSON.stringify(value));
    try {
      log.put([...unwritten].map(([each, text]) => ({ topic, key: each, value: text })));
      unwritten.clear();
    } catch (error) {
      if (!isMillraceError(error) || !error.retriable) throw error;
      if (isFirst) logger.warn({ err: error, topic }, 'states of connectors cannot be stored now');
    }
  };
  const stateValue = ({ state, trace, version }: StoredState): object => ({ state, trace, worker_id: workerId, generation, version });
  return {
    putConnector(name, state) {
      if (state?.state === 'RUNNING') generation++;
      put(`status-connector-${name}`, state === null ? null : stateValue(state));
    },
    putTask(name, task, state) {
      put(`status-task-${name}-${task}`, state === null ? null : stateValue(state));
    },
    putTopic(connector, name, task) {
      put(topicKey(connector, name), { topic: { name, connector, task, discoverTimestamp: Date.now() } });
    },
    topics() {
      const topics = new Map<string, Set<string>>();
      for (const [key, value] of log.get(topic)) {
        if (!key.startsWith('status-topic-')) continue;
        const named = topicOf(JSON.parse(value));
        if (named === undefined) continue;
        const known = topics.get(named.connector) ?? new Set();
        topics.set(named.connector, known.add(named.name));
      }
      return topics;
    },
    removeTopics(connector) {
      const suffix = `:connector-${connector}`;
      const keys = [...log.get(topic).keys()].filter((key) => key.startsWith('status-topic-') && key.endsWith(suffix));
      log.put(keys.map((key) => ({ topic, key, value: null })));
    },
    clearStates() {
      const keys = [...log.get(topic).keys()].filter((key) => /^status-(?:connector|task)-/.test(key));
      log.put(keys.map((key) => ({ topic, key, value: null })));
    },
  };
}

function topicKey(connector: string, name: string): string {
  return `status-topic-${name}:connector-${connector}`;
}

function topicOf(value: unknown): { readonly name: string; readonly connector: string } | undefined {
  const topic = isJsonObject(value) ? value['topic'] : undefined;
  if (!isJsonObject(topic)) return undefined;
  const { name, connector } = topic;
  return typeof name === 'string' && typeof connector === 'string' ? { name, connector } : undefined;
}
