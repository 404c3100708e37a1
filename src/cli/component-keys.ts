/** The properties that a configuration has by the transformations, predicates and converters that it names, as Connect's validation shows them. */
import type { ConfigKey, KeyFacts } from '../config/config-key.ts';
import { componentNamed } from '../config/component-plugin.ts';
import type { ComponentPlugin } from '../config/component-plugin.ts';
import type { ConnectorProperties } from '../connect/connector.ts';
import { predicates } from '../transform/predicates.ts';
import { transformations } from '../transform/transformations.ts';
import { componentPlugins } from './component-plugins.ts';

export interface ComponentKeys {
  /** Behind Connect's own keys: of transformations, then of predicates. */
  readonly keys: readonly ConfigKey[];
  /** At the end: of converters that the connector has of its own. */
  readonly converterKeys: readonly ConfigKey[];
  readonly groups: readonly string[];
  /** What is wrong with the lists of aliases. */
  readonly errors: ReadonlyMap<string, readonly string[]>;
}

/** Each is described, and looks for its own among all properties. */
const mostAliases = 100;

type Kind = 'transformation' | 'predicate';
const lists = { transformation: 'transforms', predicate: 'predicates' } as const;
const titles = { transformation: 'Transforms', predicate: 'Predicates' } as const;
const interfaces = { transformation: 'Transformation', predicate: 'Predicate' } as const;

export function componentKeys(config: ConnectorProperties): ComponentKeys {
  const keys: ConfigKey[] = [];
  const groups: string[] = [];
  const errors = new Map<string, readonly string[]>();
  for (const kind of ['transformation', 'predicate'] as const) {
    const aliases = (config[lists[kind]] ?? '')
      .split(',')
      .map((alias) => alias.trim())
      .filter((alias) => alias !== '');
    if (aliases.length > mostAliases) {
      errors.set(lists[kind], [
        `Invalid value for configuration ${lists[kind]}: it has ${aliases.length} aliases, and can have ${mostAliases}.`,
      ]);
      continue;
    }
    if (new Set(aliases).size < aliases.length) {
      errors.set(lists[kind], [`Invalid value [${aliases.join(', ')}] for configuration ${lists[kind]}: Duplicate alias provided.`]);
    }
    for (const alias of new Set(aliases)) {
      keys.push(...aliasKeys(kind, alias, config));
      groups.push(`${titles[kind]}: ${alias}`);
    }
  }
  const converterKeys = (['key', 'value', 'header'] as const).flatMap((side) => ownConverterKeys(side, config));
  return { keys, converterKeys, groups, errors };
}

function aliasKeys(kind: Kind, alias: string, config: ConnectorProperties): readonly ConfigKey[] {
  const prefix = `${lists[kind]}.${alias}.`;
  const group = `${titles[kind]}: ${alias}`;
  const given = config[`${prefix}type`]?.trim();
  const plugin = given === undefined ? undefined : componentNamed(componentPlugins, given, [kind]);
  const known = componentPlugins.filter(({ type }) => type === kind).map(({ className }) => className);
  const type: ConfigKey = {
    facts: [`${prefix}type`, 'CLASS', null, 'HIGH', group, 0, 'LONG', `${interfaces[kind]} type for ${alias}`],
    required: true,
    doc: `Class of the ${kind}.`,
    recommended: known,
    ...(plugin === undefined && given !== undefined ? { check: () => [classFault(`${prefix}type`, given, interfaces[kind])] } : {}),
  };
  const version: ConfigKey = {
    facts: [`${prefix}plugin.version`, 'STRING', plugin?.version ?? null, 'MEDIUM', group, 1, 'LONG', `Version of ${alias}`],
    doc: 'Version of the plugin; there is one.',
    ...(plugin === undefined ? {} : { recommended: [plugin.version] }),
  };
  if (plugin === undefined) return [type, version];
  const found = [...transformations, ...predicates].find(({ className }) => className === plugin.className);
  const own = plugin.keys.map((key): ConfigKey => {
    const [name, ...facts] = key.facts;
    const faults = (): readonly string[] =>
      found
        ?.check(propertiesOf(config, prefix), '')
        .filter(({ property }) => property === name)
        .map(({ text }) => `Invalid value ${config[prefix + name] ?? 'null'} for configuration ${name}: ${text}`) ?? [];
    return { ...key, facts: [prefix + name, ...facts], errorName: name, ...(config[prefix + name] === undefined ? {} : { check: faults }) };
  });
  const implicit = kind === 'transformation' ? implicitKeys(prefix, config) : [];
  return [type, version, ...[...own, ...implicit].sort(inOrder)];
}

/** What every transformation has. */
function implicitKeys(prefix: string, config: ConnectorProperties): readonly ConfigKey[] {
  const hasPredicate = (config[`${prefix}predicate`] ?? '') !== '';
  const orphan = config[`${prefix}negate`] !== undefined && !hasPredicate;
  const fault = `Config '${prefix}negate' was provided but there is no config '${prefix}predicate' defining a predicate to be negated.`;
  const facts = (name: string, type: 'BOOLEAN' | 'STRING', fallback: string): KeyFacts => [
    prefix + name,
    type,
    fallback,
    'MEDIUM',
    null,
    -1,
    'NONE',
    name,
  ];
  return [
    {
      facts: facts('negate', 'BOOLEAN', 'false'),
      doc: 'Whether it applies where the predicate does not hold.',
      ...(orphan ? { first: [fault] } : {}),
    },
    { facts: facts('predicate', 'STRING', ''), doc: 'Alias of the predicate that says where it applies; empty: everywhere.' },
  ];
}

const importances = ['HIGH', 'MEDIUM', 'LOW'];

/** As Connect sorts the keys of a plugin: by their order, required ones first, by importance, by name. */
function inOrder(a: ConfigKey, b: ConfigKey): number {
  return (
    a.facts[5] - b.facts[5] ||
    Number(b.required ?? false) - Number(a.required ?? false) ||
    importances.indexOf(a.facts[3]) - importances.indexOf(b.facts[3]) ||
    (a.facts[0] < b.facts[0] ? -1 : 1)
  );
}

function ownConverterKeys(side: 'key' | 'value' | 'header', config: ConnectorProperties): readonly ConfigKey[] {
  const plugin = converterNamed(side, config[`${side}.converter`]?.trim());
  if (plugin === undefined) return [];
  const prefix = `${side}.converter.`;
  return plugin.keys.map((key): ConfigKey => {
    const [name, ...facts] = key.facts;
    const value = name === 'converter.type' ? { required: true as const, value: side } : {};
    return { ...key, facts: [prefix + name, ...facts], errorName: name, ...value };
  });
}

function converterNamed(side: 'key' | 'value' | 'header', given: string | undefined): ComponentPlugin | undefined {
  return given === undefined ? undefined : componentNamed(componentPlugins, given, [side === 'header' ? 'header_converter' : 'converter']);
}

/** Why a converter that is named is none; undefined: it is one, or none is named. */
export function converterFault(side: 'key' | 'value' | 'header', given: string | undefined): string | undefined {
  if (given === undefined || converterNamed(side, given) !== undefined) return undefined;
  return classFault(`${side}.converter`, given, side === 'header' ? 'HeaderConverter' : 'Converter');
}

/** What is there, but is something else, is told so. */
function classFault(property: string, given: string, wanted: string): string {
  const exists = /^java\.lang\.\w+$/.test(given) || componentPlugins.some(({ className }) => className === given);
  if (exists) return `Class class ${given} does not implement the ${wanted} interface`;
  return `Invalid value ${given} for configuration ${property}: Class ${given} could not be found.`;
}

function propertiesOf(config: ConnectorProperties, prefix: string): ConnectorProperties {
  const own = Object.entries(config).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}
