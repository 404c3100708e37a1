import {
  parsedOrThrow,
  readConfig,
  type ConfigDef,
  type ConfigNotice,
  type ConnectorDef,
  type ParsedConfig,
} from '../../../config/config-def.ts';
import { MillraceError } from '../../../base/errors.ts';
import type { ConnectorConfig } from '../../../connect/connector.ts';
import { recordFamilies, recordSinkProperties } from '../../record-properties.ts';
import { topicsTaken } from '../../replica-properties.ts';
import { createNaming, type ReplicaNaming } from '../../replica-names.ts';
import { createSnowflakeNaming, identifierOf, type IdentifierCase } from '../identifiers.ts';
import { checkLogin, type SnowflakeLogin } from '../login.ts';
import { loginOf } from '../sink-config.ts';
import type { LandingVersion, MetadataOptions } from './landed-json.ts';
import type { BufferLimits } from './landing-lane.ts';
import { landingProperties, landingRecordProperties } from './landing-properties.ts';
import { otherLandingProperties } from './landing-properties-other.ts';
import type { ReplicaForm } from './replica-table.ts';
import { createTopicTables, type TopicTables } from './topic-tables.ts';

/** Classes of Snowflake's Kafka connector, with the version whose defaults each has. */
export const landingClasses: Readonly<Record<string, LandingVersion>> = {
  'com.snowflake.kafka.connector.SnowflakeSinkConnector': 3,
  'com.snowflake.kafka.connector.SnowflakeStreamingSinkConnector': 4,
};

/** Whether a connector has one of these classes. */
export function isLanding({ config }: ConnectorConfig): boolean {
  return Object.hasOwn(landingClasses, config['connector.class']?.trim() ?? '');
}

export interface LandingReplicaConfig {
  readonly form: ReplicaForm;
  readonly naming: ReplicaNaming;
  readonly letters: IdentifierCase;
  readonly mergeMs: number | undefined;
}

/** A landing connector's configuration, parsed and checked. */
export interface LandingConfig {
  readonly name: string;
  readonly version: LandingVersion;
  readonly login: SnowflakeLogin;
  readonly database: string;
  readonly schema: string;
  readonly ownSchema: string;
  readonly takes: (topic: string) => boolean;
  /** `topics`; empty: an expression says which. */
  readonly topics: readonly string[];
  readonly tableOf: TopicTables;
  readonly creates: boolean;
  readonly schematized: boolean;
  readonly upperColumns: boolean;
  readonly ignoresNulls: boolean;
  readonly metadata: MetadataOptions;
  readonly limits: BufferLimits;
  readonly ingestion: 'copy' | 'streaming';
  /** Undefined: nothing but landing tables. */
  readonly replicas: LandingReplicaConfig | undefined;
  readonly sessions: number;
  readonly lockTimeoutSeconds: number;
  readonly stagingFolder: string | undefined;
  readonly stagingMemory: string;
}

type LandingValues = ParsedConfig<ReturnType<typeof landingProperties>>;

/** All that is known of the properties of a class. */
export function landingDef(version: LandingVersion): ConnectorDef<ReturnType<typeof landingProperties>> & { readonly all: ConfigDef } {
  const definition = landingProperties(version);
  const others = { ...landingRecordProperties, ...recordSinkProperties, ...otherLandingProperties };
  return { definition, others, families: recordFamilies, all: { ...others, ...definition } };
}

function landingVersion({ config }: ConnectorConfig): LandingVersion {
  return landingClasses[config['connector.class']?.trim() ?? ''] ?? 4;
}

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming every problem */
export function readLandingConfig(connector: ConnectorConfig): {
  readonly config: LandingConfig;
  readonly notices: readonly ConfigNotice[];
} {
  const { name, config } = connector;
  const version = landingVersion(connector);
  const reading = readConfig(landingDef(version), { ...withIngestion(config), name });
  const values = parsedOrThrow(reading, name);
  const login = loginOf(values);
  checkLogin(login, name);
  const ingestion = values['millrace.ingestion'].toLowerCase() === 'streaming' ? 'streaming' : 'copy';
  if (ingestion === 'streaming' && login.authenticator !== 'snowflake_jwt') {
    throw new MillraceError(
      'CONFIG_INVALID',
      `Connector "${name}": Snowpipe Streaming needs a key pair, and snowflake.authenticator is ${login.authenticator}`,
      {
        nextStep:
          'Set snowflake.private.key with snowflake.authenticator=snowflake_jwt, or millrace.ingestion=copy and snowflake.warehouse.',
      },
    );
  }
  if (ingestion === 'streaming' && login.proxy.host !== '') {
    throw new MillraceError('CONFIG_INVALID', `Connector "${name}": Snowpipe Streaming does not go through jvm.proxy.host`, {
      nextStep: 'Give the process HTTPS_PROXY and NODE_USE_ENV_PROXY=1 in place of jvm.proxy.*, or set millrace.ingestion=copy.',
    });
  }
  const schema = identifierOf(values['snowflake.schema.name'], 'upper');
  const own = values['snowflake.own.schema.name'];
  const staging = values['staging.directory'];
  const replicas = replicasOf(values);
  if (replicas !== undefined && !(values['snowflake.metadata.all'] && values['snowflake.metadata.offset.and.partition'])) {
    throw new MillraceError('CONFIG_INVALID', `Connector "${name}": replicas need offset and partition in RECORD_METADATA`, {
      nextStep: 'Leave snowflake.metadata.all and snowflake.metadata.offset.and.partition at true.',
    });
  }
  return {
    config: {
      name,
      version,
      login,
      database: identifierOf(values['snowflake.database.name'], 'upper'),
      schema,
      ownSchema: own === '' ? schema : own.toUpperCase(),
      takes: topicsTaken(name, values.topics, values['topics.regex']),
      topics: values.topics,
      tableOf: createTopicTables({
        map: values['snowflake.topic2table.map'],
        replacesGroups: values['snowflake.topic2table.map.regex.replacement'],
        sanitizes: values['snowflake.compatibility.enable.autogenerated.table.name.sanitization'],
      }),
      creates: values['snowflake.autocreate.table.type'].toLowerCase() !== 'none',
      schematized: values['snowflake.enable.schematization'],
      upperColumns: values['snowflake.compatibility.enable.column.identifier.normalization'],
      ignoresNulls: values['behavior.on.null.values'].toLowerCase() === 'ignore',
      metadata: {
        all: values['snowflake.metadata.all'],
        createTime: values['snowflake.metadata.createtime'],
        topic: values['snowflake.metadata.topic'],
        offsetAndPartition: values['snowflake.metadata.offset.and.partition'],
        pushTime: values['snowflake.streaming.metadata.connectorPushTime'] ? Date.now : undefined,
        structuredHeaders: values['snowflake.feature.structured.headers'],
        version,
      },
      limits: {
        flushMs: values['buffer.flush.time'] * 1000,
        rows: values['buffer.count.records'],
        bytes: values['buffer.size.bytes'],
      },
      ingestion,
      replicas,
      sessions: values['snowflake.sessions'],
      lockTimeoutSeconds: values['snowflake.lock.timeout.seconds'],
      stagingFolder: staging === '' ? undefined : staging,
      stagingMemory: values['staging.memory.limit'],
    },
    notices: reading.notices,
  };
}

/** `snowflake.ingestion.method` of versions 2 and 3 says what `millrace.ingestion` does, unless that is given. */
function withIngestion(config: ConnectorConfig['config']): ConnectorConfig['config'] {
  const method = config['snowflake.ingestion.method']?.trim().toUpperCase();
  return method === 'SNOWPIPE_STREAMING' ? { 'millrace.ingestion': 'streaming', ...config } : config;
}

function replicasOf(values: LandingValues): LandingReplicaConfig | undefined {
  const runner = values['replica.runner'].toLowerCase();
  if (runner === 'none') return undefined;
  if (runner === 'dynamic.table' && values['replica.task.warehouse'] === '') {
    throw new MillraceError('CONFIG_INVALID', 'replica.task.warehouse is missing: a dynamic table has a warehouse that refreshes it');
  }
  const letters = values['snowflake.identifier.case'].toLowerCase() === 'preserve' ? 'preserve' : 'upper';
  return {
    form: {
      runner: runnerOf(runner),
      table: values['replica.form'].toLowerCase() === 'table',
      warehouse: values['replica.task.warehouse'],
      schedule: values['replica.task.schedule'],
    },
    letters,
    naming: createSnowflakeNaming(createNaming({ format: values['replica.name.format'], map: values['replica.name.map'] }), letters),
    mergeMs: runner === 'millrace' ? values['replica.merge.interval.ms'] : undefined,
  };
}

function runnerOf(text: string): ReplicaForm['runner'] {
  switch (text) {
    case 'task':
    case 'triggered.task':
    case 'dynamic.table':
      return text;
    default:
      return 'millrace';
  }
}
