import type { Flavor } from '../../src/cli/private-server.ts';

/** How a value of a type is read on both sides; both sides' texts go through `canonical`. */
interface Reading {
  readonly source: (column: string) => string;
  readonly replica: (column: string) => string;
  readonly canonical?: (text: string) => string;
}

export interface TypedColumn {
  readonly type: string;
  /** SQL of values; every row takes one, and a further row is NULL in all columns. */
  readonly values: readonly string[];
  readonly reading: Reading;
  /** The type that the column is to have in the replica. */
  readonly replicaType: string | Readonly<Record<Flavor, string>>;
  readonly only?: Flavor;
}

const asText: Reading = { source: (c) => `CAST(${c} AS CHAR)`, replica: (c) => `${c}::VARCHAR` };
const asNumber: Reading = { ...asText, canonical: (text) => String(Number(text)) };
/** DuckDB prints a DECIMAL without digits before the point as `.5`. */
const asDecimal: Reading = { ...asText, canonical: (text) => text.replace(/^(-?)0\./, '$1.') };
const asDouble: Reading = {
  source: (c) => `CAST(${c} AS DOUBLE)`,
  replica: (c) => `${c}::DOUBLE::VARCHAR`,
  canonical: (text) => String(Number(text)),
};
const asHex: Reading = { source: (c) => `HEX(${c})`, replica: (c) => `hex(${c})` };
const asBits: Reading = { source: (c) => `CAST(${c} + 0 AS CHAR)`, replica: (c) => `${c}::UBIGINT::VARCHAR` };
/** The server prints as many fraction digits as the column has, the replica as many as there are. */
const asTime: Reading = {
  ...asText,
  canonical: (text) =>
    text
      .replace(/\+00$/, '')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, ''),
};
/** Of the reference system 0, whose coordinates come in the order they were given in. */
const asWkb: Reading = { source: (c) => `HEX(ST_AsBinary(${c}))`, replica: (c) => `hex(${c})` };
const asVector = (source: (c: string) => string): Reading => ({
  source,
  replica: (c) => `${c}::VARCHAR`,
  canonical: (text) =>
    text
      .replaceAll(/[[\] ]/g, '')
      .split(',')
      .map((number) => String(Math.fround(Number(number))))
      .join(),
});

const ints = (type: string, bits: number, replicaType: string): readonly TypedColumn[] => [
  { type, values: ['0', '1', '-1', String(-(2n ** BigInt(bits - 1))), String(2n ** BigInt(bits - 1) - 1n)], reading: asText, replicaType },
  {
    type: `${type} UNSIGNED`,
    values: ['0', '1', String(2n ** BigInt(bits - 1)), String(2n ** BigInt(bits) - 1n)],
    reading: asText,
    replicaType: `U${replicaType}`,
  },
];

const texts = [
  "''",
  "'a'",
  "' padded  '",
  "'ä ö ü ß'",
  "'東京 🎉'",
  "'it''s \\\\ \"quoted\"'",
  "'line\\nbreak\\ttab'",
  "'NULL'",
  "'\\0zero'",
];
const bytes = ["''", "'a'", "X'00'", "X'00FF10'", "X'FFFEFD00'", "'trail '"];
const longest = "REPEAT('xyz€', 20000)";

/** The types by family, with values at their edges. */
export const families: Readonly<Record<string, readonly TypedColumn[]>> = {
  integers: [
    ...ints('TINYINT', 8, 'TINYINT'),
    ...ints('SMALLINT', 16, 'SMALLINT'),
    ...ints('MEDIUMINT', 24, 'INTEGER'),
    ...ints('INT', 32, 'INTEGER'),
    ...ints('BIGINT', 64, 'BIGINT'),
    { type: 'INT(8) ZEROFILL', values: ['0', '42', '4294967295'], reading: asNumber, replicaType: 'UINTEGER' },
    { type: 'BOOLEAN', values: ['0', '1', '5', '-1'], reading: asText, replicaType: 'TINYINT' },
    { type: 'BIT(1)', values: ["b'0'", "b'1'"], reading: asBits, replicaType: 'BOOLEAN' },
    { type: 'BIT(17)', values: ["b'0'", "b'10000000000000001'"], reading: asBits, replicaType: 'UBIGINT' },
    { type: 'BIT(64)', values: ["b'0'", '18446744073709551615', '9223372036854775808'], reading: asBits, replicaType: 'UBIGINT' },
    { type: 'YEAR', values: ['1901', '2155', '2024', '0'], reading: asNumber, replicaType: 'USMALLINT' },
  ],
  decimals: [
    { type: 'DECIMAL(1,0)', values: ['0', '9', '-9'], reading: asDecimal, replicaType: 'DECIMAL(1,0)' },
    { type: 'DECIMAL(4,4)', values: ['0.0001', '-0.9999', '0'], reading: asDecimal, replicaType: 'DECIMAL(4,4)' },
    {
      type: 'DECIMAL(10,2)',
      values: ['0', '-0.01', '99999999.99', '-99999999.99', '1.10'],
      reading: asDecimal,
      replicaType: 'DECIMAL(10,2)',
    },
    { type: 'DECIMAL(18,9)', values: ['123456789.123456789', '-999999999.999999999'], reading: asDecimal, replicaType: 'DECIMAL(18,9)' },
    {
      type: 'DECIMAL(38,10)',
      values: ['9999999999999999999999999999.9999999999', '-1.0000000001'],
      reading: asDecimal,
      replicaType: 'DECIMAL(38,10)',
    },
    {
      type: 'DECIMAL(65,30)',
      values: [`${'9'.repeat(35)}.${'9'.repeat(30)}`, `-0.${'0'.repeat(29)}1`, '0'],
      reading: asDecimal,
      replicaType: 'VARCHAR',
    },
    {
      type: 'FLOAT',
      values: ['0', '-0.0', '1.5', '3.4028234e38', '-3.4028234e38', '1.17549435e-38', '0.1', '16777217'],
      reading: asDouble,
      replicaType: 'FLOAT',
    },
    {
      type: 'DOUBLE',
      values: ['0', '1.7976931348623157e308', '-2.2250738585072014e-308', '0.1', '4.9e-324', '1e22', '123456789.123456789'],
      reading: asDouble,
      replicaType: 'DOUBLE',
    },
  ],
  times: [
    {
      type: 'DATE',
      values: ["'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'1969-12-31'", "'1582-10-10'"],
      reading: asText,
      replicaType: 'DATE',
    },
    {
      type: 'DATETIME',
      values: ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'1970-01-01 00:00:00'"],
      reading: asTime,
      replicaType: 'TIMESTAMP',
    },
    { type: 'DATETIME(1)', values: ["'2024-01-02 03:04:05.6'", "'2024-01-02 03:04:05.0'"], reading: asTime, replicaType: 'TIMESTAMP' },
    { type: 'DATETIME(3)', values: ["'2024-12-31 23:59:59.999'", "'1969-12-31 23:59:59.001'"], reading: asTime, replicaType: 'TIMESTAMP' },
    {
      type: 'DATETIME(6)',
      values: ["'9999-12-31 23:59:59.999999'", "'1000-01-01 00:00:00.000001'"],
      reading: asTime,
      replicaType: 'TIMESTAMP',
    },
    {
      type: 'TIMESTAMP NULL',
      values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-03-31 01:30:00'"],
      reading: asTime,
      replicaType: 'TIMESTAMP WITH TIME ZONE',
    },
    {
      type: 'TIMESTAMP(6) NULL',
      values: ["'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.499999'"],
      reading: asTime,
      replicaType: 'TIMESTAMP WITH TIME ZONE',
    },
    {
      type: 'TIME',
      values: ["'00:00:00'", "'838:59:59'", "'-838:59:59'", "'-00:00:01'", "'24:00:00'"],
      reading: asTime,
      replicaType: 'INTERVAL',
    },
    { type: 'TIME(2)', values: ["'-00:00:00.01'", "'12:34:56.78'", "'-838:59:58.99'"], reading: asTime, replicaType: 'INTERVAL' },
    { type: 'TIME(6)', values: ["'-00:00:00.000001'", "'838:59:58.999999'", "'23:59:59.5'"], reading: asTime, replicaType: 'INTERVAL' },
  ],
  texts: [
    { type: 'CHAR(20)', values: texts, reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(20)', values: texts, reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(300)', values: [...texts, "REPEAT('ä', 300)"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET latin1', values: ["'àéîõü €'", "''", "'plain'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET utf16', values: ["'東京 🎉'", "'a'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET cp1251', values: ["'Привет'", "'a'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'VARCHAR(30) CHARACTER SET sjis', values: ["'日本語ソ'", "'a'"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'TINYTEXT', values: [...texts, "REPEAT('z', 255)"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'TEXT', values: [...texts, "REPEAT('z', 65535)"], reading: asText, replicaType: 'VARCHAR' },
    { type: 'MEDIUMTEXT', values: [...texts, longest], reading: asText, replicaType: 'VARCHAR' },
    { type: 'LONGTEXT', values: [...texts, longest], reading: asText, replicaType: 'VARCHAR' },
    {
      type: "ENUM('one','zwei, zwo','drei''s','')",
      values: ["'one'", "'zwei, zwo'", "'drei''s'", "''", '1', '4'],
      reading: asText,
      replicaType: 'VARCHAR',
    },
    { type: "SET('a','b c','d','é')", values: ["''", "'a'", "'a,d,é'", "'b c'", '15'], reading: asText, replicaType: 'VARCHAR' },
  ],
  bytes: [
    { type: 'BINARY(8)', values: bytes, reading: asHex, replicaType: 'BLOB' },
    { type: 'VARBINARY(20)', values: bytes, reading: asHex, replicaType: 'BLOB' },
    { type: 'TINYBLOB', values: [...bytes, "REPEAT(X'80', 255)"], reading: asHex, replicaType: 'BLOB' },
    { type: 'BLOB', values: [...bytes, "REPEAT(X'00', 65535)"], reading: asHex, replicaType: 'BLOB' },
    { type: 'MEDIUMBLOB', values: [...bytes, "REPEAT(X'C3', 70000)"], reading: asHex, replicaType: 'BLOB' },
    { type: 'LONGBLOB', values: [...bytes, "REPEAT(X'0A', 100000)"], reading: asHex, replicaType: 'BLOB' },
  ],
  documents: [
    {
      type: 'JSON',
      values: [
        "'null'",
        "'true'",
        "'0'",
        "'-1.5'",
        "'1e300'",
        '\'"text with ä, \\\\" and 🎉"\'',
        "'[]'",
        "'{}'",
        '\'[1, 2.50, "x", null, {"a": [true, false]}]\'',
        '\'{"b": 1, "a": 2, "longer key": {"nested": [1]}}\'',
        "'18446744073709551615'",
        "'-9223372036854775808'",
        "CONCAT('[', REPEAT('\"0123456789\",', 8000), '0]')",
      ],
      reading: asText,
      // MariaDB's JSON is a LONGTEXT with a check.
      replicaType: { mysql: 'JSON', mariadb: 'VARCHAR' },
    },
    {
      type: 'JSON',
      only: 'mysql',
      values: [
        "JSON_ARRAY(CAST('2024-01-02 03:04:05.678' AS DATETIME(3)), CAST('12:34:56' AS TIME), CAST('2024-02-29' AS DATE))",
        "JSON_OBJECT('d', CAST(1.10 AS DECIMAL(5,2)), 'b', CAST(X'00FF' AS BINARY))",
      ],
      reading: asText,
      replicaType: 'JSON',
    },
    {
      type: 'GEOMETRY',
      values: [
        "ST_GeomFromText('POINT(1 -2.5)')",
        "ST_GeomFromText('LINESTRING(0 0,1 1,2 1)')",
        "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')",
      ],
      reading: asWkb,
      replicaType: 'BLOB',
    },
    {
      type: 'POINT',
      values: ["ST_GeomFromText('POINT(0 0)')", "ST_GeomFromText('POINT(1e10 -0.000001)')"],
      reading: asWkb,
      replicaType: 'BLOB',
    },
    {
      type: 'POLYGON',
      values: ["ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0),(1 1,2 1,2 2,1 2,1 1))')"],
      reading: asWkb,
      replicaType: 'BLOB',
    },
    { type: 'MULTIPOINT', values: ["ST_GeomFromText('MULTIPOINT(1 1,2 2)')"], reading: asWkb, replicaType: 'BLOB' },
    {
      type: 'VECTOR(3)',
      only: 'mysql',
      values: ["STRING_TO_VECTOR('[1, -2.5, 3e10]')", "STRING_TO_VECTOR('[0, 0.1, 1e-10]')"],
      reading: asVector((c) => `VECTOR_TO_STRING(${c})`),
      replicaType: 'FLOAT[]',
    },
    {
      type: 'VECTOR(3)',
      only: 'mariadb',
      values: ["VEC_FromText('[1, -2.5, 3e10]')", "VEC_FromText('[0, 0.1, 1e-10]')"],
      reading: asVector((c) => `VEC_ToText(${c})`),
      replicaType: 'FLOAT[]',
    },
    {
      type: 'UUID',
      only: 'mariadb',
      values: [
        "'123e4567-e89b-12d3-a456-426655440000'",
        "'00000000-0000-0000-0000-000000000000'",
        "'ffffffff-ffff-4fff-bfff-ffffffffffff'",
      ],
      reading: asText,
      replicaType: 'UUID',
    },
    {
      type: 'INET4',
      only: 'mariadb',
      values: ["'0.0.0.0'", "'255.255.255.255'", "'192.168.1.20'"],
      reading: asText,
      replicaType: 'VARCHAR',
    },
    {
      type: 'INET6',
      only: 'mariadb',
      values: ["'::'", "'2001:db8::1'", "'::ffff:1.2.3.4'", "'fe80::1:2:3:4'"],
      reading: asText,
      replicaType: 'VARCHAR',
    },
  ],
};
