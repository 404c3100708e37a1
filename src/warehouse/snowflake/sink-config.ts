import { parsedOrThrow, readConfig } from '../../config/config-def.ts';
import type { ConfigNotice, ConnectorDef, ParsedConfig } from '../../config/config-def.ts';
import type { ConnectorConfig } from '../../connect/connector.ts';
import { recordFamilies, recordSinkProperties } from '../record-properties.ts';
import { invalidTemporalOf, topicsTaken } from '../replica-properties.ts';
import { createNaming, defaultNameFormat, type ReplicaNaming } from '../replica-names.ts';
import type { InvalidTemporal } from '../table-record.ts';
import { checkLogin, readAccount, type SnowflakeLogin } from './login.ts';
import { createSnowflakeNaming, identifierOf, type IdentifierCase } from './identifiers.ts';
import { snowflakeSinkProperties } from './sink-properties.ts';

export const snowflakeSinkConnectorClass = 'io.millrace.SnowflakeSinkConnector';

/** A Snowflake sink connector's configuration, parsed and checked. */
export interface SnowflakeSinkConfig {
  readonly name: string;
  readonly login: SnowflakeLogin;
  readonly database: string;
  readonly ownSchema: string;
  readonly letters: IdentifierCase;
  readonly json: 'VARIANT' | 'VARCHAR';
  readonly transient: boolean;
  readonly sessions: number;
  readonly lockTimeoutSeconds: number;
  /** How a state is held on to that is read while the sink goes on. */
  readonly pin: 'time.travel' | 'clone';
  readonly takes: (topic: string) => boolean;
  readonly naming: ReplicaNaming;
  readonly invalidTemporal: InvalidTemporal;
  readonly flushIntervalMs: number;
  readonly flushIdleIntervalMs: number;
  readonly flushRows: number;
  readonly flushBytes: number;
  readonly stagingFolder: string | undefined;
  readonly stagingMemory: string;
}

const snowflakeSinkDef: ConnectorDef<typeof snowflakeSinkProperties> = {
  definition: snowflakeSinkProperties,
  others: recordSinkProperties,
  families: recordFamilies,
};

export type SnowflakeValues = ParsedConfig<typeof snowflakeSinkProperties>;

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming every problem */
export function readSnowflakeConfig({ name, config }: ConnectorConfig): {
  readonly config: SnowflakeSinkConfig;
  readonly notices: readonly ConfigNotice[];
} {
  const reading = readConfig(snowflakeSinkDef, { ...config, name });
  const values = parsedOrThrow(reading, name);
  const letters = values['snowflake.identifier.case'].toLowerCase() === 'preserve' ? 'preserve' : 'upper';
  const staging = values['staging.directory'];
  const login = loginOf(values);
  checkLogin(login, name);
  const database = identifierOf(values['snowflake.database.name'], 'upper');
  return {
    config: {
      name,
      login,
      database,
      ownSchema: values['snowflake.own.schema.name'].toUpperCase(),
      letters,
      json: values['snowflake.json.type'].toLowerCase() === 'varchar' ? 'VARCHAR' : 'VARIANT',
      transient: values['snowflake.table.type'].toLowerCase() === 'transient',
      sessions: values['snowflake.sessions'],
      lockTimeoutSeconds: values['snowflake.lock.timeout.seconds'],
      pin: values['snowflake.verify.method'].toLowerCase() === 'clone' ? 'clone' : 'time.travel',
      takes: topicsTaken(name, values.topics, values['topics.regex']),
      naming: createSnowflakeNaming(createNaming({ format: nameFormat(values), map: values['replica.name.map'] }), letters),
      invalidTemporal: invalidTemporalOf(values['temporal.invalid.handling']),
      flushIntervalMs: values['flush.interval.ms'],
      flushIdleIntervalMs: values['flush.idle.interval.ms'],
      flushRows: values['flush.max.rows'],
      flushBytes: values['flush.max.bytes'],
      stagingFolder: staging === '' ? undefined : staging,
      stagingMemory: values['staging.memory.limit'],
    },
    notices: reading.notices,
  };
}

/** Names of the properties that say where and how to log in; every connector to Snowflake has them. */
export const loginPropertyNames = [
  'snowflake.url.name',
  'snowflake.user.name',
  'snowflake.authenticator',
  'snowflake.private.key',
  'snowflake.private.key.path',
  'snowflake.private.key.passphrase',
  'snowflake.password',
  'snowflake.token',
  'snowflake.oauth.client.id',
  'snowflake.oauth.client.secret',
  'snowflake.oauth.refresh.token',
  'snowflake.oauth.token.endpoint',
  'snowflake.oauth.scope',
  'snowflake.role.name',
  'snowflake.warehouse',
  'jvm.proxy.host',
  'jvm.proxy.port',
  'jvm.proxy.username',
  'jvm.proxy.password',
  'jvm.nonProxy.hosts',
] as const satisfies readonly (keyof typeof snowflakeSinkProperties)[];

export type LoginValues = Pick<SnowflakeValues, (typeof loginPropertyNames)[number]>;

/** @throws CONFIG_INVALID */
export function loginOf(values: LoginValues): SnowflakeLogin {
  return {
    account: readAccount(values['snowflake.url.name']),
    user: values['snowflake.user.name'],
    authenticator: values['snowflake.authenticator'].toLowerCase(),
    privateKey: values['snowflake.private.key'],
    privateKeyPath: values['snowflake.private.key.path'],
    passphrase: values['snowflake.private.key.passphrase'],
    password: values['snowflake.password'],
    token: values['snowflake.token'],
    oauth: {
      clientId: values['snowflake.oauth.client.id'],
      clientSecret: values['snowflake.oauth.client.secret'],
      refreshToken: values['snowflake.oauth.refresh.token'],
      endpoint: values['snowflake.oauth.token.endpoint'],
      scope: values['snowflake.oauth.scope'],
    },
    role: values['snowflake.role.name'],
    warehouse: values['snowflake.warehouse'],
    proxy: {
      host: values['jvm.proxy.host'],
      port: values['jvm.proxy.port'],
      user: values['jvm.proxy.username'],
      password: values['jvm.proxy.password'],
      except: values['jvm.nonProxy.hosts'],
    },
  };
}

/** `snowflake.schema.name` names one schema for all tables, unless a format says more. */
function nameFormat(values: SnowflakeValues): string {
  const format = values['replica.name.format'];
  const schema = values['snowflake.schema.name'];
  return schema === '' || format !== defaultNameFormat ? format : `${schema}.\${table}`;
}
