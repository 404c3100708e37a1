import type { Column } from '../../event/table-schema.ts';
import type { TableKey } from '../read-schema.ts';
import type { KeyDefinition, PeriodDefinition } from './statement.ts';

/** What a key definition refers to. */
export interface KeyScope {
  readonly columns: readonly Column[];
  readonly periods: readonly PeriodDefinition[];
  readonly flavor: 'mysql' | 'mariadb';
  readonly maxLengths: ReadonlyMap<string, number>;
}

const primaryName = 'PRIMARY';
/** InnoDB's longest key; MariaDB makes a hash of longer unique ones. */
const maxKeyBytes = 3072;

export function sameName(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase();
}

/** Adds keys in the order of the statement, names those that have none, and sorts all as the server does. */
export function addKeys(existing: readonly TableKey[], added: readonly KeyDefinition[], scope: KeyScope): TableKey[] {
  const keys = [...existing];
  for (const definition of added) {
    if (definition.ifNotExists === true && exists(keys, definition)) continue;
    const columns = columnsOf(definition, scope);
    if (definition.kind === 'foreign' && serves(keys, added, columns)) continue;
    const unique = definition.kind === 'primary' || definition.kind === 'unique';
    const hash = unique && definition.kind !== 'primary' && isHashed(definition, scope);
    keys.push({
      name: definition.kind === 'primary' ? primaryName : (definition.name ?? freeName(keys, columns[0])),
      unique,
      columns,
      partial: hash || isPartial(definition, scope),
      ...(hash ? { hash } : {}),
    });
  }
  return sortKeys(keys, scope.columns);
}

function exists(keys: readonly TableKey[], { kind, name, parts }: KeyDefinition): boolean {
  const wanted = kind === 'primary' ? primaryName : (name ?? parts[0]?.column);
  return typeof wanted === 'string' && keys.some((key) => sameName(key.name, wanted));
}

/** Column names as the table spells them. */
function columnsOf({ parts, withoutOverlaps }: KeyDefinition, { columns, periods }: KeyScope): (string | null)[] {
  const names = parts.map(({ column }) => (column === null ? null : (find(columns, column)?.name ?? column)));
  const period = withoutOverlaps === undefined ? undefined : periods.find(({ name }) => sameName(name, withoutOverlaps));
  return period === undefined ? names : [...names, period.end, period.start];
}

function find(columns: readonly Column[], name: string): Column | undefined {
  return columns.find((column) => sameName(column.name, name));
}

/** A foreign key makes no key of its own where another begins with its columns. */
function serves(keys: readonly TableKey[], added: readonly KeyDefinition[], columns: readonly (string | null)[]): boolean {
  const startsSo = (names: readonly (string | null)[]): boolean =>
    columns.every((column, i) => column !== null && typeof names[i] === 'string' && sameName(names[i], column));
  if (keys.some((key) => startsSo(key.columns))) return true;
  return added.some(({ kind, parts }) => (kind === 'primary' || kind === 'unique' || kind === 'index') && startsSo(parts.map(({ column }) => column)));
}

/** The name of the first column, with a number from 2 on where that is taken. */
function freeName(keys: readonly TableKey[], first: string | null | undefined): string {
  const base = first ?? 'functional_index';
  const taken = (name: string): boolean => sameName(name, primaryName) || keys.some((key) => sameName(key.name, name));
  if (!taken(base)) return base;
  let number = 2;
  while (taken(`${base}_${number}`)) number++;
  return `${base}_${number}`;
}

/** A prefix as long as its column is none. */
function isPartial({ parts, kind }: KeyDefinition, { columns }: KeyScope): boolean {
  return parts.some(({ column, length }) => {
    if (column === null) return true;
    if (length === undefined) return kind === 'spatial';
    const whole = find(columns, column);
    return whole?.length === undefined || length < whole.length || !/CHAR|BINARY/.test(whole.nativeType);
  });
}

function isHashed({ parts, usingHash }: KeyDefinition, { columns, flavor, maxLengths }: KeyScope): boolean {
  if (flavor !== 'mariadb') return false;
  if (usingHash === true) return true;
  let bytes = 0;
  for (const { column, length } of parts) {
    const found = column === null ? undefined : find(columns, column);
    if (found === undefined) continue;
    const characterBytes = found.charset === undefined ? 1 : (maxLengths.get(found.charset) ?? 1);
    if (/TEXT|BLOB/.test(found.nativeType) && length === undefined) return true;
    bytes += /CHAR|BINARY|TEXT|BLOB/.test(found.nativeType) ? (length ?? found.length ?? 0) * characterBytes : 8;
  }
  return bytes > maxKeyBytes;
}

/** Primary first, unique before others, whole before prefixes, NOT NULL before nullable; else as they were. */
function sortKeys(keys: readonly TableKey[], columns: readonly Column[]): TableKey[] {
  const rank = (key: TableKey): number => {
    if (key.name === primaryName) return 0;
    if (!key.unique) return 9;
    const nullable = key.columns.some((name) => name !== null && find(columns, name)?.nullable !== false);
    return 1 + (key.partial ? 2 : 0) + (nullable ? 1 : 0);
  };
  return keys.toSorted((a, b) => rank(a) - rank(b));
}

/** Keys without a dropped column: one that loses its last column goes. */
export function dropFromKeys(keys: readonly TableKey[], dropped: readonly string[]): TableKey[] {
  if (dropped.length === 0) return [...keys];
  return keys.flatMap((key) => {
    const columns = key.columns.filter((column) => column === null || !dropped.some((name) => sameName(name, column)));
    if (columns.length === 0) return [];
    return columns.length === key.columns.length ? [key] : [{ ...key, columns }];
  });
}

export function renameInKeys(keys: readonly TableKey[], renames: ReadonlyMap<string, string>): TableKey[] {
  if (renames.size === 0) return [...keys];
  return keys.map((key) => ({
    ...key,
    columns: key.columns.map((column) => (column === null ? null : (renames.get(column.toLowerCase()) ?? column))),
  }));
}
