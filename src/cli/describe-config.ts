/** What the REST API tells of connectors' configurations, property by property: Kafka Connect's forms over our own checks. */
import { isMillraceError, messageOf } from '../base/errors.ts';
import { converterClasses, headerConverterClasses } from '../codec/converters.ts';
import { openConnection } from '../binlog/connection.ts';
import { configProblems, findProperty } from '../config/config-def.ts';
import type { ConfigDef, ConfigProblem, Property } from '../config/config-def.ts';
import { keyOf } from '../config/config-key.ts';
import type { ConfigInfos, ConfigKey } from '../config/config-key.ts';
import { connectorKeys, sinkGroups, sinkTopicErrors, sourceGroups } from '../config/connector-keys.ts';
import { debeziumMariadbKeys, debeziumMysqlKeys } from '../config/debezium-keys.ts';
import { debeziumRecommended } from '../config/debezium-recommended.ts';
import { validateKeys } from '../config/validate-keys.ts';
import type { ValidateKeys } from '../config/validate-keys.ts';
import type { ConnectorConfig, ConnectorProperties } from '../connect/connector.ts';
import { connectionSettings } from '../mysql/connection-settings.ts';
import { readSourceConfig, sourceConnectorDef } from '../mysql/connector-config.ts';
import { withoutNulls } from '../worker/connect-service.ts';
import type { GivenConfig } from '../worker/connect-service.ts';
import { componentKeys, converterFault } from './component-keys.ts';
import { recordPathErrors } from './record-path-errors.ts';

export interface DescribedPlugin {
  readonly className: string;
  readonly version: string;
}

/** Longest wait for the server whose address is checked. */
const connectMs = 10_000;

export function debeziumKeys(flavor: 'mysql' | 'mariadb', version: string): readonly ConfigKey[] {
  const own = (flavor === 'mysql' ? debeziumMysqlKeys : debeziumMariadbKeys).map((facts): ConfigKey => {
    const known = findProperty(sourceConnectorDef, facts[0]);
    const hidden = hiddenKeys.has(facts[0]) ? { visible: false as const } : {};
    const values = debeziumRecommended[facts[0]];
    const recommended = values === undefined ? {} : { recommended: values };
    return { facts, doc: known?.doc ?? 'Known, and without effect here.', untold: true, ...positive(facts[0]), ...recommended, ...hidden };
  });
  return [...connectorKeys({ type: 'source', version, converters: converterClasses, headerConverters: headerConverterClasses }), ...own];
}

function positive(name: string): Pick<ConfigKey, 'check'> {
  if (name !== 'max.batch.size' && name !== 'max.queue.size') return {};
  const fault = `The '${name}' value is invalid: A positive, non-zero integer value is expected`;
  return { check: (value) => (Number(value) > 0 ? [] : [fault]) };
}

/** Hidden as long as the property that they depend on has the other one's value. */
const hiddenKeys = new Set(['schema.history.internal', 'gtid.source.excludes']);

/** A Debezium configuration; when nothing else is wrong with it, its server is asked, too. */
export async function describeDebezium(
  { className, version, flavor }: DescribedPlugin & { readonly flavor: 'mysql' | 'mariadb' },
  config: GivenConfig,
  signal: AbortSignal,
): Promise<ConfigInfos> {
  const given = { ...withoutNulls(config), 'connector.class': className };
  const keys = debeziumKeys(flavor, version);
  let errors: ReadonlyMap<string, readonly string[]>;
  try {
    const { config: source } = readSourceConfig({ name: config['name'] ?? '', config: given });
    errors = debeziumRules(given);
    if (errors.size === 0 && recordPathErrors(given).size === 0) errors = await connectionErrors(connectionSettings(source.server), signal);
  } catch (error) {
    errors = problemErrors(error, keys, (problem) => `The '${problem.property}' value is invalid: ${complaintOf(problem)}`);
  }
  const groups = [
    ...sourceGroups,
    ...new Set(keys.flatMap(({ facts }) => (facts[4] === null || sourceGroups.includes(facts[4]) ? [] : [facts[4]]))),
  ];
  return validateWith({ name: config['connector.class'] ?? className, keys, groups, config, errors });
}

async function connectionErrors(
  settings: ReturnType<typeof connectionSettings>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    await using _connection = await openConnection(settings, AbortSignal.any([signal, AbortSignal.timeout(connectMs)]));
    return new Map();
  } catch (error) {
    const text = messageOf(error);
    const what = text.includes('Access denied') ? 'Unable to connect' : 'Error during connection validation';
    return new Map([['database.hostname', [`${what}: ${text}`]]]);
  }
}

/** What Debezium refuses though Millrace could do it: who moves back must not stumble. */
function debeziumRules(config: ConnectorProperties): ReadonlyMap<string, readonly string[]> {
  const errors = new Map<string, readonly string[]>();
  const [batch, queue] = [Number(config['max.batch.size'] ?? 2048), Number(config['max.queue.size'] ?? 8192)];
  if (batch >= queue) errors.set('max.queue.size', ["The 'max.queue.size' value is invalid: Must be larger than the maximum batch size"]);
  if (config['time.precision.mode']?.trim().toLowerCase() === 'adaptive') {
    errors.set('time.precision.mode', [
      "The 'time.precision.mode' value is invalid: adaptive is not supported, use adaptive_time_microseconds",
    ]);
  }
  return errors;
}

/** A sink of tables: its properties, and what judges them. */
export interface TableSinkPlugin extends DescribedPlugin {
  /** The group of its own properties. */
  readonly group: string;
  readonly properties: ConfigDef;
  /** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED */
  readonly read: (connector: ConnectorConfig) => unknown;
}

export function tableSinkKeys({ version, group, properties }: TableSinkPlugin): readonly ConfigKey[] {
  const own = Object.entries<Property>(properties).filter(([name]) => !connectNames.has(name));
  return [
    ...connectorKeys({ type: 'sink', version, converters: converterClasses, headerConverters: headerConverterClasses }),
    ...own.map(([name, property], index) => keyOf(name, property, { group, order: index + 1, width: 'MEDIUM' })),
  ];
}

const connectNames = new Set(['name', 'connector.class', 'tasks.max', 'topics', 'topics.regex']);

export function describeTableSink(plugin: TableSinkPlugin, config: GivenConfig): ConfigInfos {
  const { className, group } = plugin;
  const keys = tableSinkKeys(plugin);
  const errors = new Map(sinkTopicErrors(config));
  try {
    plugin.read({ name: config['name'] ?? '', config: { ...withoutNulls(config), 'connector.class': className } });
  } catch (error) {
    const own = problemErrors(
      error,
      keys,
      ({ property, text }) => `Invalid value ${config[property] ?? 'null'} for configuration ${property}: ${text}`,
    );
    for (const [property, texts] of own) if (!errors.has(property)) errors.set(property, texts);
  }
  return validateWith({ name: config['connector.class'] ?? className, keys, groups: [...sinkGroups, group], config, errors });
}

export interface KeyedPlugin extends DescribedPlugin {
  readonly type: 'source' | 'sink';
  readonly own: readonly ConfigKey[];
}

export function keysOf({ type, version, own }: KeyedPlugin): readonly ConfigKey[] {
  return [...connectorKeys({ type, version, converters: converterClasses, headerConverters: headerConverterClasses }), ...own];
}

/** A connector whose keys say all that there is to check. */
export function describeKeys(plugin: KeyedPlugin, config: GivenConfig): ConfigInfos {
  const isSource = plugin.type === 'source';
  return validateWith({
    name: config['connector.class'] ?? plugin.className,
    keys: keysOf(plugin),
    groups: isSource ? sourceGroups : sinkGroups,
    config,
    errors: new Map(isSource ? [] : sinkTopicErrors(config)),
  });
}

/** Judges Connect's keys, those of what the configuration names, the connector's own, those of its converters. */
function validateWith(request: ValidateKeys): ConfigInfos {
  const given = withoutNulls(request.config);
  const components = componentKeys(given);
  const isConnects = ({ facts }: ConfigKey): boolean => connectGroups.has(facts[4]);
  const keys = [
    ...request.keys.filter(isConnects).map((key) => checkedConverter(key, given)),
    ...components.keys,
    ...request.keys.filter((key) => !isConnects(key)),
    ...components.converterKeys,
  ];
  const connects = request.groups.filter((group) => connectGroups.has(group));
  const errors = new Map([...(request.errors ?? []), ...components.errors]);
  let infos = validateKeys({
    ...request,
    keys,
    groups: [...connects, ...components.groups, ...request.groups.filter((group) => !connectGroups.has(group))],
    errors,
  });
  if (infos.error_count > 0) return infos;
  // What only those who make them know: a regular expression that cannot be compiled, a predicate that is not declared.
  const further = recordPathErrors(given);
  if (further.size > 0) infos = validateKeys({ ...request, keys, groups: infos.groups, errors: further });
  return infos;
}

const connectGroups = new Set<string | null>([...sourceGroups, ...sinkGroups]);

function checkedConverter(key: ConfigKey, config: ConnectorProperties): ConfigKey {
  const [, side, isVersion] = /^(key|value|header)\.converter(\.plugin\.version)?$/.exec(key.facts[0]) ?? [];
  if (side !== 'key' && side !== 'value' && side !== 'header') return key;
  const fault = converterFault(side, config[`${side}.converter`]?.trim());
  if (isVersion === undefined) return { ...key, check: () => (fault === undefined ? [] : [fault]) };
  if (fault === undefined) return key;
  const [name, type, , ...facts] = key.facts;
  return { ...key, facts: [name, type, null, ...facts], recommended: [], visible: false };
}

/** Problems by property. Those that Connect's own keys tell of are left to them. */
function problemErrors(
  error: unknown,
  keys: readonly ConfigKey[],
  textOf: (problem: ConfigProblem) => string,
): ReadonlyMap<string, readonly string[]> {
  const problems = configProblems(error);
  if (problems.length === 0) {
    // A file that cannot be read, say: nobody's property.
    return new Map([['connector.class', [isMillraceError(error) ? error.message : messageOf(error)]]]);
  }
  const checkedByConnect = new Set(
    keys.flatMap(({ facts, check, required }) => (check === undefined && required !== true ? [] : [facts[0]])),
  );
  const byProperty = Map.groupBy(
    problems.filter(({ property }) => !checkedByConnect.has(property) || property === 'tasks.max'),
    (problem) => problem.property,
  );
  return new Map([...byProperty].map(([property, own]) => [property, own.map(textOf)]));
}

/** Debezium's words for the commonest faults; else ours. */
function complaintOf({ property, text }: ConfigProblem): string {
  if (text.startsWith(`${property} is missing`) || text.includes('must not be empty')) return 'A value is required';
  if (text.includes('must be a whole number')) return 'An integer is expected';
  if (!text.includes('must be one of')) return text;
  const allowed = debeziumRecommended[property]?.join(', ') ?? /must be one of (.*)\.$/.exec(text)?.[1];
  return allowed === undefined ? text : `Value must be one of ${allowed}`;
}
