import { parseRegexList } from '../config/java-regex.ts';
import type { TableId } from '../event/table-schema.ts';

const names = ['database.include.list', 'database.exclude.list', 'table.include.list', 'table.exclude.list'] as const;

/**
 * Which tables a source's `database.*` and `table.*` lists let in, by properties that repeat them; undefined when none of them
 * is there.
 */
export function captureFilter(properties: Readonly<Record<string, string>>): ((table: TableId) => boolean) | undefined {
  if (names.every((name) => (properties[name] ?? '').trim() === '')) return undefined;
  const [databases, notDatabases, tables, notTables] = names.map((name) => parseRegexList(properties[name] ?? ''));
  const passes = (list: typeof databases, name: string): boolean => list === undefined || list.patterns.length === 0 || list.matches(name);
  return ({ database, table }) =>
    passes(databases, database) &&
    notDatabases?.matches(database) !== true &&
    passes(tables, `${database}.${table}`) &&
    notTables?.matches(`${database}.${table}`) !== true;
}
