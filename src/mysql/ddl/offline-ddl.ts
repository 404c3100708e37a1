import type { DdlReader } from '../../connect/ddl-reader.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { captureTable } from '../captured.ts';
import type { CharsetCatalog } from '../charset-catalog.ts';
import type { TableDefinition } from '../read-schema.ts';
import { applyDdl, type DdlScope } from './apply-ddl.ts';
import { readDdl, sqlModeBits } from './read-ddl.ts';
import { usualCharsets } from './server-charsets.ts';

/** Notes of a reader, by what stands before the colon of their key. */
const noteKind = { table: 'table', database: 'database', server: 'server' } as const;

interface KnownTable {
  readonly definition: TableDefinition;
  readonly excluded: readonly string[];
}

/** Follows the statements of a schema-change topic or a schema history where no server is at hand. */
export function openDdlReader(flavor: 'mysql' | 'mariadb', notes: ReadonlyMap<string, string>): DdlReader {
  return openOfflineTables(usualCharsets(flavor), notes);
}

/** A reader of statements that shows its tables with their keys. */
export interface OfflineTables extends DdlReader {
  definitions(): readonly TableDefinition[];
}

/** What a statement's session had set is not known: it is taken for one with today's defaults, in UTC. */
export function openOfflineTables(charsets: CharsetCatalog, notes: ReadonlyMap<string, string>): OfflineTables {
  const tables = new Map<string, KnownTable>();
  const collations = new Map<string, string>();
  const changed = new Map<string, string | null>();
  let catalog = charsets;
  const { flavor } = charsets;

  const put = (table: KnownTable): void => {
    const name = tableName(table.definition.schema);
    tables.set(name, table);
    changed.set(`${noteKind.table}:${name}`, JSON.stringify(table));
  };
  const remove = (table: TableId): void => {
    tables.delete(tableName(table));
    changed.set(`${noteKind.table}:${tableName(table)}`, null);
  };
  const isExcluded = (table: TableId, column: string): boolean => tables.get(tableName(table))?.excluded.includes(column) ?? false;
  for (const [key, text] of notes) {
    const name = key.slice(key.indexOf(':') + 1);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own note
    if (key.startsWith(`${noteKind.table}:`)) tables.set(name, JSON.parse(text) as KnownTable);
    else if (key.startsWith(`${noteKind.database}:`)) collations.set(name, text);
    else catalog = { ...catalog, serverCollation: text };
  }

  const scope = (): DdlScope => ({
    find: (table) => tables.get(tableName(table))?.definition,
    inDatabase: (database) => [...tables.values()].flatMap(({ definition }) => (definition.schema.database === database ? definition : [])),
    databaseCollation: (database) => collations.get(database),
    captures: () => true,
    capturesColumn: (table, column) => !isExcluded(table, column),
    catalog,
    sqlMode: sqlModeBits.strictTransTables,
    explicitTimestamps: true,
    timeZone: '+00:00',
  });

  return {
    find: (table) => {
      const known = tables.get(tableName(table));
      return known === undefined ? undefined : captureTable(known.definition.schema, (id, column) => !isExcluded(id, column)).captured;
    },
    apply(text, database) {
      // the snapshot begins with the server's own character set
      const server = /^SET .*collation_server=([a-z0-9_]+)/i.exec(text)?.[1];
      if (server !== undefined) {
        catalog = { ...catalog, serverCollation: server };
        changed.set(`${noteKind.server}:`, server);
      }
      const statement = readDdl(text, { flavor, defaultDatabase: database, sqlMode: sqlModeBits.strictTransTables });
      const effect = applyDdl(statement, scope());
      const excluded = excludedAfter(effect.changes, (table) => tables.get(tableName(table))?.excluded ?? []);
      for (const table of effect.removed) remove(table);
      for (const definition of effect.defined) {
        const name = tableName(definition.schema);
        put({ definition, excluded: excluded.get(name) ?? tables.get(name)?.excluded ?? [] });
      }
      for (const each of effect.databases) {
        if (each.collation === null) collations.delete(each.database);
        else collations.set(each.database, each.collation);
        changed.set(`${noteKind.database}:${each.database}`, each.collation);
      }
      return { changes: effect.changes, uncertain: effect.uncertain, unreadable: effect.unreadable !== undefined };
    },
    define(schema: TableSchema) {
      put({ definition: { schema, keys: [] }, excluded: tables.get(tableName(schema))?.excluded ?? [] });
    },
    definitions: () => [...tables.values()].map(({ definition }) => definition),
    remove,
    exclude(table, columns) {
      const known = tables.get(tableName(table));
      if (known !== undefined) put({ ...known, excluded: [...known.excluded, ...columns] });
    },
    drainNotes() {
      const drained = new Map(changed);
      changed.clear();
      return drained;
    },
  };
}

/** A table that gets another name keeps what is left out of it. */
function excludedAfter(
  changes: readonly { readonly kind: string; readonly before?: TableId; readonly after?: TableId }[],
  excludedOf: (table: TableId) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const renamed = changes.flatMap(({ kind, before, after }) =>
    kind === 'renameTable' && before !== undefined && after !== undefined ? [[tableName(after), excludedOf(before)] as const] : [],
  );
  return new Map(renamed);
}
