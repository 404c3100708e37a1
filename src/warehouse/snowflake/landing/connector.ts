import type { ConnectorProperties, SinkConnector, TaskContext } from '../../../connect/connector.ts';
import type { SinkOffset } from '../../../connect/tasks.ts';
import { openSnowflakeStore, type StoreConfig } from '../connector.ts';
import { ownIdentifier } from '../identifiers.ts';
import { readPrivateKey } from '../login.ts';
import { StreamingClient } from '../streaming/streaming-client.ts';
import { StreamingIngest } from '../streaming/streaming-ingest.ts';
import { readLandingConfig, landingClasses, type LandingConfig } from './landing-config.ts';
import { createPlainFormat, type FormatOptions, type LandingFormat } from './landing-format.ts';
import { createLandingTask, type LandingIntake } from './landing-task.ts';
import { LandingWarehouse, type LandingWarehouseOptions } from './landing-warehouse.ts';
import { createSchematizedFormat } from './schematized-format.ts';

export interface LandingParts {
  readonly intake: (connector: string, properties: ConnectorProperties) => LandingIntake;
  /** What this sink has acknowledged to the log. */
  readonly committed: (connector: string) => readonly SinkOffset[];
}

/** Stands in for Snowflake's Kafka connector, in its thread. */
export function createLandingConnector({ intake, committed }: LandingParts): SinkConnector {
  return {
    kind: 'sink',
    classNames: Object.keys(landingClasses),
    async openTask(context: TaskContext, signal: AbortSignal) {
      const { connector, properties, log } = context;
      const { config } = readLandingConfig({ name: connector, config: properties });
      const { schematized, creates, replicas, version, limits, takes } = config;
      const store = await openSnowflakeStore(storeConfig(config), context, signal);
      return createLandingTask({
        connector,
        warehouse: new LandingWarehouse({ store, creates, schematized, streaming: streamingOf(config, context) }),
        acknowledged: config.ingestion === 'streaming' ? committed(connector) : undefined,
        intake: intake(connector, properties),
        takes,
        format: formatOf(config),
        replicas:
          replicas === undefined
            ? undefined
            : {
                schematized,
                version,
                letters: replicas.letters,
                form: replicas.form,
                columnOf: columnOf(config),
                naming: replicas.naming,
                mergeMs: replicas.mergeMs,
              },
        limits,
        log,
      });
    },
  };
}

/** Makes what sends rows of a log through Snowpipe Streaming. */
function streamingOf(
  { ingestion, login }: LandingConfig,
  { connector, properties, log }: TaskContext,
): LandingWarehouseOptions['streaming'] {
  if (ingestion !== 'streaming') return undefined;
  const { account, user } = login;
  const client = new StreamingClient({ url: account.url, account: account.name, user, privateKey: readPrivateKey(login) });
  const tolerates = properties['errors.tolerance']?.trim().toLowerCase() === 'all';
  let ingest: StreamingIngest | undefined;
  return (logId) => (ingest ??= new StreamingIngest({ client, logId, prefix: ownIdentifier(connector), tolerates, log }));
}

/** What records of a connector become in landing tables. */
export function formatOf(config: LandingConfig): LandingFormat {
  const { database, schema, tableOf, metadata, ignoresNulls, schematized } = config;
  const options: FormatOptions = { database, schema, tableOf, metadata, ignoresNulls };
  return schematized ? createSchematizedFormat({ ...options, columnOf: columnOf(config) }) : createPlainFormat(options);
}

/** A landing table's column for a field. */
export function columnOf({ upperColumns }: Pick<LandingConfig, 'upperColumns'>): (field: string) => string {
  return (field) => (upperColumns ? field.toUpperCase() : field);
}

/** Of the store, whose replica's settings are not used. */
function storeConfig(config: LandingConfig): StoreConfig {
  const { login, database, ownSchema, sessions, lockTimeoutSeconds, stagingFolder, stagingMemory } = config;
  return {
    login,
    database,
    ownSchema,
    sessions,
    lockTimeoutSeconds,
    stagingFolder,
    stagingMemory,
    letters: 'upper',
    json: 'VARIANT',
    transient: false,
    naming: (_source, { database: schema, table }) => ({ schema, table }),
    invalidTemporal: 'null',
  };
}
