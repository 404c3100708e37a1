import { MillraceError, messageOf } from '../base/errors.ts';
import type { ConfigProblem } from '../config/config-def.ts';
import type { ConnectRecord, Predicate, Transformation } from '../connect/record.ts';
import type { RecordPlugin } from './plugin.ts';
import { predicates } from './predicates.ts';
import { transformations } from './transformations.ts';

type Properties = Readonly<Record<string, string>>;

/** One of `transforms`, under its predicate. */
export interface TransformationStage {
  readonly alias: string;
  readonly className: string;
  readonly apply: Transformation;
}

/** Whether a connector's records pass transformations. */
export function hasTransformations(properties: Properties): boolean {
  return aliasesOf(properties, 'transforms').length > 0;
}

/**
 * The transformations that a connector's properties name, in their order.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED
 */
export function openTransformations(properties: Properties): readonly TransformationStage[] {
  const problems = transformationProblems(properties);
  if (problems.length > 0) {
    const code = problems.every((problem) => problem.unsupported) ? 'CONFIG_UNSUPPORTED' : 'CONFIG_INVALID';
    throw new MillraceError(code, problems.map((problem) => problem.text).join(' '));
  }
  const conditions = new Map(
    aliasesOf(properties, 'predicates').map((alias): [string, Predicate | undefined] => {
      const prefix = `predicates.${alias}.`;
      return [alias, find(predicates, properties[`${prefix}type`])?.create(settingsOf(properties, prefix), prefix)];
    }),
  );
  return aliasesOf(properties, 'transforms').flatMap((alias) => {
    const prefix = `transforms.${alias}.`;
    const plugin = find(transformations, properties[`${prefix}type`]);
    if (plugin === undefined) return [];
    const apply = named(plugin.create(settingsOf(properties, prefix), prefix), `${prefix.slice(0, -1)} (${plugin.className})`);
    const condition = conditions.get(properties[`${prefix}predicate`]?.trim() ?? '');
    const negated = properties[`${prefix}negate`]?.trim().toLowerCase() === 'true';
    return [{ alias, className: plugin.className, apply: condition === undefined ? apply : under(condition, negated, apply) }];
  });
}

/** Takes a record through the stages; null: one of them dropped it. @throws TRANSFORMATION_FAILED */
export function applyTransformations(stages: readonly TransformationStage[], record: ConnectRecord): ConnectRecord | null {
  let current: ConnectRecord | null = record;
  for (const stage of stages) {
    current = stage.apply(current);
    if (current === null) return null;
  }
  return current;
}

/** Every fault of a connector's `transforms` and `predicates`. */
export function transformationProblems(properties: Properties): readonly ConfigProblem[] {
  const conditions = aliasesOf(properties, 'predicates');
  return [
    ...conditions.flatMap((alias) => pluginProblems(predicates, properties, `predicates.${alias}.`)),
    ...aliasesOf(properties, 'transforms').flatMap((alias) => {
      const prefix = `transforms.${alias}.`;
      return [...pluginProblems(transformations, properties, prefix), ...predicateProblems(properties, prefix, conditions)];
    }),
    ...doubled(properties, 'transforms'),
    ...doubled(properties, 'predicates'),
  ];
}

function pluginProblems(plugins: readonly RecordPlugin<unknown>[], properties: Properties, prefix: string): readonly ConfigProblem[] {
  const property = `${prefix}type`;
  const type = properties[property]?.trim() ?? '';
  if (type === '') return [{ property, text: `${property} is missing: the class of ${prefix.slice(0, -1)}.`, unsupported: false }];
  const plugin = find(plugins, type);
  if (plugin !== undefined) return plugin.check(settingsOf(properties, prefix), prefix);
  const known = plugins.map((each) => each.className).join(', ');
  return [{ property, text: `${property}: Millrace has no class ${type}. It has: ${known}.`, unsupported: true }];
}

function predicateProblems(properties: Properties, prefix: string, conditions: readonly string[]): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const name = properties[`${prefix}predicate`]?.trim() ?? '';
  const negate = properties[`${prefix}negate`]?.trim().toLowerCase() ?? 'false';
  if (name !== '' && !conditions.includes(name)) {
    const property = `${prefix}predicate`;
    problems.push({ property, text: `${property}: ${name} is not one of predicates.`, unsupported: false });
  }
  if (negate !== 'true' && negate !== 'false') {
    const property = `${prefix}negate`;
    problems.push({ property, text: `${property}: "${negate}" must be true or false.`, unsupported: false });
  }
  return problems;
}

function doubled(properties: Properties, property: string): readonly ConfigProblem[] {
  const aliases = aliasesOf(properties, property);
  const twice = aliases.find((alias, at) => aliases.indexOf(alias) !== at);
  return twice === undefined ? [] : [{ property, text: `${property}: Duplicate alias provided: ${twice}.`, unsupported: false }];
}

function aliasesOf(properties: Properties, property: string): readonly string[] {
  const text = properties[property]?.trim() ?? '';
  return text === '' ? [] : text.split(/\s*,\s*/).filter((alias) => alias !== '');
}

/** The properties of an alias, without the prefix and without those that the chain itself reads. */
function settingsOf(properties: Properties, prefix: string): Properties {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(properties)) {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (own !== '' && own !== 'type' && own !== 'predicate' && own !== 'negate') settings[own] = value;
  }
  return settings;
}

/** By its full name, or by what stands behind the last dot. */
function find<Plugin extends RecordPlugin<unknown>>(plugins: readonly Plugin[], type: string | undefined): Plugin | undefined {
  const name = type?.trim() ?? '';
  return plugins.find((plugin) => plugin.className === name) ?? plugins.find((plugin) => plugin.className.split('.').at(-1) === name);
}

function named(apply: Transformation, name: string): Transformation {
  return (record) => {
    try {
      return apply(record);
    } catch (cause) {
      throw new MillraceError('TRANSFORMATION_FAILED', `${name} refused a record of the topic ${record.topic}: ${messageOf(cause)}`, {
        cause,
        context: { topic: record.topic, transformation: name },
      });
    }
  };
}

function under(condition: Predicate, negated: boolean, apply: Transformation): Transformation {
  return (record) => (condition(record) === negated ? record : apply(record));
}
