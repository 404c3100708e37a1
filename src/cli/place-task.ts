import { resolve } from 'node:path';
import type { ConnectorConfig } from '../connect/connector.ts';
import { duckdbSinkConnectorClass, readSinkConfig } from '../warehouse/duckdb/sink-config.ts';
import { isLanding, readLandingConfig } from '../warehouse/snowflake/landing/landing-config.ts';
import { readSnowflakeConfig, snowflakeSinkConnectorClass } from '../warehouse/snowflake/sink-config.ts';
import type { TaskPlace } from '../worker/herder.ts';
import { findPlugin } from './plugins.ts';

/**
 * The thread in which a connector's task runs. References in its properties must be resolved.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED
 */
export function placeTask(connector: ConnectorConfig): TaskPlace {
  const plugin = findPlugin(connector);
  if (plugin.kind === 'source') {
    // A source's stream has the name of its topics' prefix, or, where it has none, its own.
    const stream = connector.config['topic.prefix'] ?? connector.name;
    return { type: 'source', entry: new URL('source-thread.ts', import.meta.url), stream };
  }
  if (plugin.classNames.includes(duckdbSinkConnectorClass)) {
    const file = resolve(readSinkConfig(connector).config.file);
    return { type: 'sink', entry: new URL('warehouse-thread.ts', import.meta.url), key: file, kind: 'duckdb', file };
  }
  if (plugin.classNames.includes(snowflakeSinkConnectorClass)) {
    readSnowflakeConfig(connector);
    return { type: 'sink', entry: new URL('snowflake-thread.ts', import.meta.url), key: `sink ${connector.name}`, kind: 'snowflake' };
  }
  if (isLanding(connector)) {
    readLandingConfig(connector);
    return { type: 'sink', entry: new URL('snowflake-thread.ts', import.meta.url), key: `sink ${connector.name}` };
  }
  return { type: 'sink', entry: new URL('sink-thread.ts', import.meta.url), key: `sink ${connector.name}` };
}
