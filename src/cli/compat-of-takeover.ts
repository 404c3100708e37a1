import type { Logger } from '../base/logger.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { Log } from '../log/log.ts';

/** Key: the stream of a source, which is what its topics begin with. */
const topic = 'millrace-taken-over';
const property = 'millrace.compat';
const release = 'debezium-3.6';

export interface CompatOptions {
  /** Of MySQL or MariaDB, references resolved. */
  readonly connector: ConnectorConfig;
  readonly stream: string;
  readonly log: Logger;
}

/**
 * The connector with the values of the Debezium that it goes on from, until its owner has set `millrace.compat`: half a topic
 * with other values, or other keys, breaks compacted topics. It goes on from another where there is an offset at its first
 * start, before the log has anything of its stream.
 */
export async function withCompatOfTakeover(
  store: Log,
  { connector, stream, log }: CompatOptions,
  signal: AbortSignal,
): Promise<ConnectorConfig> {
  const { name, config } = connector;
  const isNew = store.range(stream) === undefined;
  if (isNew && (await store.loadSource(name, signal)).offset !== undefined) store.put([{ topic, key: stream, value: release }]);
  if (config[property] !== undefined || !store.get(topic).has(stream)) return connector;
  log.info(
    { connector: name },
    `the topics of ${stream} were begun by Debezium and keep its values: as with ${property}=${release}, until ${property} is set`,
  );
  return { name, config: { ...config, [property]: release } };
}
