/** Splits connector files into sources and sinks, checks them, and says which source may feed which sink. */
import { resolve } from 'node:path';
import { MillraceError } from '../base/errors.ts';
import type { ConfigNotice } from '../config/config-def.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import { readSourceConfig } from '../mysql/connector-config.ts';
import type { SourceConfig } from '../mysql/source-config.ts';
import { findPlugin } from './plugins.ts';
import { checkRecordPath } from './record-path-errors.ts';
import { readSinkConfig } from '../warehouse/duckdb/sink-config.ts';
import { isLanding, readLandingConfig } from '../warehouse/snowflake/landing/landing-config.ts';
import { readSnowflakeConfig, snowflakeSinkConnectorClass } from '../warehouse/snowflake/sink-config.ts';

export interface CheckedSource {
  readonly connector: ConnectorConfig;
  readonly config: SourceConfig;
}

export interface CheckedSink {
  readonly connector: ConnectorConfig;
  /** Names of the sources that may feed it. */
  readonly sources: readonly string[];
}

/** All sinks that write to one file. */
export interface CheckedWarehouse {
  readonly file: string;
  readonly sinks: readonly CheckedSink[];
}

export interface CheckedConnectors {
  readonly sources: readonly CheckedSource[];
  /** DuckDB files. */
  readonly warehouses: readonly CheckedWarehouse[];
  /** Sinks whose warehouse is elsewhere: in Snowflake. */
  readonly remote: readonly CheckedSink[];
  /** What there is to say of their properties, by connector. */
  readonly notices: readonly (ConfigNotice & { readonly connector: string })[];
}

/**
 * Checks all connectors before any is started.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED, CONFIG_UNREADABLE
 */
export function checkConnectors(connectors: readonly ConnectorConfig[]): CheckedConnectors {
  const sources: CheckedSource[] = [];
  const sinks: { readonly connector: ConnectorConfig; readonly file: string; readonly topics: (topic: string) => boolean }[] = [];
  const remote: ConnectorConfig[] = [];
  const notices: (ConfigNotice & { readonly connector: string })[] = [];
  for (const connector of connectors) {
    checkRecordPath(connector);
    const plugin = findPlugin(connector);
    if (plugin.kind === 'source') {
      const reading = readSourceConfig(connector);
      sources.push({ connector, config: reading.config });
      notices.push(...reading.notices.map((notice) => ({ ...notice, connector: connector.name })));
    } else if (isLanding(connector)) {
      remote.push(connector);
      notices.push(...readLandingConfig(connector).notices.map((notice) => ({ ...notice, connector: connector.name })));
    } else if (plugin.classNames.includes(snowflakeSinkConnectorClass)) {
      remote.push(connector);
      notices.push(...readSnowflakeConfig(connector).notices.map((notice) => ({ ...notice, connector: connector.name })));
    } else {
      const reading = readSinkConfig(connector);
      sinks.push({ connector, file: resolve(reading.config.file), topics: reading.config.takes });
      notices.push(...reading.notices.map((notice) => ({ ...notice, connector: connector.name })));
    }
  }
  checkPrefixes(sources);
  const files = Map.groupBy(sinks, (sink) => sink.file);
  const prefixes = sources.map((source) => source.config.topicPrefix);
  return {
    sources,
    notices,
    remote: remote.map((connector) => ({ connector, sources: prefixes })),
    warehouses: [...files].map(([file, own]) => ({ file, sinks: own.map(({ connector }) => ({ connector, sources: prefixes })) })),
  };
}

/** All sinks of tables. */
export function sinksOf({ warehouses, remote }: CheckedConnectors): readonly CheckedSink[] {
  return [...warehouses.flatMap((warehouse) => warehouse.sinks), ...remote];
}

/** Sources are told apart by their prefix: in the log, in the topics, in the replica's offsets. */
function checkPrefixes(sources: readonly CheckedSource[]): void {
  const owners = new Map<string, string>();
  for (const { connector, config } of sources) {
    const other = owners.get(config.topicPrefix);
    if (other !== undefined) {
      throw new MillraceError(
        'CONFIG_INVALID',
        `The sources "${other}" and "${connector.name}" have the same topic.prefix, ${config.topicPrefix}.`,
        {
          nextStep: 'Give each source its own topic.prefix.',
        },
      );
    }
    owners.set(config.topicPrefix, connector.name);
  }
}
