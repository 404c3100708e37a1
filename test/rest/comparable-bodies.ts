/** Bodies without what depends on the moment, or on what else the worker does. */
import { isJsonObject } from '../../src/base/json-object.ts';
import type { JsonObject } from './json-differences.ts';
import type { Answer, Exchange, Request } from './transcript.ts';

export interface Bodies {
  readonly expected: unknown;
  readonly got: unknown;
}

export interface Moment {
  readonly step: Request & Partial<Pick<Exchange, 'bodyReduced'>> & { readonly kind: string };
  /** Connectors of this scenario; others are left out of lists. */
  readonly made: ReadonlySet<string>;
  /** A connector was made or changed just before: its tasks may be there already. */
  readonly justChanged: boolean;
}

/** A property that stands without a value in each recorded validation of Debezium: a fault of that pair of versions. */
const propertyWithoutValue = 'internal.legacy.snapshot.max.threads';

export function comparableBodies(moment: Moment, golden: Answer, answer: unknown): Bodies {
  const { step } = moment;
  const [a, b] = [withoutPlugins(withoutTexts(golden.body)), withoutPlugins(withoutTexts(answer))];
  if (step.bodyReduced === true) return { expected: withoutValueless(a), got: withoutValueless(reduced(b)) };
  if (Array.isArray(a) && Array.isArray(b)) {
    if (/^\/connector-plugins\/?(?:\?.*)?$/.test(step.path)) return commonPlugins(a, b);
    if (step.path.startsWith('/admin/loggers/') && golden.varies.includes('$[*]')) return changedLoggers(step.path, a, b);
  } else if (isJsonObject(a) && isJsonObject(b)) {
    if (/^\/admin\/loggers\/?$/.test(step.path)) return { expected: common(a, b), got: common(b, a) };
    if (step.path.endsWith('/topics') && step.kind === 'exchange') return { expected: a, got: topicsOf(a, b) };
    if (step.path.endsWith('/offsets') && step.kind === 'watch') return { expected: anyPosition(a), got: anyPosition(b) };
    if (tasksCameEarly(moment, a, b)) return { expected: a, got: { ...b, tasks: [] } };
    return ownOf(moment, onTheWay(a, b), onTheWay(b, a));
  }
  return ownOf(moment, a, b);
}

/** The documentation of properties is in our own words: only that there is one is compared. */
function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([name, each]) => [
    name,
    name === 'documentation' && typeof each === 'string' && each !== '' ? '<text>' : withoutTexts(each),
  ]);
  return Object.fromEntries(members);
}

/** Which plugins there are is each installation's own: lists of their classes and versions, where one may be chosen. */
function withoutPlugins(body: unknown): unknown {
  if (!isJsonObject(body) || !Array.isArray(body['configs'])) return body;
  const configs = body['configs'].map((config: unknown) => {
    if (!isJsonObject(config) || !isJsonObject(config['value'])) return config;
    const { value } = config;
    const isOfPlugins = /(?:\.converter|\.type|\.plugin\.version)$/.test(String(value['name']));
    const list = value['recommended_values'];
    if (!isOfPlugins || !Array.isArray(list)) return config;
    return { ...config, value: { ...value, recommended_values: list.length === 0 ? [] : ['…'] } };
  });
  return { ...body, configs };
}

/** Plugins that both have, in their order, and all of Kafka's; those of Debezium there twice are of both connectors' versions. */
function commonPlugins(a: readonly unknown[], b: readonly unknown[]): Bodies {
  const text = (list: readonly unknown[]): readonly string[] => list.map((plugin) => JSON.stringify(plugin, ['class', 'type', 'version']));
  const [x, y] = [text(a), text(b)];
  return {
    expected: x.filter((plugin) => y.includes(plugin) || plugin.startsWith('{"class":"org.apache.kafka.')),
    got: y.filter((plugin) => x.includes(plugin)),
  };
}

/** As the recording was reduced: what has its default, no error, no recommendation and is shown is a name alone. */
function reduced(body: unknown): unknown {
  if (!isJsonObject(body) || !Array.isArray(body['configs'])) return body;
  const configs = body['configs'].filter(isJsonObject).map((config) => ({
    definition: isJsonObject(config['definition']) ? config['definition'] : {},
    value: isJsonObject(config['value']) ? config['value'] : {},
  }));
  const isPlain = (list: unknown): boolean => Array.isArray(list) && list.length === 0;
  return {
    ...body,
    configs: configs
      .filter(
        ({ definition, value }) =>
          !isPlain(value['errors']) ||
          !isPlain(value['recommended_values']) ||
          value['visible'] !== true ||
          value['value'] !== definition['default_value'],
      )
      .map(({ definition, value }) => (Object.keys(definition).length === 0 ? { definition: null, value } : { value })),
    configNames: configs.map(({ definition, value }) => definition['name'] ?? value['name']),
  };
}

function withoutValueless(body: unknown): unknown {
  if (!isJsonObject(body) || !Array.isArray(body['configs']) || !Array.isArray(body['configNames'])) return body;
  return {
    ...body,
    configs: body['configs'].filter(
      (config) => isJsonObject(config) && isJsonObject(config['value']) && config['value']['name'] !== propertyWithoutValue,
    ),
    configNames: body['configNames'].filter((name) => name !== propertyWithoutValue),
  };
}

/** Which loggers there are is the program's own: those that a change names must be at or below the one asked for. */
function changedLoggers(path: string, a: readonly unknown[], b: readonly unknown[]): Bodies {
  const logger = path.replaceAll(/^\/admin\/loggers\/|\?.*$/g, '');
  const told = (list: readonly unknown[]): string => {
    if (list.length === 0) return 'none';
    const isBelow = list.every((name) => logger === 'root' || name === logger || String(name).startsWith(`${logger}.`));
    return isBelow ? 'loggers below' : 'other loggers';
  };
  return { expected: told(a), got: told(b) };
}

function common(a: JsonObject, b: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(a).filter(([name]) => name === 'root' || Object.hasOwn(b, name)));
}

/** A connector that runs may have written to more topics by now. */
function topicsOf(expected: JsonObject, got: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(got).map(([name, value]) => {
      const then = expected[name];
      const known = isJsonObject(then) && Array.isArray(then['topics']) ? new Set<unknown>(then['topics']) : new Set<unknown>();
      if (!isJsonObject(value) || !Array.isArray(value['topics'])) return [name, value];
      return [name, { ...value, topics: value['topics'].filter((topic) => known.has(topic)) }];
    }),
  );
}

/** Which position was committed first is a matter of time. */
function anyPosition(body: JsonObject): JsonObject {
  if (!Array.isArray(body['offsets'])) return body;
  const offsets = body['offsets'].map((entry: unknown) => {
    if (!isJsonObject(entry) || !isJsonObject(entry['offset'])) return entry;
    return { ...entry, offset: Object.hasOwn(entry['offset'], 'file') ? 'a binlog position' : 'an offset' };
  });
  return { ...body, offsets };
}

function tasksCameEarly({ step, justChanged }: Moment, a: JsonObject, b: JsonObject): boolean {
  if (step.kind !== 'exchange' || !Array.isArray(a['tasks']) || a['tasks'].length > 0 || !Array.isArray(b['tasks'])) return false;
  return justChanged || (isJsonObject(a['connector']) && a['connector']['state'] === 'RUNNING');
}

/** A part that comes or goes has its version already, or no more. */
function onTheWay(a: JsonObject, b: JsonObject): JsonObject {
  if (!isJsonObject(a['connector']) || !isJsonObject(b['connector'])) return a;
  const part = (x: unknown, y: unknown): unknown => {
    const passes = (each: unknown): each is JsonObject => isJsonObject(each) && /^(?:UNASSIGNED|RESTARTING)$/.test(String(each['state']));
    if (!passes(x) || !passes(y) || (x['version'] !== null && y['version'] !== null)) return x;
    return { ...x, version: 'known or not' };
  };
  const others: readonly unknown[] = Array.isArray(b['tasks']) ? b['tasks'] : [];
  const tasks = Array.isArray(a['tasks']) ? { tasks: a['tasks'].map((task, at) => part(task, others[at])) } : {};
  return { ...a, connector: part(a['connector'], b['connector']), ...tasks };
}

function ownOf({ step, made }: Moment, a: unknown, b: unknown): Bodies {
  if (step.method !== 'GET' || !/^\/connectors\/?(?:\?.*)?$/.test(step.path)) return { expected: a, got: b };
  const own = (body: unknown): unknown => {
    if (Array.isArray(body)) return body.filter((name) => made.has(String(name)));
    return isJsonObject(body) ? Object.fromEntries(Object.entries(body).filter(([name]) => made.has(name))) : body;
  };
  return { expected: own(a), got: own(b) };
}
