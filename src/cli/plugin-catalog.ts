import { messageOf, isMillraceError, MillraceError } from '../base/errors.ts';
import { readSourceConfig } from '../mysql/connector-config.ts';
import { readSinkConfig } from '../warehouse/duckdb/sink-config.ts';
import type { ConnectorPlugin, GivenConfig, PluginCatalog } from '../worker/connect-service.ts';
import { readVersion } from './version.ts';

const debezium = (flavor: 'mysql' | 'mariadb', alias: string, version: string): ConnectorPlugin => ({
  className: `io.debezium.connector.${flavor}.${alias}Connector`,
  aliases: [`${alias}Connector`, alias],
  type: 'source',
  version,
  taskClass: `io.debezium.connector.${flavor}.${alias}ConnectorTask`,
  taskCount: () => 1,
  validate: async (config) => problemsOf(() => readSourceConfig(named(config))),
});

/** The connectors that a worker has, with the versions whose behaviour they keep. */
export const pluginCatalog: PluginCatalog = createCatalog([
  debezium('mysql', 'MySql', '3.6.1.Final'),
  debezium('mariadb', 'MariaDb', '3.5.0.Final'),
  {
    className: 'io.millrace.DuckDbSinkConnector',
    aliases: ['DuckDbSinkConnector', 'DuckDbSink'],
    type: 'sink',
    version: readVersion(),
    taskClass: 'io.millrace.DuckDbSinkTask',
    taskCount: () => 1,
    validate: async (config) => problemsOf(() => readSinkConfig(named(config))),
  },
]);

function createCatalog(plugins: readonly ConnectorPlugin[]): PluginCatalog {
  return {
    find(className) {
      const found = plugins.find((plugin) => plugin.className === className || plugin.aliases.includes(className));
      if (found !== undefined) return found;
      const known = plugins.map((plugin) => plugin.className).join(', ');
      throw new MillraceError(
        'REQUEST_INVALID',
        `Failed to find any class that implements Connector and which name matches ${className}, available connectors are: ${known}`,
      );
    },
    all: () => plugins,
  };
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (isMillraceError(error)) return [error.message];
    return [messageOf(error)];
  }
}

function named(config: GivenConfig): { readonly name: string; readonly config: Readonly<Record<string, string>> } {
  const properties = Object.fromEntries(Object.entries(config).filter((entry): entry is [string, string] => entry[1] !== null));
  return { name: properties['name'] ?? '', config: properties };
}
