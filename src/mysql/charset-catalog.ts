import { isAtLeast } from '../binlog/server-version.ts';
import type { ServerVersion } from '../binlog/server-version.ts';
import { charsetOf, type SchemaConnection } from './read-schema.ts';

/** What a server means by the names of character sets: needed to know the columns that a DDL statement makes. */
export interface CharsetCatalog {
  readonly flavor: 'mysql' | 'mariadb';
  /** By character set, as the server's own settings have it. */
  readonly defaultCollations: ReadonlyMap<string, string>;
  /** The same without MariaDB's `character_set_collations`. */
  readonly primaryCollations: ReadonlyMap<string, string>;
  /** By the number that the binlog's events have. */
  readonly collationsById: ReadonlyMap<number, string>;
  /** Most bytes of a character, by character set. */
  readonly maxLengths: ReadonlyMap<string, number>;
  /** `collation_server`: what a database has whose statement names none. */
  readonly serverCollation: string;
  /** Default collation by database, as it was when the catalog was read. */
  readonly databaseCollations: ReadonlyMap<string, string>;
  /** Whether integer types are printed with a display width that nobody wrote: int(11). */
  readonly integerWidths: boolean;
  /** lower_case_table_names is not 0: the names of databases and tables do not differ by case. */
  readonly foldsNames: boolean;
}

/** Reads the catalog from the server. @throws MYSQL_QUERY_FAILED, MYSQL_UNREACHABLE */
export async function readCharsetCatalog(connection: SchemaConnection, signal: AbortSignal): Promise<CharsetCatalog> {
  const { version } = connection;
  const select = 'SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME, MAXLEN FROM information_schema.character_sets';
  const charsets = await connection.query(select, signal);
  const configurable = version.flavor === 'mariadb' && isAtLeast(version, 11, 2);
  const primary = configurable ? await connection.query(`SET STATEMENT character_set_collations = '' FOR ${select}`, signal) : charsets;
  const collations = await connection.query(collationsStatement(version), signal);
  const databases = await connection.query('SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.schemata', signal);
  const [settings] = await connection.query('SELECT @@global.collation_server, @@global.lower_case_table_names', signal);
  return {
    flavor: version.flavor,
    defaultCollations: new Map(charsets.map((row) => [row[0] ?? '', row[1] ?? ''])),
    primaryCollations: new Map(primary.map((row) => [row[0] ?? '', row[1] ?? ''])),
    collationsById: new Map(collations.map((row) => [Number(row[0]), row[1] ?? ''])),
    maxLengths: new Map(charsets.map((row) => [row[0] ?? '', Number(row[2])])),
    serverCollation: settings?.[0] ?? 'utf8mb4_general_ci',
    databaseCollations: new Map(databases.map((row) => [row[0] ?? '', row[1] ?? ''])),
    integerWidths: version.flavor === 'mariadb' || !isAtLeast(version, 8, 0, 19),
    foldsNames: settings?.[1] !== '0',
  };
}

/** MariaDB's COLLATIONS has no number for those that any Unicode character set can have. */
function collationsStatement(version: ServerVersion): string {
  const contextual = version.flavor === 'mariadb' && isAtLeast(version, 10, 10);
  return contextual
    ? 'SELECT ID, FULL_COLLATION_NAME FROM information_schema.collation_character_set_applicability'
    : 'SELECT ID, COLLATION_NAME FROM information_schema.collations';
}

/** A collation with its character set. */
export interface ResolvedCharset {
  readonly charset: string;
  readonly collation: string;
}

interface Clause {
  readonly charset?: string;
  readonly collation?: string;
  readonly binary?: boolean;
}

/**
 * What a CHARACTER SET and COLLATE clause mean where `inherited` is the default: a collation alone names its character
 * set, a character set alone its default collation. MariaDB's `uca1400_ai_ci` is the collation of any character set.
 */
export function resolveCharset(clause: Clause, inherited: string, catalog: CharsetCatalog): ResolvedCharset {
  const base = charsetOf(inherited);
  const named = clause.charset === undefined || clause.charset === 'default' ? undefined : canonical(clause.charset, catalog);
  const { collation } = clause;
  if (collation !== undefined && collation !== 'default') {
    const prefix = canonical(charsetOf(collation), catalog);
    if (catalog.defaultCollations.has(prefix)) {
      return { charset: prefix, collation: prefix + collation.slice(charsetOf(collation).length) };
    }
    const charset = named ?? base;
    return { charset, collation: `${charset}_${collation}` };
  }
  const charset = named ?? base;
  if (clause.binary === true && charset !== 'binary') return { charset, collation: `${charset}_bin` };
  if (named === undefined && collation === undefined) return { charset: base, collation: inherited };
  return { charset, collation: catalog.defaultCollations.get(charset) ?? charset };
}

/** `utf8` is utf8mb3 on servers that know that name. */
function canonical(charset: string, { defaultCollations }: CharsetCatalog): string {
  if (charset === 'utf8' && defaultCollations.has('utf8mb3')) return 'utf8mb3';
  if (charset === 'utf8mb3' && !defaultCollations.has('utf8mb3')) return 'utf8';
  return charset;
}
