/**
 * What Kafka Connect's REST API tells of a configuration's properties. Source: ConfigDef, ConfigKeyInfo and ConfigValueInfo of
 * Kafka 4.3.
 */

import type { Property } from './config-def.ts';

export type KeyType = 'STRING' | 'BOOLEAN' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD';

/** A property as a line of a table; the order counts from 1 in its group, -1 without one. */
export type KeyFacts = readonly [
  name: string,
  type: KeyType,
  fallback: string | null,
  importance: 'HIGH' | 'MEDIUM' | 'LOW',
  group: string | null,
  order: number,
  width: 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG',
  displayName: string,
  dependents?: readonly string[],
];

/** A property in the words of the API. */
export interface KeyDefinition {
  readonly name: string;
  readonly type: KeyType;
  readonly required: boolean;
  readonly default_value: string | null;
  readonly importance: string;
  readonly documentation: string;
  readonly group: string | null;
  readonly order_in_group: number;
  readonly width: string;
  readonly display_name: string;
  readonly dependents: readonly string[];
}

export interface KeyValue {
  readonly name: string;
  readonly value: string | null;
  readonly recommended_values: readonly string[];
  readonly errors: readonly string[];
  readonly visible: boolean;
}

/** Answer of `/connector-plugins/{class}/config/validate`. */
export interface ConfigInfos {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly { readonly definition: KeyDefinition | null; readonly value: KeyValue }[];
}

/** A property with all that is known of it. */
export interface ConfigKey {
  readonly facts: KeyFacts;
  readonly required?: true;
  readonly doc: string;
  readonly visible?: false;
  /** Values that a client may offer. */
  readonly recommended?: readonly string[];
  /** Its name in complaints; its own when absent. */
  readonly errorName?: string;
  /** What it is when nothing is given, though it is required. */
  readonly value?: string;
  /** It is never told what it is. */
  readonly untold?: true;
  /** Complaints that come before those of its value. */
  readonly first?: readonly string[];
  /** Given the parsed value's text, null for none: what is wrong with it, in Connect's words. */
  readonly check?: (value: string | null) => readonly string[];
}

const keyTypes: Readonly<Record<Property['type'], KeyType>> = {
  boolean: 'BOOLEAN',
  int: 'INT',
  long: 'LONG',
  double: 'DOUBLE',
  string: 'STRING',
  list: 'LIST',
  password: 'PASSWORD',
  class: 'CLASS',
};

const importances = { high: 'HIGH', medium: 'MEDIUM', low: 'LOW' } as const;

/** Where a property stands among others, and how wide its field is. */
export interface KeyPlace {
  readonly group: string | null;
  readonly order: number;
  readonly width: KeyFacts[6];
}

/** A property of a definition of our own, shown under its own name. */
export function keyOf(name: string, property: Property, { group, order, width }: KeyPlace): ConfigKey {
  const { type, importance, doc, required } = property;
  return {
    facts: [name, keyTypes[type], property.default ?? null, importances[importance], group, order, width, name],
    doc,
    ...(required === true ? { required: true as const } : {}),
  };
}

export function definitionOf({ facts, required, doc }: ConfigKey): KeyDefinition {
  const [name, type, fallback, importance, group, order, width, displayName, dependents = []] = facts;
  return {
    name,
    type,
    required: required ?? false,
    default_value: fallback,
    importance,
    documentation: doc,
    group,
    order_in_group: order,
    width,
    display_name: displayName,
    dependents,
  };
}
