import type { ColumnType } from '../../event/column-type.ts';
import { mapColumns } from './column-mapping.ts';

/** A line of the page on types. */
export interface TypeLine {
  /** As a user declares the column. */
  readonly source: string;
  /** The replica's type; with `temporal.invalid.handling=text` too. */
  readonly replica: string;
  readonly replicaAsText: string;
  readonly note: string;
}

const types: readonly (readonly [source: string, type: ColumnType, note: string])[] = [
  ['TINYINT, BOOL', { kind: 'int', bits: 8, unsigned: false }, ''],
  ['TINYINT UNSIGNED', { kind: 'int', bits: 8, unsigned: true }, ''],
  ['SMALLINT', { kind: 'int', bits: 16, unsigned: false }, ''],
  ['SMALLINT UNSIGNED', { kind: 'int', bits: 16, unsigned: true }, ''],
  ['MEDIUMINT', { kind: 'int', bits: 24, unsigned: false }, ''],
  ['MEDIUMINT UNSIGNED', { kind: 'int', bits: 24, unsigned: true }, ''],
  ['INT', { kind: 'int', bits: 32, unsigned: false }, ''],
  ['INT UNSIGNED', { kind: 'int', bits: 32, unsigned: true }, ''],
  ['BIGINT', { kind: 'int', bits: 64, unsigned: false }, ''],
  ['BIGINT UNSIGNED', { kind: 'int', bits: 64, unsigned: true }, ''],
  ['BIT(1)', { kind: 'bit', length: 1 }, ''],
  ['BIT(n)', { kind: 'bit', length: 64 }, 'the bits as a number'],
  ['FLOAT', { kind: 'float', unsigned: false }, ''],
  ['DOUBLE', { kind: 'double', unsigned: false }, ''],
  ['DECIMAL(12,2)', { kind: 'decimal', precision: 12, scale: 2, unsigned: false }, 'up to 38 digits'],
  ['DECIMAL(39,0) and wider', { kind: 'decimal', precision: 39, scale: 0, unsigned: false }, 'the exact digits as text'],
  ['YEAR', { kind: 'year' }, ''],
  ['DATE', { kind: 'date' }, 'dates that do not exist: see `temporal.invalid.handling`'],
  ['TIME', { kind: 'time', fsp: 0 }, 'up to ±838:59:59, which a time of day does not hold'],
  ['DATETIME', { kind: 'datetime', fsp: 0 }, 'without a zone; dates that do not exist: see `temporal.invalid.handling`'],
  ['TIMESTAMP', { kind: 'timestamp', fsp: 0 }, 'an instant; as text in UTC'],
  ['CHAR, VARCHAR, TEXT …', { kind: 'text' }, ''],
  ['ENUM', { kind: 'enum', labels: [] }, 'the label; an invalid member is the empty text'],
  ['SET', { kind: 'set', labels: [] }, 'the labels, joined with commas'],
  ['JSON', { kind: 'json' }, "the server's own text, byte for byte; MariaDB's JSON is a text type"],
  ['BINARY, VARBINARY, BLOB …', { kind: 'binary' }, ''],
  ['GEOMETRY, POINT …', { kind: 'geometry' }, 'WKB; EWKB where the SRID is not 0'],
  ['VECTOR', { kind: 'vector' }, ''],
  ['UUID', { kind: 'uuid' }, ''],
  ['INET4', { kind: 'inet4' }, ''],
  ['INET6', { kind: 'inet6' }, ''],
];

/** What each type of MySQL and MariaDB is in the replica. */
function typeTable(): readonly TypeLine[] {
  return types.map(([source, type, note]) => {
    const columns = [{ name: 'c', type, nullable: true, nativeType: source }];
    const [asItIs] = mapColumns(columns, { invalidTemporal: 'null' });
    const [asText] = mapColumns(columns, { invalidTemporal: 'text' });
    return { source, replica: asItIs?.sqlType ?? '', replicaAsText: asText?.sqlType ?? '', note };
  });
}

/** `docs/types.md`. */
export function renderTypesPage(): string {
  const lines = typeTable().map(({ source, replica, replicaAsText, note }) => {
    const printed = replica === replicaAsText ? `\`${replica}\`` : `\`${replica}\`, or \`${replicaAsText}\``;
    return `| ${source} | ${printed} | ${note} |`;
  });
  return `# Types in the replica

A column's type in DuckDB follows from its type in MySQL or MariaDB alone, never from a value. This page is made by
\`src/warehouse/duckdb/type-table.ts\`, and a test holds it to the code.

| MySQL, MariaDB | DuckDB | |
| --- | --- | --- |
${lines.join('\n')}

Columns are NOT NULL where the source's are, except DATE, DATETIME and TIMESTAMP columns under \`temporal.invalid.handling=null\`.

## Dates that do not exist

MySQL and MariaDB can hold \`0000-00-00\`, \`2024-00-10\` and \`2024-02-31\`. The sink's \`temporal.invalid.handling\` says what becomes of them:

- \`null\` (default): NULL. The replacements are counted per column, and \`verify\` says "equal with n substitutions".
  In a key, where two rows could become one, only the wholly zero date becomes NULL; another one stops the sink with VALUE_UNREPRESENTABLE.
- \`text\`: DATE, DATETIME and TIMESTAMP columns are VARCHAR from the start, and hold the server's text.
- \`fail\`: the sink stops with VALUE_UNREPRESENTABLE, which names table and column.

A table keeps the handling that it was created with.

## JSON in Snowflake

The types of a replica in Snowflake are in [snowflake.md](snowflake.md). A JSON column there is a VARIANT, which keeps values and not texts.
Two documents are equal, for \`verify\`, if their canonical texts are, which both sides make alone:

| | canonical text |
| --- | --- |
| objects | members in the order of the bytes of their names, no spaces |
| arrays | their elements in their order |
| numbers of up to 38 digits, without an exponent | the same value without needless zeros: \`1.50\` is \`1.5\`, \`-0.0\` is \`0\` |
| other numbers (\`1e30\`, more than 38 digits) | none: a VARIANT keeps them as doubles, and prints 16 digits, which do not tell a double from its neighbours |
| texts, true, false, null | as they are; JSON's null is not NULL |

Where texts differ, documents are compared by value; a number that is rounded and may be the same makes its table undecided, never equal.
A number that differs by more than the rounding is a difference. \`snowflake.json.type=varchar\` keeps the server's text, which is compared byte by byte.
`;
}
