import { definitionOf } from './config-key.ts';
import type { ConfigInfos, ConfigKey, KeyType, KeyValue } from './config-key.ts';

export interface ValidateKeys {
  /** `connector.class` as it was given. */
  readonly name: string;
  readonly keys: readonly ConfigKey[];
  /** Groups in their order; those without a key count too. */
  readonly groups: readonly string[];
  readonly config: Readonly<Record<string, string | null>>;
  /** Further errors by property, of what only the connector knows. */
  readonly errors?: ReadonlyMap<string, readonly string[]>;
}

/** Judges every property of a configuration. Properties that nobody knows are told of only when something is wrong with them. */
export function validateKeys({ name, keys, groups, config, errors = new Map() }: ValidateKeys): ConfigInfos {
  const known = new Set(keys.map(({ facts }) => facts[0]));
  const unknown = Object.entries(config).flatMap(([property, value]) => {
    const own = [
      ...(value === null && !known.has(property) ? ['Null value can not be supplied as the configuration value.'] : []),
      ...(known.has(property) ? [] : (errors.get(property) ?? [])),
    ];
    return own.length === 0 ? [] : [{ definition: null, value: { ...emptyValue, name: property, value, errors: own } }];
  });
  const judged = keys.map((key) => ({ definition: definitionOf(key), value: judge(key, config, errors) }));
  const configs = [...unknown, ...judged];
  return { name, error_count: configs.reduce((sum, { value }) => sum + value.errors.length, 0), groups, configs };
}

const emptyValue = { recommended_values: [], visible: true } as const;

function judge(key: ConfigKey, config: ValidateKeys['config'], further: ReadonlyMap<string, readonly string[]>): KeyValue {
  const [name, type, fallback] = key.facts;
  const given = config[name];
  const errors: string[] = [...(key.first ?? [])];
  let value: string | null = key.value ?? fallback;
  if (given === null) {
    errors.push('Null value can not be supplied as the configuration value.');
  } else if (given !== undefined) {
    const parsed = parseText(type, given);
    value = parsed ?? null;
    if (parsed === undefined) errors.push(...parseErrors(key, given, further.has(name)));
  } else if (key.required === true && key.value === undefined) {
    errors.push(`Missing required configuration "${name}" which has no default value.`);
  }
  if (key.check !== undefined && (given !== undefined || key.required !== true)) errors.push(...key.check(value));
  errors.push(...(further.get(name) ?? []));
  // A class that is none is not shown.
  const isRefused = errors.length > 0 && type === 'CLASS';
  const shown = isRefused || key.untold === true ? null : value;
  return {
    name,
    value: type === 'PASSWORD' && shown !== null ? '[hidden]' : shown,
    recommended_values: key.recommended ?? [],
    errors,
    visible: key.visible ?? true,
  };
}

/** A connector that judges its own values has its own words, and may have said them. */
function parseErrors({ facts: [name, type], errorName, untold }: ConfigKey, given: string, isTold: boolean): readonly string[] {
  if (untold !== true) return [`Invalid value ${given} for configuration ${errorName ?? name}: ${complaints[type] ?? ''}`];
  return isTold ? [] : [`The '${name}' value is invalid: ${ownComplaints[type] ?? 'It cannot be read'}`];
}

const ownComplaints: Partial<Readonly<Record<KeyType, string>>> = {
  BOOLEAN: "Either 'true' or 'false' is expected",
  INT: 'An integer is expected',
  LONG: 'A long value is expected',
};

const complaints: Partial<Readonly<Record<KeyType, string>>> = {
  BOOLEAN: 'Expected value to be either true or false',
  INT: 'Not a number of type INT',
  SHORT: 'Not a number of type SHORT',
  LONG: 'Not a number of type LONG',
  DOUBLE: 'Not a number of type DOUBLE',
};

/** The text of the parsed value, as Connect prints it; undefined: it cannot be parsed. Source: ConfigDef.parseType. */
function parseText(type: KeyType, text: string): string | undefined {
  // As Java's trim: other blanks than ASCII's stay.
  const trimmed = text.replaceAll(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, '');
  switch (type) {
    case 'BOOLEAN':
      return /^(?:true|false)$/i.test(trimmed) ? trimmed.toLowerCase() : undefined;
    case 'INT':
      return parseInteger(trimmed, 2n ** 31n);
    case 'SHORT':
      return parseInteger(trimmed, 2n ** 15n);
    case 'LONG':
      return parseInteger(trimmed, 2n ** 63n);
    case 'DOUBLE':
      return trimmed !== '' && Number.isFinite(Number(trimmed)) ? String(Number(trimmed)) : undefined;
    case 'LIST':
      return trimmed === '' ? '' : trimmed.split(/\s*,\s*/).join(',');
    case 'STRING':
    case 'CLASS':
      return trimmed;
    case 'PASSWORD':
      return text;
  }
}

function parseInteger(text: string, bound: bigint): string | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= -bound && value < bound ? String(value) : undefined;
}
