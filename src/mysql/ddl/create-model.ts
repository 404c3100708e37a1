import { createTableSchema, type Column, type TableId } from '../../event/table-schema.ts';
import { resolveCharset } from '../charset-catalog.ts';
import { charsetOf, hashColumns, primaryKeyOf, versioningColumns, type TableDefinition } from '../read-schema.ts';
import { requireKeyColumns, requirePeriodColumns, type TableEnvironment } from './alter-model.ts';
import { columnModel, withImplicitTimestamp } from './column-model.ts';
import { addKeys } from './key-model.ts';
import type { DdlStatement } from './statement.ts';

type Create = Extract<DdlStatement, { kind: 'createTable' }>;

/** The table that a CREATE TABLE with a column list makes, and what of it is not certain. */
export function createModel(
  statement: Create,
  environment: TableEnvironment,
): { readonly model: TableDefinition; readonly doubts: readonly string[] } {
  const { catalog } = environment;
  const { options, periods } = statement;
  const doubts: string[] = [];
  const { collation } = resolveCharset(options.charset ?? {}, environment.databaseCollation, catalog);
  let timestamps = 0;
  const slots = statement.columns.map((definition) => {
    let given = definition;
    if (!environment.explicitTimestamps && definition.type.name === 'TIMESTAMP' && definition.generated === undefined) {
      given = withImplicitTimestamp(definition, timestamps++ === 0);
    }
    const made = columnModel(given, { ...environment, collation });
    if (made.doubt !== undefined) doubts.push(made.doubt);
    return { column: made.column };
  });
  const columns = (): Column[] => slots.map(({ column }) => column);
  for (const period of periods) requirePeriodColumns(slots, period);
  const scope = { periods, flavor: catalog.flavor, maxLengths: catalog.maxLengths };
  // A primary key makes its columns NOT NULL, by which the server then sorts the keys.
  requireKeyColumns(slots, addKeys([], statement.keys, { ...scope, columns: columns() }));
  const keys = addKeys([], statement.keys, { ...scope, columns: columns() });
  if (options.versioning === true && !statement.columns.some(({ versioning }) => versioning !== undefined)) {
    slots.push(...versioningColumns.map((column) => ({ column })));
  }
  slots.push(...hashColumns({ keys }).map((column) => ({ column })));
  const all = columns();
  const schema = createTableSchema({
    ...statement.table,
    columns: all,
    primaryKey: primaryKeyOf(all, keys),
    charset: charsetOf(collation),
    collation,
    ...(options.comment === undefined || options.comment === '' ? {} : { comment: options.comment }),
  });
  return { model: { schema, keys }, doubts };
}

/** What CREATE TABLE … LIKE makes. */
export function likeModel(like: TableDefinition, table: TableId): TableDefinition {
  return renamed({ ...like, schema: { ...like.schema, hasCopiedComment: true } }, table);
}

/** The same definition under another name. */
export function renamed({ schema, keys }: TableDefinition, { database, table }: TableId): TableDefinition {
  const { fingerprint: _, ...parts } = schema;
  return { schema: createTableSchema({ ...parts, database, table }), keys };
}
