import { createHash } from 'node:crypto';
import { MillraceError } from '../base/errors.ts';
import { parseRegexList, type RegexList } from './java-regex.ts';

type Properties = Readonly<Record<string, string | undefined>>;

/** What hides a column's values, of character types only: asterisks, a digest, or all but the first characters. */
export type Mask =
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'asterisks'; readonly length: number }
  /** `javaSerialized`: of the text as Java writes an object, as the first version of the property has it. */
  | { readonly kind: 'hash'; readonly algorithm: string; readonly salt: string; readonly javaSerialized: boolean };

export interface RuledColumn {
  readonly name: string;
  readonly nativeType: string;
  readonly versioning?: 'start' | 'end';
  readonly invisible?: boolean;
}

/** A table as far as rules of columns look at it. */
export interface RuledTable {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly RuledColumn[];
  readonly primaryKey: readonly number[];
}

/** `column.mask.*`, `column.truncate.*`, `message.key.columns`, `*.propagate.source.type`, `column.*.list`, applied. */
export interface ColumnRules {
  readonly hasMasks: boolean;
  /** All that name the column, in the order in which they are tried; the first one counts. */
  masksOf(table: RuledTable, column: string): readonly Mask[];
  /** Positions of the columns that make the records' key. */
  messageKey(table: RuledTable): readonly number[];
  /** Whether the column's schema tells its type in the source. */
  propagates(table: RuledTable, column: { readonly name: string; readonly nativeType: string }): boolean;
  /** Whether the records' rows have the column; their keys have it in any case. */
  isInRow(table: RuledTable, column: string): boolean;
  /**
   * Position of the column that says when a row's version ended, where MariaDB has added it without a name that anyone gave: then
   * no record has it, nor is there one of rows that have ended. Undefined: there is none.
   */
  hiddenEnd(table: RuledTable): number | undefined;
}

/** MariaDB's system versioning adds columns that no SELECT * has. */
export function isHidden({ versioning, invisible }: RuledColumn): boolean {
  return versioning !== undefined && invisible === true;
}

interface MaskRule {
  readonly mask: Mask;
  readonly columns: RegexList;
}

interface KeyRule {
  readonly columns: readonly { readonly name: string; readonly of: RegexList }[];
}

/** @throws CONFIG_INVALID naming a property whose value cannot be used */
export function readColumnRules(properties: Properties): ColumnRules {
  const masks = readMasks(properties);
  const keys = readMessageKeys(properties['message.key.columns']);
  const columns = listOf(properties, 'column.propagate.source.type');
  const types = listOf(properties, 'datatype.propagate.source.type');
  const include = listOf(properties, 'column.include.list');
  const exclude = listOf(properties, 'column.exclude.list');
  return {
    hasMasks: masks.length > 0,
    masksOf: ({ database, table }, column) =>
      masks.filter((rule) => rule.columns.matches(`${database}.${table}.${column}`)).map(({ mask }) => mask),
    messageKey: (table) => messageKeyOf(table, keys) ?? shownKey(table),
    hiddenEnd: ({ columns: own }) => {
      const position = own.findIndex((column) => column.versioning === 'end' && isHidden(column));
      return position < 0 ? undefined : position;
    },
    propagates: ({ database, table }, { name, nativeType }) =>
      columns?.matches(`${database}.${table}.${name}`) === true || types?.matches(`${database}.${table}.${nativeType}`) === true,
    isInRow: ({ database, table, columns: own }, column) => {
      if (own.some((each) => each.name === column && isHidden(each))) return false;
      const name = `${database}.${table}.${column}`;
      return include === undefined ? exclude?.matches(name) !== true : include.matches(name);
    },
  };
}

function listOf(properties: Properties, name: string): RegexList | undefined {
  const text = properties[name]?.trim() ?? '';
  return text === '' ? undefined : parseRegexList(text);
}

const truncatePattern = /^column\.truncate\.to\.(\d+)\.chars$/;
const asterisksPattern = /^column\.mask\.with\.(\d+)\.chars$/;
const hashPattern = /^column\.mask\.hash\.(v2\.)?([^.]+)\.with\.salt\.(.+)$/;

function readMasks(properties: Properties): readonly MaskRule[] {
  const rules: (MaskRule & { readonly rank: number })[] = [];
  for (const [name, text] of Object.entries(properties)) {
    if (text === undefined || text.trim() === '') continue;
    const mask = maskOfName(name);
    if (mask !== undefined) rules.push({ mask, columns: parseRegexList(text), rank: rankOf(mask) });
  }
  return rules.toSorted((a, b) => a.rank - b.rank);
}

function rankOf(mask: Mask): number {
  if (mask.kind !== 'hash') return mask.kind === 'truncate' ? 0 : 1;
  return mask.javaSerialized ? 2 : 3;
}

function maskOfName(name: string): Mask | undefined {
  const truncated = truncatePattern.exec(name)?.[1];
  if (truncated !== undefined) return { kind: 'truncate', length: Number(truncated) };
  const asterisks = asterisksPattern.exec(name)?.[1];
  if (asterisks !== undefined) return { kind: 'asterisks', length: Number(asterisks) };
  const [, v2, algorithm, salt] = hashPattern.exec(name) ?? [];
  if (algorithm === undefined || salt === undefined) return undefined;
  return { kind: 'hash', algorithm: nodeAlgorithm(name, algorithm), salt, javaSerialized: v2 === undefined };
}

/** Java's name of a digest in Node's words. */
function nodeAlgorithm(property: string, javaName: string): string {
  const name = javaName
    .toLowerCase()
    .replace(/^sha-(?=\d)/, 'sha')
    .replace(/^sha$/, 'sha1')
    .replaceAll('/', '-');
  try {
    createHash(name);
  } catch {
    throw new MillraceError('CONFIG_INVALID', `${property}: there is no digest ${javaName} here`, {
      nextStep: 'Use SHA-256, SHA-512 or another one that OpenSSL has.',
    });
  }
  return name;
}

/** `<tables>:<column>,…;…`, where each column's pattern counts with that of the tables. */
function readMessageKeys(text: string | undefined): readonly KeyRule[] {
  const rules: KeyRule[] = [];
  for (const part of text?.split(';') ?? []) {
    if (part.trim() === '') continue;
    const [, tables, columns] = /^\s*([^\s:]+):([^:]+)$/.exec(part) ?? [];
    if (tables === undefined || columns === undefined) {
      throw new MillraceError('CONFIG_INVALID', `message.key.columns: "${part}" is not <tables>:<column>,<column>`);
    }
    const names = columns.split(',').map((name) => name.trim());
    rules.push({ columns: names.map((name) => ({ name, of: parseRegexList(`${tables.replaceAll(',', String.raw`\,`)}\\.${name}`) })) });
  }
  return rules;
}

function shownKey({ columns, primaryKey }: RuledTable): readonly number[] {
  const hidden = new Set(columns.flatMap((column, position) => (isHidden(column) ? [position] : [])));
  return hidden.size === 0 ? primaryKey : primaryKey.filter((position) => !hidden.has(position));
}

/** The columns that the rules name, in their order; undefined: none. */
function messageKeyOf({ database, table, columns }: RuledTable, rules: readonly KeyRule[]): readonly number[] | undefined {
  const positions = new Set<number>();
  for (const rule of rules) {
    for (const { of } of rule.columns) {
      for (const [position, column] of columns.entries()) if (of.matches(`${database}.${table}.${column.name}`)) positions.add(position);
    }
  }
  return positions.size === 0 ? undefined : [...positions];
}
