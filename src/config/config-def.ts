/**
 * The definition of a flat, all-text configuration as Kafka Connect has it. One table gives the parser, the
 * TypeScript type of its result, and the facts that `/config/validate` and the reference pages show.
 */
import { isMillraceError, MillraceError } from '../base/errors.ts';
import { Secret } from './secret.ts';

/** What the parser makes of a property's text, by its type. */
export interface PropertyValues {
  readonly boolean: boolean;
  /** 32 bits. */
  readonly int: number;
  /** 64 bits in Kafka Connect; here at most ±2^53. */
  readonly long: number;
  readonly double: number;
  /** Without the blanks around it. */
  readonly string: string;
  /** Split at commas, blanks around the items removed; the empty text is the empty list. */
  readonly list: readonly string[];
  readonly password: Secret;
  readonly class: string;
}

export type PropertyType = keyof PropertyValues;
export type Importance = 'high' | 'medium' | 'low';

/** What becomes of a property that a user sets. */
export type Effect =
  /** It does what its documentation says. */
  | 'works'
  /** Accepted; what it is for is not needed here. Said once, as information. */
  | 'not needed'
  /** Accepted without effect in this version, which loses nothing in the replica. Said as a warning. */
  | 'no effect'
  /** It would change what arrives in the replica, and cannot be done yet: an error, unless the value is harmless. */
  | 'refused';

/** The common part of a property and of a family of properties. */
export interface PropertyFacts {
  readonly importance: Importance;
  /** One sentence, or a few. */
  readonly doc: string;
  /** Default 'works'. */
  readonly effect?: Effect;
  /** Why it is not needed, without effect or refused, and what to do: ends the message that names the property. */
  readonly why?: string;
  /** Besides the default: values (any letter case) that ask for nothing, so that nothing is said of them. */
  readonly harmless?: readonly string[];
}

export interface TypedProperty<T extends PropertyType> extends PropertyFacts {
  readonly type: T;
  /** As text. Without it the parsed value may be undefined, unless `required`. */
  readonly default?: string;
  readonly required?: true;
  /** Given the parsed value: what is wrong with it, as the end of a sentence ("must be …"). */
  readonly check?: (value: PropertyValues[T]) => string | undefined;
}

/** A union over the types, so that `type` decides what `check` is given. */
export type Property = { [T in PropertyType]: TypedProperty<T> }[PropertyType];

/** Properties whose names follow a pattern. */
export interface PropertyFamily extends PropertyFacts {
  /** As documented: `column.mask.with.<n>.chars`, `producer.override.*`. */
  readonly name: string;
  readonly pattern: RegExp;
}

export type ConfigDef = Readonly<Record<string, Property>>;

type ParsedValue<P extends Property> = P extends { readonly required: true } | { readonly default: string }
  ? PropertyValues[P['type']]
  : PropertyValues[P['type']] | undefined;

export type ParsedConfig<D extends ConfigDef> = { readonly [K in keyof D]: ParsedValue<D[K]> };

/** One thing to say of one property; `warning` when the user asked for something that does not happen. */
export interface ConfigNotice {
  readonly property: string;
  readonly level: 'info' | 'warning';
  readonly text: string;
}

export interface ConfigProblem {
  readonly property: string;
  readonly text: string;
  /** A known property or value that this version does not do; else the value is wrong. */
  readonly unsupported: boolean;
}

export interface ConfigReading<D extends ConfigDef> {
  /** Complete only without problems; see `parsedOrThrow`. */
  readonly values: Partial<ParsedConfig<D>>;
  readonly problems: readonly ConfigProblem[];
  readonly notices: readonly ConfigNotice[];
}

/** All that is known of a connector's properties. */
export interface ConnectorDef<D extends ConfigDef> {
  /** The properties whose parsed values are used. */
  readonly definition: D;
  /** Those that are known by name only. */
  readonly others: ConfigDef;
  readonly families: readonly PropertyFamily[];
}

/** Gives a definition its exact type. */
export function defineConfig<const D extends ConfigDef>(definition: D): D {
  return definition;
}

/** Reads a property's text as its type. */
function parseValue<T extends PropertyType>(type: T, text: string): PropertyValues[T] | ValueProblem;
function parseValue(type: PropertyType, text: string): PropertyValues[PropertyType] | ValueProblem {
  const trimmed = text.trim();
  switch (type) {
    case 'boolean': {
      const lower = trimmed.toLowerCase();
      if (lower === 'true' || lower === 'false') return lower === 'true';
      return new ValueProblem('must be true or false');
    }
    case 'int':
      return parseInteger(trimmed, 2 ** 31 - 1, 'a whole number of 32 bits');
    case 'long':
      return parseInteger(trimmed, Number.MAX_SAFE_INTEGER, 'a whole number');
    case 'double': {
      const value = Number(trimmed);
      return trimmed === '' || !Number.isFinite(value) ? new ValueProblem('must be a number') : value;
    }
    case 'string':
    case 'class':
      return trimmed;
    case 'list':
      return trimmed === '' ? [] : trimmed.split(/\s*,\s*/);
    case 'password':
      return new Secret(trimmed);
  }
}

/** Why a text is not a value; the end of a sentence. */
class ValueProblem {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function parseInteger(text: string, max: number, what: string): number | ValueProblem {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  return Math.abs(value) <= max ? value : new ValueProblem(`must be ${what}`);
}

/**
 * Reads a configuration whole: every problem and everything there is to say, not only the first. Names that are not
 * known at all are kept and warned about, as Kafka Connect's users expect.
 */
export function readConfig<D extends ConfigDef>(
  connector: ConnectorDef<D>,
  properties: Readonly<Record<string, string>>,
): ConfigReading<D> {
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  const notices: ConfigNotice[] = [];
  for (const [name, property] of Object.entries<Property>(connector.definition)) {
    const given = properties[name];
    const text = given ?? property.default;
    if (given === undefined && property.required) {
      problems.push({ property: name, text: `${name} is missing. ${property.doc}`, unsupported: false });
    }
    if (text === undefined) continue;
    const value = parseValue(property.type, text);
    const fault = value instanceof ValueProblem ? value.text : checkValue(property, value);
    if (fault !== undefined) {
      const shown = property.type === 'password' ? 'its value' : `"${text}"`;
      problems.push({ property: name, text: `${name}: ${shown} ${fault}.`, unsupported: false });
    }
    values[name] = value;
  }
  for (const [name, text] of Object.entries(properties)) {
    const facts = findProperty(connector, name);
    if (facts === undefined) {
      notices.push({
        property: name,
        level: 'warning',
        text: `${name} is not a property that Millrace knows; it is kept and has no effect.`,
      });
    } else if (!isHarmless(facts, text)) {
      judge(name, facts, { problems, notices });
    }
  }
  // Every key of `definition` was set above, or is optional in ParsedConfig, or has a problem.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return { values: values as Partial<ParsedConfig<D>>, problems, notices };
}

function checkValue(property: Property, value: PropertyValues[PropertyType]): string | undefined {
  // parseValue made the value as property.type says, which TypeScript cannot follow through the union.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const check = property.check as ((value: PropertyValues[PropertyType]) => string | undefined) | undefined;
  return check?.(value);
}

/** What is known of a property; undefined if nothing. */
export function findProperty(
  { definition, others, families }: ConnectorDef<ConfigDef>,
  name: string,
): Property | PropertyFamily | undefined {
  if (Object.hasOwn(definition, name)) return definition[name];
  if (Object.hasOwn(others, name)) return others[name];
  return families.find((family) => family.pattern.test(name));
}

function isHarmless(facts: Property | PropertyFamily, text: string): boolean {
  const value = text.trim().toLowerCase();
  const isDefault = 'default' in facts && facts.default?.toLowerCase() === value;
  return isDefault || value === '' || (facts.harmless?.some((harmless) => harmless.toLowerCase() === value) ?? false);
}

function judge(name: string, facts: PropertyFacts, into: { problems: ConfigProblem[]; notices: ConfigNotice[] }): void {
  const why = facts.why === undefined ? '' : ` ${facts.why}`;
  switch (facts.effect ?? 'works') {
    case 'works':
      return;
    case 'not needed':
      into.notices.push({ property: name, level: 'info', text: `${name} is accepted and not needed.${why}` });
      return;
    case 'no effect':
      into.notices.push({ property: name, level: 'warning', text: `${name} has no effect in this version.${why}` });
      return;
    case 'refused':
      into.problems.push({ property: name, text: `${name} is not supported in this version.${why}`, unsupported: true });
  }
}

/**
 * The values of a reading without problems.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming every problem
 */
export function parsedOrThrow<D extends ConfigDef>(reading: ConfigReading<D>, connector: string): ParsedConfig<D> {
  throwProblems(reading.problems, connector);
  // Without problems every required key and every default has been parsed.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return reading.values as ParsedConfig<D>;
}

/** @throws CONFIG_INVALID, or CONFIG_UNSUPPORTED when all that is wrong is unsupported; nothing without problems */
function throwProblems(problems: readonly ConfigProblem[], connector: string): void {
  if (problems.length === 0) return;
  const code = problems.every((problem) => problem.unsupported) ? 'CONFIG_UNSUPPORTED' : 'CONFIG_INVALID';
  const texts = problems.map((problem) => problem.text);
  const listed = texts.length === 1 ? ` ${texts[0]}` : `\n${texts.map((text) => `  - ${text}`).join('\n')}`;
  const names = [...new Set(problems.map((problem) => problem.property))];
  const error = new MillraceError(code, `The configuration of connector "${connector}" cannot be used:${listed}`, {
    context: { connector, properties: names },
    nextStep: `Correct ${names.join(', ')} in the configuration of "${connector}".`,
  });
  problemsByError.set(error, problems);
  throw error;
}

const problemsByError = new WeakMap<MillraceError, readonly ConfigProblem[]>();

/** The problems of a configuration that `parsedOrThrow` refused, one by one; none of any other error. */
export function configProblems(error: unknown): readonly ConfigProblem[] {
  return isMillraceError(error) ? (problemsByError.get(error) ?? []) : [];
}

/** Whether a property hides its value: by type, or by a name that Kafka Connect's users give to secrets. */
export function isSecretName(name: string, definition: ConfigDef): boolean {
  if (Object.hasOwn(definition, name)) return definition[name]?.type === 'password';
  return /(?:password|secret|token|credential|jaas|private\.key|passphrase)/i.test(name);
}

/** Checks that the value is one of these, in any letter case. */
export function oneOf(...allowed: readonly string[]): (value: string) => string | undefined {
  return (value) => (allowed.includes(value.toLowerCase()) ? undefined : `must be one of ${allowed.join(', ')}`);
}

/** Checks that a number lies between two, both included. */
export function between(min: number, max = Number.MAX_SAFE_INTEGER): (value: number) => string | undefined {
  return (value) => {
    if (value >= min && value <= max) return undefined;
    return max === Number.MAX_SAFE_INTEGER ? `must be at least ${min}` : `must lie between ${min} and ${max}`;
  };
}

/** Checks that a text is not empty. */
export function notEmpty(value: string): string | undefined {
  return value === '' ? 'must not be empty' : undefined;
}
