/** Identifiers and literals of Snowflake's SQL. Every name is quoted: what it means then depends on no setting. */

/** An identifier in double quotes. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in single quotes, in which Snowflake takes the backslash for an escape. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Where a table stands. */
export interface TablePlace {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}

export function qualified({ database, schema, table }: TablePlace): string {
  return `${quoted(database)}.${quoted(schema)}.${quoted(table)}`;
}

export function qualifiedSchema({ database, schema }: Pick<TablePlace, 'database' | 'schema'>): string {
  return `${quoted(database)}.${quoted(schema)}`;
}

/**
 * A pattern of LIKE that a name matches, as others may, too: whoever asks looks at the names that come. Whether SHOW knows a
 * way to take its wildcards for themselves is not told.
 */
export function likePattern(name: string): string {
  return literal(name.replaceAll('\\', '_'));
}
