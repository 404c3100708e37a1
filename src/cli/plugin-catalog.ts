import { MillraceError } from '../base/errors.ts';
import type { ConfigInfos, ConfigKey } from '../config/config-key.ts';
import type { ConnectorPlugin, GivenConfig, PluginCatalog } from '../worker/connect-service.ts';
import { fileSinkClass } from '../file/file-sink.ts';
import { fileOffsetFault, fileSinkKeys, fileSourceKeys } from '../file/file-plugins.ts';
import { fileSourceClass } from '../file/file-source.ts';
import { readSinkConfig } from '../warehouse/duckdb/sink-config.ts';
import { duckdbSinkProperties } from '../warehouse/duckdb/sink-properties.ts';
import { landingClasses, landingDef, readLandingConfig } from '../warehouse/snowflake/landing/landing-config.ts';
import { readSnowflakeConfig } from '../warehouse/snowflake/sink-config.ts';
import { snowflakeSinkProperties } from '../warehouse/snowflake/sink-properties.ts';
import { debeziumKeys, describeDebezium, describeKeys, describeTableSink, keysOf, tableSinkKeys } from './describe-config.ts';
import type { TableSinkPlugin } from './describe-config.ts';
import { readVersion } from './version.ts';

const debezium = (flavor: 'mysql' | 'mariadb', alias: string, version: string): ConnectorPlugin => {
  const className = `io.debezium.connector.${flavor}.${alias}Connector`;
  return plugin({
    className,
    aliases: [`${alias}Connector`, alias],
    type: 'source',
    version,
    taskClass: `io.debezium.connector.${flavor}.${alias}ConnectorTask`,
    keys: debeziumKeys(flavor, version),
    describe: (config, signal) => describeDebezium({ className, version, flavor }, config, signal),
  });
};

/** A sink of tables, which has a class `io.millrace.<name>SinkConnector`. */
const tableSink = (name: string, parts: Pick<TableSinkPlugin, 'group' | 'properties' | 'read'>): ConnectorPlugin => {
  const described: TableSinkPlugin = { ...parts, className: `io.millrace.${name}SinkConnector`, version: readVersion() };
  return plugin({
    className: described.className,
    version: described.version,
    aliases: [`${name}SinkConnector`, `${name}Sink`],
    type: 'sink',
    taskClass: `io.millrace.${name}SinkTask`,
    keys: tableSinkKeys(described),
    describe: async (config) => describeTableSink(described, config),
  });
};

/** Snowflake's own Kafka connector, by the class of version 3 or 4. */
const landing = (className: string, version: string): ConnectorPlugin => {
  const short = className.slice(className.lastIndexOf('.') + 1);
  const { all } = landingDef(landingClasses[className] ?? 4);
  const described: TableSinkPlugin = { group: 'Snowflake', properties: all, read: readLandingConfig, className, version };
  return plugin({
    className,
    version,
    aliases: [short, short.replace(/Connector$/, '')],
    type: 'sink',
    taskClass: className.replace(/Connector$/, 'Task'),
    keys: tableSinkKeys(described),
    describe: async (config) => describeTableSink(described, config),
  });
};

/** The connectors that a worker has, with the versions whose behaviour they keep. */
export const pluginCatalog: PluginCatalog = createCatalog([
  debezium('mysql', 'MySql', '3.6.1.Final'),
  debezium('mariadb', 'MariaDb', '3.5.0.Final'),
  tableSink('DuckDb', { group: 'DuckDB', properties: duckdbSinkProperties, read: readSinkConfig }),
  tableSink('Snowflake', { group: 'Snowflake', properties: snowflakeSinkProperties, read: readSnowflakeConfig }),
  landing('com.snowflake.kafka.connector.SnowflakeSinkConnector', '3.5.4'),
  landing('com.snowflake.kafka.connector.SnowflakeStreamingSinkConnector', '4.1.0'),
  filePlugin({
    className: fileSourceClass,
    type: 'source',
    own: fileSourceKeys,
    alterOffsets(_config, offsets) {
      const fault = fileOffsetFault(offsets);
      if (fault !== undefined) throw new MillraceError('REQUEST_INVALID', fault);
      return true;
    },
  }),
  filePlugin({ className: fileSinkClass, type: 'sink', own: fileSinkKeys }),
]);

const mostTasks = 100;

interface FilePlugin extends Pick<ConnectorPlugin, 'className' | 'type' | 'alterOffsets'> {
  readonly own: readonly ConfigKey[];
}

/** One of Kafka's own connectors, with its version. */
function filePlugin({ className, type, own, ...rest }: FilePlugin): ConnectorPlugin {
  const short = className.slice(className.lastIndexOf('.') + 1);
  const described = { className, version: '4.3.0', type, own };
  const alone = plugin({
    ...rest,
    className,
    type,
    aliases: [short, short.replace(/Connector$/, '')],
    version: described.version,
    taskClass: className.replace(/Connector$/, 'Task'),
    keys: keysOf(described),
    describe: async (config) => describeKeys(described, config),
  });
  // A sink has as many as it may; all topics are with the first.
  return type === 'source' ? alone : { ...alone, taskCount: (config) => Math.min(mostTasks, Number(config['tasks.max'] ?? 1)) };
}

/** A connector of one task, whose refusals are the errors of its description. */
function plugin(parts: Omit<ConnectorPlugin, 'taskCount' | 'validate'>): ConnectorPlugin {
  return {
    ...parts,
    taskCount: () => 1,
    async validate(config: GivenConfig, signal: AbortSignal) {
      const infos: ConfigInfos = await parts.describe(config, signal);
      return infos.configs.flatMap(({ value }) => value.errors);
    },
  };
}

function createCatalog(plugins: readonly ConnectorPlugin[]): PluginCatalog {
  return {
    find(className) {
      const found = plugins.find((each) => each.className === className || each.aliases.includes(className));
      if (found !== undefined) return found;
      const known = plugins.map((each) => each.className).join(', ');
      throw new MillraceError(
        'REQUEST_INVALID',
        `Failed to find any class that implements Connector and which name matches ${className}, available connectors are: ${known}`,
      );
    },
    all: () => plugins,
  };
}
