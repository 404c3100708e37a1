import { columnOf, type SnowflakeSession } from '../session.ts';
import { qualified, quoted, type TablePlace } from '../sql-text.ts';
import type { LandingColumn, LandingLayout } from './landed-rows.ts';

/**
 * Brings a landing table to take rows of a layout, and gives the expressions of its cells, `"C0"` …. As with Snowflake's
 * connector two things are done to a table and nothing else: columns are added, that can be NULL, and NOT NULL goes.
 */
export async function evolveLanding(session: SnowflakeSession, place: TablePlace, layout: LandingLayout): Promise<readonly string[]> {
  const described = await session.run(`DESCRIBE TABLE ${qualified(place)}`);
  const types = columnOf(described, 'type');
  const nullable = columnOf(described, 'null?');
  const known = new Map(
    columnOf(described, 'name').map((name, index) => [name, { type: types[index] ?? '', nullable: nullable[index] !== 'N' }]),
  );
  const missing = layout.columns.filter(({ name }) => !known.has(name));
  if (missing.length > 0) {
    const added = missing.map(({ name, sqlType }) => `${quoted(name)} ${sqlType}`).join(', ');
    await session.run(`ALTER TABLE ${qualified(place)} ADD COLUMN ${added}`);
  }
  const filled = new Set(layout.columns.filter((column) => !column.nullable).map(({ name }) => name));
  for (const [name, column] of known) {
    if (column.nullable || name === null || filled.has(name)) continue;
    await session.run(`ALTER TABLE ${qualified(place)} ALTER COLUMN ${quoted(name)} DROP NOT NULL`);
  }
  return layout.columns.map((column, index) => valueSql(column, known.get(column.name)?.type ?? column.sqlType, `"C${index}"`));
}

/** A cell's text as a column's value. */
function valueSql({ text }: LandingColumn, type: string, cell: string): string {
  const kind = type.toUpperCase().replace(/\(.*$/, '');
  if (text === 'json') {
    if (kind === 'VARIANT') return `PARSE_JSON(${cell})`;
    return kind === 'VARCHAR' ? cell : `CAST(PARSE_JSON(${cell}) AS ${type})`;
  }
  if (text === 'base64') return kind === 'BINARY' ? `TO_BINARY(${cell}, 'BASE64')` : cell;
  if (kind === 'VARIANT') return `TO_VARIANT(${cell})`;
  return kind === 'VARCHAR' ? cell : `CAST(${cell} AS ${type})`;
}
