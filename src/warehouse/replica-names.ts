import { MillraceError } from '../base/errors.ts';
import { tableName, type TableId } from '../event/table-schema.ts';

/** Schema and table in the replica, unquoted. */
export interface ReplicaName {
  readonly schema: string;
  readonly table: string;
}

export interface NamingOptions {
  /** `replica.name.format`: `schema.table`, in which `${prefix}`, `${database}` and `${table}` are replaced. */
  readonly format: string;
  /** `replica.name.map`: `database.table:schema.table`, separated by commas; it takes precedence. */
  readonly map: string;
}

export type ReplicaNaming = (source: string, table: TableId) => ReplicaName;

export const defaultNameFormat = '${database}.${table}';

/** Schemas that the warehouse keeps for itself; compared without case. */
const reservedSchemas = new Set(['main', 'temp', 'system', 'pg_catalog', 'information_schema', 'millrace', 'millrace_replica']);

/** Tables whose name begins so are Millrace's own: what is being loaded or rebuilt. */
export const asidePrefix = '__millrace_';

/**
 * Where the tables of a source stand in the replica.
 * @throws CONFIG_INVALID when the settings cannot be read
 */
export function createNaming({ format, map }: NamingOptions): ReplicaNaming {
  const dot = format.indexOf('.');
  if (dot <= 0 || dot === format.length - 1 || /\$\{(?!(?:prefix|database|table)\})/.test(format)) {
    throw new MillraceError('CONFIG_INVALID', `replica.name.format is "${format}"`, {
      nextStep: `It is schema.table, made of \${prefix}, \${database}, \${table} and other text, such as ${defaultNameFormat}.`,
    });
  }
  if (!format.includes('${table}')) {
    throw new MillraceError('CONFIG_INVALID', `replica.name.format "${format}" lacks \${table}: all tables would be one`);
  }
  const schemaFormat = format.slice(0, dot);
  const tableFormat = format.slice(dot + 1);
  const mapped = parseMap(map);
  return (source, table) => {
    const direct = mapped.get(tableName(table));
    if (direct !== undefined) return direct;
    const fill = (text: string): string =>
      text.replaceAll(/\$\{(prefix|database|table)\}/g, (_, name: string) =>
        name === 'prefix' ? source : name === 'database' ? table.database : table.table,
      );
    return { schema: fill(schemaFormat), table: fill(tableFormat) };
  };
}

function parseMap(map: string): ReadonlyMap<string, ReplicaName> {
  const names = new Map<string, ReplicaName>();
  for (const part of map.split(',')) {
    const entry = part.trim();
    if (entry === '') continue;
    const match = /^([^:]+\.[^:]+):([^:.]+)\.([^:]+)$/.exec(entry);
    const [, from, schema, table] = match ?? [];
    if (from === undefined || schema === undefined || table === undefined) {
      throw new MillraceError('CONFIG_INVALID', `replica.name.map has "${entry}"`, {
        nextStep: 'Each part is database.table:schema.table; parts are separated by commas.',
      });
    }
    names.set(from.trim(), { schema: schema.trim(), table: table.trim() });
  }
  return names;
}

/** What two names have in common when the warehouse takes them for one: it compares names without case. */
export function foldedName({ schema, table }: ReplicaName): string {
  return `${schema.toLowerCase()}\n${table.toLowerCase()}`;
}

/** @throws NAME_COLLISION when the name is the warehouse's or Millrace's own */
export function checkReserved(name: ReplicaName, table: TableId): void {
  const reserved = reservedSchemas.has(name.schema.toLowerCase()) || name.table.toLowerCase().startsWith(asidePrefix);
  if (reserved || name.schema === '' || name.table === '') {
    throw collision(`${tableName(table)} would be ${name.schema}.${name.table} in the replica, which is reserved`, table);
  }
}

/** The error for a name that two tables would have, with the setting that repairs it. */
export function collision(message: string, table: TableId): MillraceError {
  return new MillraceError('NAME_COLLISION', message, {
    nextStep:
      `Give it another name: "replica.name.map": "${tableName(table)}:other_schema.${table.table}", ` +
      'or give all of the source a schema of their own: "replica.name.format": "${prefix}_${database}.${table}".',
    context: { table: tableName(table) },
  });
}
