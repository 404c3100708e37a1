import { doesNotExist, unknownForm } from '../snowflake-error.ts';
import { quoteText, type Source } from '../compile/typed.ts';
import type { Name } from '../sql/ast.ts';
import { integer, type SfType, text } from '../sql/sf-type.ts';
import type { Session } from './session.ts';

type Cell = string | number | null;

/** INFORMATION_SCHEMA.TABLES, COLUMNS and SCHEMATA of a database, with the columns that are asked for most. */
export function informationSchema(session: Session, name: Name): Source {
  const database = name.length > 2 ? name[0] : session.database;
  if (database === undefined || session.catalog.database(database) === undefined) throw doesNotExist('Database', database ?? '');
  const what = name.at(-1) ?? '';
  const [columns, rows] = contents(session, database, what);
  const types = columns.map((column): SfType => (numeric.has(column) ? integer : text));
  const values = rows.map((row) => `(${row.map((cell, index) => cellSql(cell, types[index] ?? text)).join(', ')})`);
  const names = columns.map((_, index) => `c${index + 1}`);
  const none = types.map((type, index) => `${cellSql(null, type)} AS c${index + 1}`).join(', ');
  const sql = values.length === 0 ? `SELECT ${none} WHERE false` : `SELECT * FROM (VALUES ${values.join(', ')}) v(${names.join(', ')})`;
  return {
    sql,
    columns: columns.map((column, index) => ({ name: column, type: types[index] ?? text, nullable: true })),
    name: [database, 'INFORMATION_SCHEMA', what],
  };
}

const numeric = new Set([
  'ORDINAL_POSITION',
  'CHARACTER_MAXIMUM_LENGTH',
  'NUMERIC_PRECISION',
  'NUMERIC_SCALE',
  'DATETIME_PRECISION',
  'RETENTION_TIME',
]);

function cellSql(cell: Cell, type: SfType): string {
  const duck = type.kind === 'number' ? 'DECIMAL(38,0)' : 'VARCHAR';
  return cell === null ? `CAST(NULL AS ${duck})` : `CAST(${quoteText(String(cell))} AS ${duck})`;
}

function contents(session: Session, database: string, what: string): readonly [readonly string[], readonly (readonly Cell[])[]] {
  const { catalog } = session;
  const schemas = catalog.all().filter((object) => object.kind === 'schema' && object.database === database);
  const inDatabase = (schemaId: number): string | undefined => {
    const schema = schemas.find((each) => each.id === schemaId);
    return schema?.kind === 'schema' ? schema.name : undefined;
  };
  switch (what) {
    case 'SCHEMATA':
      return [
        ['CATALOG_NAME', 'SCHEMA_NAME'],
        [...schemas.map((schema) => [database, schema.kind === 'schema' ? schema.name : '']), [database, 'INFORMATION_SCHEMA']],
      ];
    case 'TABLES': {
      const tables = catalog.members('table').flatMap((table): readonly (readonly Cell[])[] => {
        const schema = inDatabase(table.schemaId);
        if (schema === undefined || (table.sessionId !== undefined && table.sessionId !== session.sessionId)) return [];
        const type = table.tableKind === 'temporary' ? 'LOCAL TEMPORARY' : 'BASE TABLE';
        return [
          [database, schema, table.name, type, table.tableKind === 'transient' ? 'YES' : 'NO', table.retentionDays, table.comment ?? null],
        ];
      });
      const views = catalog.members('view').flatMap((view): readonly (readonly Cell[])[] => {
        const schema = inDatabase(view.schemaId);
        return schema === undefined ? [] : [[database, schema, view.name, 'VIEW', 'NO', null, null]];
      });
      return [
        ['TABLE_CATALOG', 'TABLE_SCHEMA', 'TABLE_NAME', 'TABLE_TYPE', 'IS_TRANSIENT', 'RETENTION_TIME', 'COMMENT'],
        [...tables, ...views],
      ];
    }
    case 'COLUMNS':
      return [
        columnNames,
        catalog.members('table').flatMap((table) => {
          const schema = inDatabase(table.schemaId);
          if (schema === undefined || (table.sessionId !== undefined && table.sessionId !== session.sessionId)) return [];
          return table.columns.map((column, index) => [
            database,
            schema,
            table.name,
            column.name,
            index + 1,
            column.nullable ? 'YES' : 'NO',
            ...typeCells(column.type),
          ]);
        }),
      ];
    default:
      throw unknownForm(`INFORMATION_SCHEMA.${what}`);
  }
}

const columnNames = [
  'TABLE_CATALOG',
  'TABLE_SCHEMA',
  'TABLE_NAME',
  'COLUMN_NAME',
  'ORDINAL_POSITION',
  'IS_NULLABLE',
  'DATA_TYPE',
  'CHARACTER_MAXIMUM_LENGTH',
  'NUMERIC_PRECISION',
  'NUMERIC_SCALE',
  'DATETIME_PRECISION',
];

function typeCells(type: SfType): readonly Cell[] {
  const name = type.kind === 'text' ? 'TEXT' : type.kind.toUpperCase();
  const length = 'length' in type ? type.length : null;
  const precision = 'precision' in type ? type.precision : null;
  const scale = type.kind === 'number' ? type.scale : null;
  const datetime = type.kind !== 'number' && 'scale' in type ? type.scale : null;
  return [name, length, precision, scale, datetime];
}
