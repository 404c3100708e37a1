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
    const generated = definition.kind === 'foreign';
    if (
      generated &&
      serves(
        keys.filter((key) => key.generated !== true),
        { added, columns },
      )
    ) {
      continue;
    }
    dropServed(keys, columns);
    const unique = definition.kind === 'primary' || definition.kind === 'unique';
    const hash = unique && definition.kind !== 'primary' && isHashed(definition, scope);
    keys.push({
      name: definition.kind === 'primary' ? primaryName : (definition.name ?? freeName(keys, columns[0])),
      unique,
      columns,
      partial: hash || isPartial(definition, scope),
      ...(hash ? { hash } : {}),
      ...(generated ? { generated } : {}),
    });
  }
  return sortKeys(keys, scope.columns);
}

function exists(keys: readonly TableKey[], { kind, name, parts }: KeyDefinition): boolean {
  const wanted = kind === 'primary' ? primaryName : (name ?? parts[0]?.column);
  return typeof wanted === 'string' && keys.some((key) => sameName(key.name, wanted));
}

/** Column names as the table spells them. */
function columnsOf({ kind, parts, withoutOverlaps }: KeyDefinition, { columns, periods }: KeyScope): (string | null)[] {
  const names = parts.map(({ column }) => (column === null ? null : (find(columns, column)?.name ?? column)));
  // The rows of a table's history repeat its keys.
  const end = columns.find(({ versioning }) => versioning === 'end')?.name;
  const unique = kind === 'primary' || kind === 'unique';
  if (unique && end !== undefined && !names.includes(end)) names.push(end);
  const period = withoutOverlaps === undefined ? undefined : periods.find(({ name }) => sameName(name, withoutOverlaps));
  return period === undefined ? names : [...names, period.end, period.start];
}

function find(columns: readonly Column[], name: string): Column | undefined {
  return columns.find((column) => sameName(column.name, name));
}

/** Whether the first of these columns are those. */
function beginsWith(names: readonly (string | null)[], first: readonly (string | null)[]): boolean {
  return first.every((column, i) => column !== null && typeof names[i] === 'string' && sameName(names[i], column));
}

interface Wanted {
  readonly added: readonly KeyDefinition[];
  readonly columns: readonly (string | null)[];
}

/** Keys that the server made for foreign keys go when another one serves. */
function dropServed(keys: TableKey[], columns: readonly (string | null)[]): void {
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i];
    if (key?.generated === true && beginsWith(columns, key.columns)) keys.splice(i, 1);
  }
}

/** A foreign key makes no key of its own where another begins with its columns. */
function serves(keys: readonly TableKey[], { added, columns }: Wanted): boolean {
  if (keys.some((key) => beginsWith(key.columns, columns))) return true;
  return added.some(
    ({ kind, parts }) =>
      (kind === 'primary' || kind === 'unique' || kind === 'index') &&
      beginsWith(
        parts.map(({ column }) => column),
        columns,
      ),
  );
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

/**
 * MariaDB decides at each ALTER anew which unique keys are too long for an index: USING HASH does not last, and a column
 * may have grown.
 */
export function rehashed(keys: readonly TableKey[], scope: KeyScope): TableKey[] {
  if (scope.flavor !== 'mariadb') return [...keys];
  return keys.map((key) => {
    if (!key.unique || key.name === primaryName || (key.partial && key.hash !== true)) return key;
    const hash = isHashed({ kind: 'unique', parts: key.columns.map((column) => ({ column })) }, scope);
    const { hash: _, ...rest } = key;
    return { ...rest, partial: hash, ...(hash ? { hash } : {}) };
  });
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

/**
 * Keys under the new names of their columns (undefined: there is none any more). One that loses its last column goes.
 */
export function remapKeys(keys: readonly TableKey[], newName: (column: string) => string | undefined): TableKey[] {
  return keys.flatMap((key) => {
    const columns = key.columns.flatMap((column) => (column === null ? [null] : (newName(column) ?? [])));
    return columns.length === 0 ? [] : [{ ...key, columns }];
  });
}
