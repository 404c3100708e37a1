import type { TableId } from '../../event/table-schema.ts';
import { quoteName, quoteTable } from '../read-schema.ts';
import type { DescribedColumn, DescribedTable } from './schema-history.ts';

/** The statement that makes the table of a description, for where its own statement was not read as Debezium read it. */
export function describedCreate(id: TableId, { charset, primaryKey, columns }: DescribedTable): string {
  const parts = columns.map(columnText);
  if (primaryKey.length > 0) parts.push(`PRIMARY KEY (${primaryKey.map(quoteName).join(', ')})`);
  return `CREATE TABLE ${quoteTable(id)} (${parts.join(', ')})${charset === undefined ? '' : ` CHARACTER SET ${charset}`}`;
}

function columnText(column: DescribedColumn): string {
  const { name, charset, nullable, default: fallback } = column;
  const isText = charset !== undefined && /CHAR|TEXT|ENUM|SET/i.test(column.typeName);
  return [
    quoteName(name),
    typeText(column),
    ...(isText ? [`CHARACTER SET ${charset}`] : []),
    nullable ? 'NULL' : 'NOT NULL',
    ...(fallback === undefined ? [] : [`DEFAULT ${/^BIT\b/i.test(column.typeName) ? 'b' : ''}'${fallback.replaceAll("'", "''")}'`]),
  ].join(' ');
}

/** `DECIMAL UNSIGNED` of length 10 and scale 2 is DECIMAL(10,2) UNSIGNED. */
function typeText({ typeName, length, scale, labels }: DescribedColumn): string {
  const [, base = typeName, rest = ''] = /^(.*?)((?: (?:UNSIGNED|SIGNED|ZEROFILL))*)$/i.exec(typeName) ?? [];
  if (/^(?:ENUM|SET)$/i.test(base)) return `${base}(${labels.map(quoteLabel).join(', ')})`;
  const sizes = length === undefined ? [] : scale === undefined ? [length] : [length, scale];
  return `${base}${sizes.length === 0 ? '' : `(${sizes.join(',')})`}${rest}`;
}

function quoteLabel(label: string): string {
  return label.startsWith("'") ? label : `'${label.replaceAll("'", "''")}'`;
}
