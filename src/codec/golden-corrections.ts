import type { Column } from '../event/table-schema.ts';
import type { GoldenFixture, GoldenRecord } from './golden-fixture.ts';
import { elementsOf, membersOf } from './golden-text.ts';

/*
 * Test support: where the recorded connectors wrote a wrong value, what is right. Each entry is a deliberate difference
 * between Millrace and Debezium; docs/compatibility.md has the same list for users.
 */

interface Correction {
  /** Number in FINDINGS.md of the MySQL recordings; with an M of the MariaDB ones. */
  readonly finding: string;
  readonly about: string;
  /** `fixture/table.column`. */
  readonly where: RegExp;
  /** What the server says of the column. */
  readonly column?: Partial<Column>;
  /** The column's schema as it should be. */
  readonly schema?: (text: string) => string;
  /** The value as it should be. */
  readonly value?: (token: string, place: Place) => string;
}

interface Place {
  readonly fixture: GoldenFixture;
  readonly snapshot: boolean;
  /** Raw text of the row's first column. */
  readonly id: string;
}

/** Replaces whole values. */
function oneOf(pairs: Readonly<Record<string, string>>): (token: string) => string {
  return (token) => pairs[token] ?? token;
}

function replacing(...pairs: readonly (readonly [string, string])[]): (text: string) => string {
  return (text) => pairs.reduce((result, [from, to]) => result.replace(from, () => to), text);
}

const clamped = '9223372036854775807';

const corrections: readonly Correction[] = [
  {
    finding: '2.1 of the study',
    about: 'BOOL in a table made while streaming is a boolean, after a restart an int16: always int16',
    where: /^mysql-types-numeric\/streamed\.bn?$/,
    schema: replacing(['"type":"boolean"', '"type":"int16"'], ['"default":true', '"default":1']),
    value: oneOf({ true: '1', false: '0' }),
  },
  {
    finding: '2.1 of the study',
    about: 'BOOL DEFAULT TRUE: the server says 1',
    where: /^mysql-types-numeric\/streamed\.bn$/,
    column: { defaultText: '1' },
  },
  {
    finding: '2.1 of the study',
    about: 'REAL in a table made while streaming is a float, after a restart a double: always double',
    where: /^mysql-types-numeric\/streamed\.rl$/,
    schema: replacing(['"type":"float"', '"type":"double"']),
  },
  {
    finding: '21',
    about: 'FLOAT4 is double and its value null',
    where: /^mysql-types-numeric\/streamed\.f4$/,
    schema: replacing(['"type":"double"', '"type":"float"']),
    value: (token, { id }) => (id === '2' ? '1.25' : token),
  },
  {
    finding: '21',
    about: 'FLOAT(30) is a double to the server',
    where: /^mysql-types-numeric\/streamed\.fp$/,
    column: { type: { kind: 'double', unsigned: false } },
  },
  {
    finding: '22',
    about: 'FLOAT in a snapshot is cut to six digits',
    where: /^mysql-types-numeric\/t_float\.(f|f24|fu)$/,
    value: oneOf({
      '3.40282E38': '3.4028235E38',
      '-3.40282E38': '-3.4028235E38',
      '1.17549E-38': '1.1754944E-38',
      '-1.17549E-38': '-1.1754944E-38',
      '1.67772E7': '1.6777216E7',
      '123457.0': '123456.79',
      '1.23457E8': '1.23456792E8',
    }),
  },
  {
    finding: '22',
    about: 'REAL(8,5) in a snapshot is the rounded text, in the stream the number',
    where: /^mysql-types-numeric\/t_float\.r85$/,
    value: (token, { snapshot, id }) => (snapshot && id === '6' ? '-9.99999999995449E-6' : token),
  },
  {
    finding: '20',
    about: 'Java 17 prints a few floats with a digit more than they need; the number is the same',
    where: /^mysql-types-numeric\/t_float\.(f24|f53)$/,
    value: oneOf({
      '1.17549435E-38': '1.1754944E-38',
      '-1.17549435E-38': '-1.1754944E-38',
      '9.999999999999999E22': '1.0E23',
    }),
  },
  {
    finding: '23',
    about: 'with bigint.unsigned.handling.mode=long a default over 2^63-1 is clamped while values wrap',
    where: /^mysql-types-numeric\/(t_default\.i8u|streamed\.bu)$|^mysql-modes-decimal-(string|double)\/n\.u$/,
    schema: replacing([`"default":${clamped}`, '"default":-1']),
    value: oneOf({ [clamped]: '-1' }),
  },
  {
    finding: '23, and the schemas of types-numeric',
    about: 'defaults of BIGINT columns go through a double',
    where: /^mysql-types-numeric\/t_default\.i8s$/,
    schema: replacing(['"default":9007199254740992', '"default":9007199254740993']),
  },
  {
    finding: '24',
    about: 'YEAR 0000 is 2000 in a snapshot and as a default, 1900 in the stream',
    where: /\/(t_bit_year\.y4?|t_date\.yd?|y\.y)$/,
    value: (token, { id, fixture }) => {
      const zero = fixture.name.endsWith('adjuster-off') ? ['3', '13'] : fixture.name.startsWith('mariadb') ? ['14'] : ['4', '14'];
      return zero.includes(id) && (token === '2000' || token === '1900') ? '0' : token;
    },
  },
  {
    finding: '24',
    about: 'likewise',
    where: /\/t_default\.y0$/,
    schema: replacing(['"default":2000', '"default":0']),
    value: oneOf({ 2000: '0', 1900: '0' }),
  },
  {
    finding: '26',
    about: "ENUM labels with a comma or a backslash stream with the escapes of the schema's parameter",
    where: /^mysql-types-text-binary\/t_enum_set\.ec$|^mysql-ddl\/latin\.e$/,
    value: (token, { snapshot }) => (snapshot ? token : token.replaceAll(/\\\\(,|\\\\)/g, '$1')),
  },
  {
    finding: '27',
    about: 'BINARY(0) is ten zero bytes',
    where: /^mysql-types-text-binary\/t_binary\.b0$/,
    column: { type: { kind: 'binary', fixedLength: 0 } },
    value: oneOf({ '"AAAAAAAAAAAAAA=="': '""' }),
  },
  {
    finding: '28',
    about: "CHAR UNICODE in streamed DDL is decoded with the table's character set",
    where: /^mysql-types-text-binary\/streamed\.cu$/,
    value: oneOf({ '"&\\u0003"': '"☃"' }),
  },
  {
    finding: '28',
    about: 'CHAR BYTE in streamed DDL is a string',
    where: /^mysql-types-text-binary\/streamed\.cby$/,
    column: { type: { kind: 'binary', fixedLength: 5 } },
    schema: replacing(['"type":"string"', '"type":"bytes"']),
    value: oneOf({ '"by"': '"YnkAAAA="' }),
  },
  {
    finding: '30',
    about: 'ALTER TABLE … CHARACTER SET does not change what later columns are decoded with',
    where: /^mysql-ddl\/latin\.w$/,
    value: oneOf({ '"â˜ƒ"': '"☃"' }),
  },
  {
    finding: '31',
    about: 'DEFAULT 0 of a DATETIME: the server says the zero date',
    where: /-temporal[^/]*\/streamed\.dz$/,
    column: { defaultText: '0000-00-00 00:00:00' },
  },
  {
    finding: '36, 37',
    about: 'doubles, times and opaque values inside of streamed JSON are not as the server prints them',
    where: /^mysql-types-json\/doc\.j$/,
    value: (token, { fixture, snapshot, id }) => {
      const read = snapshot
        ? undefined
        : fixture.records.find(({ op, after }) => op === 'r' && after?.startsWith(`{"id":${Number(id) - 100},`));
      const document = read?.after === undefined ? undefined : membersOf(read.after).get('j');
      return document === undefined || document === 'null'
        ? token
        : JSON.stringify(compact(String(JSON.parse(document)))).replaceAll(/[\ud800-\udfff]/g, escaped);
    },
  },
  {
    finding: '37',
    about: 'likewise',
    where: /^mysql-modes-binary-\w+\/b\.j$/,
    value: oneOf({ '"[\\"/w==\\"]"': '"[\\"base64:type15:/w==\\"]"' }),
  },
  {
    finding: '39',
    about: 'string defaults are the inner text of the literal, with its doubled quotes and backslashes',
    where: /^mysql-types-text-binary\/t_char\.vn$/,
    column: { defaultText: 'it\'s "d" \\ default' },
    schema: (text) => text.replace(/"default":".*","field"/, () => String.raw`"default":"it's \"d\" \\ default","field"`),
  },
  {
    finding: '39',
    about: 'likewise',
    where: /^mysql-ddl\/(fresh|as_select2)\.v$/,
    column: { defaultText: "d'q" },
    schema: replacing([`"default":"d''q"`, `"default":"d'q"`]),
    value: oneOf({ [`"d''q"`]: `"d'q"` }),
  },
  ...binaryDefaults(),
  {
    finding: '39',
    about: 'column comments keep the doubled quotes of their literal',
    where: /^mysql-ddl-comments\/t\.v$/,
    schema: replacing(['"doc":"it\'\'s v"', '"doc":"it\'s v"']),
  },
  {
    finding: 'M32',
    about: 'JSON of MariaDB is io.debezium.data.Json in a table or column made while streaming, else a string: always a string',
    where: /^mariadb-types-json\/doc3\.(jd?|late)$/,
    column: { type: { kind: 'text' } },
    schema: replacing([',"name":"io.debezium.data.Json","version":1', '']),
  },
  {
    finding: 'M31',
    about: 'streamed UUIDs that end in zero bytes are shifted',
    where: /^mariadb-types-uuid\/(u|late)\.[vn]$|^mariadb-metadata-full\/m\.uu$/,
    value: oneOf({
      '"0000123e-4567-e89b-12d3-a45642665544"': '"123e4567-e89b-12d3-a456-426655440000"',
      '"00000000-0000-0020-0000-000000400080"': '"20000000-0000-4000-8000-000000000000"',
    }),
  },
  {
    finding: 'M35',
    about: 'a streamed zero TIMESTAMP is the epoch in a nullable column, or in one with a default: null, or the default',
    where: /^mariadb-types-temporal\/t_timestamp\.s/,
    value: (token, { id }) => (id === '14' && /^"1970-01-01T00:00:00\.0+Z"$/.test(token) ? 'null' : token),
  },
  {
    finding: 'M35',
    about: 'likewise',
    where: /^mariadb-types-temporal\/t_timestamp\.s$/,
    value: (token, { id }) => (id === '14' ? 'null' : token),
  },
  {
    finding: 'M35',
    about: 'likewise',
    where: /^mariadb-types-temporal\/t_timestamp\.sd3?$/,
    value: (token, { id }) => {
      if (id !== '14') return token;
      return token === 'null' ? '"2018-06-15T10:20:30.120Z"' : '"2018-06-15T10:20:30Z"';
    },
  },
];

/** 39 and M36: the defaults of binary columns, in the text of their literal; MariaDB's connector has none. */
function binaryDefaults(): readonly Correction[] {
  const mangled: readonly (readonly [string, string, string, string])[] = [
    ['mysql-types-text-binary/t_binary.bd', '0x61620000', 'YWJcMFww', 'YWIAAA=='],
    ['mysql-types-text-binary/t_binary.vbd', '0x78797a', 'eHl6', 'eHl6'],
    ['mysql-types-text-binary/t_binary.vbx', '0x00ff10', 'MDBGRjE=', 'AP8Q'],
    ['mysql-types-text-binary/streamed.vbd', '0x646566', 'ZGVm', 'ZGVm'],
    ['mysql-types-text-binary/streamed.bn', '0x610000', 'YQ==', 'YQAA'],
    ['mysql-types-text-binary/streamed.vx', '0x0102', 'MDEwMg==', 'AQI='],
    ['mysql-modes-binary-hex/b.f', '0x0102000000', '01025c305c305c30', '0102000000'],
    ['mysql-modes-binary-hex/b.v', '0x6162633f3e7e', '6162633f3e7e', '6162633f3e7e'],
    ['mysql-modes-binary-base64/b.f', '0x0102000000', 'AQJcMFwwXDA=', 'AQIAAAA='],
    ['mysql-modes-binary-base64/b.v', '0x6162633f3e7e', 'YWJjPz5+', 'YWJjPz5+'],
  ];
  return mangled.map(([path, defaultText, wrong, right]) => ({
    finding: '39',
    about: 'binary defaults are the text of their literal',
    where: new RegExp(`^${path.replace('.', String.raw`\.`)}$`),
    column: { defaultText },
    schema: replacing([`"default":"${wrong}"`, `"default":"${right}"`]),
    value: oneOf({ [`"${wrong}"`]: `"${right}"` }),
  }));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** A document without the blanks that the server prints between its tokens. */
function compact(document: string): string {
  return document.replaceAll(/"(?:[^"\\]|\\.)*"|([,:]) /g, (match, separator?: string) => separator ?? match);
}

function correctionsOf(fixture: string, table: string, column: string): readonly Correction[] {
  return corrections.filter(({ where }) => where.test(`${fixture}/${table}.${column}`));
}

export function fixColumn(fixture: string, table: string, column: Column): Column {
  return correctionsOf(fixture, table, column.name).reduce((fixed, correction) => ({ ...fixed, ...correction.column }), column);
}

export function correctImage(fixture: GoldenFixture, record: GoldenRecord, image: string | undefined): string | undefined {
  if (image === undefined) return undefined;
  const members = [...membersOf(image)];
  const place = { fixture, snapshot: record.op === 'r', id: members[0]?.[1] ?? '' };
  const right = members.map(([name, token]) => {
    const found = correctionsOf(fixture.name, record.source?.table ?? '', name);
    return `${JSON.stringify(name)}:${found.reduce((text, { value }) => value?.(text, place) ?? text, token)}`;
  });
  return `{${right.join(',')}}`;
}

export function correctRow(fixture: string, { schema, source }: GoldenRecord): string | undefined {
  if (schema.row === undefined) return undefined;
  const members = membersOf(`${schema.row}}`);
  const table = source?.table ?? schema.topic.split('.').at(-1) ?? '';
  const fields = elementsOf(members.get('fields') ?? '[]').map((field) => {
    const name = String(JSON.parse(membersOf(field).get('field') ?? '""'));
    return correctionsOf(fixture, table, name).reduce((text, correction) => correction.schema?.(text) ?? text, field);
  });
  return `{"type":"struct","fields":[${fields.join(',')}],"optional":${members.get('optional')},"name":${members.get('name')}`;
}
