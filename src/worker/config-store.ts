import { isJsonObject } from '../base/json-object.ts';
import type { StateRecord } from '../connect/tasks.ts';
import type { Log } from '../log/log.ts';

/** What a connector shall be. */
export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED';

export interface StoredConnector {
  readonly name: string;
  /** As posted: references are not resolved. */
  readonly config: Readonly<Record<string, string>>;
  readonly target: TargetState;
  /** Configurations of its tasks. */
  readonly tasks: readonly Readonly<Record<string, string>>[];
}

/** The connectors of a worker, in the records of Kafka Connect's config topic. Each write is durable when it returns. */
export interface ConfigStore {
  load(): readonly StoredConnector[];
  putConnector(name: string, config: Readonly<Record<string, string>>, target?: TargetState): void;
  putTasks(name: string, tasks: readonly Readonly<Record<string, string>>[]): void;
  putTarget(name: string, target: TargetState): void;
  putRestart(name: string, request: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): void;
  remove(name: string): void;
}

/**
 * Keys `connector-<name>`, `target-state-<name>`, `task-<name>-<number>`, `commit-<name>`, `restart-connector-<name>`;
 * source: org.apache.kafka.connect.storage.KafkaConfigBackingStore.
 */
export function openConfigStore(log: Pick<Log, 'put' | 'get'>, topic: string): ConfigStore {
  const record = (key: string, value: unknown): StateRecord => ({
    topic,
    key,
    value: value === null ? null : JSON.stringify(value),
  });
  const targetRecord = (name: string, target: TargetState): StateRecord =>
    // Older readers know no STOPPED.
    record(`target-state-${name}`, { state: target === 'STOPPED' ? 'PAUSED' : target, 'state.v2': target });
  const taskKeys = (name: string): readonly string[] =>
    [...log.get(topic).keys()].filter((key) => key.startsWith(`task-${name}-`) && /^\d+$/.test(key.slice(`task-${name}-`.length)));

  return {
    load() {
      const records = new Map([...log.get(topic)].map(([key, value]): [string, unknown] => [key, JSON.parse(value)]));
      const connectors: StoredConnector[] = [];
      for (const [key, value] of records) {
        const config = propertiesOf(value);
        if (!key.startsWith('connector-') || config === undefined) continue;
        const name = key.slice('connector-'.length);
        const tasks = Array.from({ length: numberOf(records.get(`commit-${name}`), 'tasks') }, (_, task) =>
          propertiesOf(records.get(`task-${name}-${task}`)),
        ).filter((task) => task !== undefined);
        connectors.push({ name, config, target: targetOf(records.get(`target-state-${name}`)), tasks });
      }
      return connectors;
    },
    putConnector(name, properties, target) {
      log.put([...(target === undefined ? [] : [targetRecord(name, target)]), record(`connector-${name}`, { properties })]);
    },
    putTasks(name, tasks) {
      const kept = new Set(tasks.map((_, task) => `task-${name}-${task}`));
      const gone = taskKeys(name).filter((key) => !kept.has(key));
      log.put([
        ...gone.map((key) => record(key, null)),
        ...tasks.map((properties, task) => record(`task-${name}-${task}`, { properties })),
        record(`commit-${name}`, { tasks: tasks.length }),
      ]);
    },
    putTarget(name, target) {
      log.put([targetRecord(name, target)]);
    },
    putRestart(name, { includeTasks, onlyFailed }) {
      log.put([record(`restart-connector-${name}`, { 'include-tasks': includeTasks, 'only-failed': onlyFailed })]);
    },
    remove(name) {
      const keys = [`connector-${name}`, `target-state-${name}`, `commit-${name}`, `restart-connector-${name}`, ...taskKeys(name)];
      log.put(keys.map((key) => record(key, null)));
    },
  };
}

function propertiesOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isJsonObject(value) || !isJsonObject(value['properties'])) return undefined;
  return Object.fromEntries(Object.entries(value['properties']).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function targetOf(value: unknown): TargetState {
  const state = isJsonObject(value) ? (value['state.v2'] ?? value['state']) : undefined;
  return state === 'PAUSED' || state === 'STOPPED' ? state : 'STARTED';
}

function numberOf(value: unknown, member: string): number {
  const number = isJsonObject(value) ? value[member] : undefined;
  return typeof number === 'number' ? number : 0;
}
