/*
 * Where our records differ from the recorded ones on purpose: the original wrote a wrong value there. docs/compatibility.md
 * lists the same for users. Nothing else may differ, and each of these must be seen in every scenario that it names.
 */
import type { PlacedDifference } from './differences.ts';
import type { Scenario } from './scenario.ts';

/** Places of records that differ by default; with `millrace.compat=debezium-3.6` they are as recorded, unless `always`. */
export interface ChosenDifference {
  /** Number in the list of findings about the recordings; with an M of those of MariaDB. */
  readonly finding: string;
  readonly about: string;
  /** `flavor/scenario`. */
  readonly scenarios: RegExp;
  /** The last part of the topic's name and the path in the record, `t_default value.payload.after.y0`. */
  readonly place: RegExp;
  /** Recorded value to ours, as JSON; absent: the place alone is given, since the values are of one run. */
  readonly values?: Readonly<Record<string, string>>;
  /** No setting gives the original's: it ended the task, or lost changes. */
  readonly always?: boolean;
  /** Only what we have and the recording has not. */
  readonly more?: boolean;
  /** Only what the recording has and we have not; not in every scenario. */
  readonly less?: boolean;
}

const noMember = '(no such member)';
const clamped = '9223372036854775807';
const rightUuids = {
  '"0000123e-4567-e89b-12d3-a45642665544"': '"123e4567-e89b-12d3-a456-426655440000"',
  '"00000000-0000-0020-0000-000000400080"': '"20000000-0000-4000-8000-000000000000"',
};

export const chosenDifferences: readonly ChosenDifference[] = [
  {
    finding: '21',
    about: 'FLOAT4 in a table made while streaming is null',
    scenarios: /\/types-numeric$/,
    place: /^streamed value(\.payload)?\.after\.f4$/,
    values: { null: '1.25' },
  },
  {
    finding: '22',
    about: 'FLOAT in a snapshot is cut to six digits',
    scenarios: /\/types-numeric$/,
    place: /^t_float value(\.payload)?\.after\.(f|f24|fu)$/,
    values: {
      '3.40282E38': '3.4028235E38',
      '-3.40282E38': '-3.4028235E38',
      '1.17549E-38': '1.1754944E-38',
      '-1.17549E-38': '-1.1754944E-38',
      '1.67772E7': '1.6777216E7',
      '123457.0': '123456.79',
      '1.23457E8': '1.23456792E8',
    },
  },
  {
    finding: '20',
    about: 'Java 17 prints some numbers with a digit more than they need; the number is the same',
    scenarios: /\/types-numeric$/,
    place: /^t_float value(\.payload)?\.(before|after)\.(f24|f53)$/,
    values: {
      '9.999999999999999E22': '1.0E23',
      '1.17549435E-38': '1.1754944E-38',
      '-1.17549435E-38': '-1.1754944E-38',
    },
    always: true,
  },
  {
    finding: '22',
    about: 'REAL(8,5) in a snapshot is the rounded text',
    scenarios: /\/types-numeric$/,
    place: /^t_float value(\.payload)?\.after\.r85$/,
    values: { '-1.0E-5': '-9.99999999995449E-6' },
  },
  {
    finding: '23',
    about: 'a default over 2^63-1 is clamped while values wrap',
    scenarios: /\/(types-numeric|modes-decimal-(string|double))$/,
    place: /^(t_default|streamed|n) value(\.payload)?\.((before|after)\.(u|i8u|bu)|schema\..*\.default)$/,
    values: { [clamped]: '-1' },
  },
  {
    finding: '23',
    about: 'defaults of BIGINT columns go through a double',
    scenarios: /^mysql\/types-numeric$/,
    place: /^t_default value\.schema\..*\.default$/,
    values: { '9007199254740992': '9007199254740993' },
  },
  {
    finding: '24',
    about: 'YEAR 0000 is 2000 in a snapshot and as a default, 1900 in the stream',
    scenarios: /^mysql\/(types-numeric|types-temporal.*|modes-time-adjuster-off)$|^mariadb\/types-(numeric|temporal)$/,
    place: /^(t_bit_year|t_date|t_default|y) value(\.payload)?\.((before|after)\.(y|y4|yd|y0)|schema\..*\.default)$/,
    values: { '2000': '0', '1900': '0' },
  },
  {
    finding: '26',
    about: 'ENUM labels with a comma or a backslash are escaped in the stream',
    scenarios: /\/(types-text-binary|ddl)$/,
    place: /^(t_enum_set value\.payload\.(before|after)\.ec|latin value(\.payload)?\.after\.e)$/,
    values: { '"a\\\\,b"': '"a,b"', '"c\\\\\\\\d"': '"c\\\\d"', '"new\\\\,comma"': '"new,comma"' },
  },
  {
    finding: '27',
    about: 'BINARY(0) is ten zero bytes',
    scenarios: /^mysql\/types-text-binary$/,
    place: /^t_binary value\.payload\.(before|after)\.b0$/,
    values: { '"AAAAAAAAAAAAAA=="': '""' },
  },
  {
    finding: '28',
    about: "CHAR UNICODE in streamed DDL is decoded with the table's character set",
    scenarios: /^mysql\/types-text-binary$/,
    place: /^streamed value\.payload\.after\.cu$/,
    values: { '"&\\u0003"': '"☃"' },
  },
  {
    finding: '30',
    about: 'ALTER TABLE … CHARACTER SET does not change what later columns are decoded with',
    scenarios: /\/ddl$/,
    place: /^latin value(\.payload)?\.after\.w$/,
    values: { '"â˜ƒ"': '"☃"' },
  },
  {
    finding: '36',
    about: 'doubles inside of streamed JSON are expanded to all their digits',
    scenarios: /^mysql\/types-json$/,
    place: /^doc value\.payload\.after\.j$/,
    values: {
      '"18446744073709551616"': '"1.8446744073709552e19"',
      '"10000000000"': '"10000000000.0"',
      '"10000000000000000159028911097599180468360808563945281389781327557747838772170381060813469985856815104"': '"1e100"',
      '"0.0000000999999999999999954748111825886258685613938723690807819366455078125"': '"0.0000001"',
      '"123456789012345.671875"': '"123456789012345.67"',
      [String.raw`"[2024,1,\"x\",true,null,3.141592653589793,0.3333,5.0000,1.0,100000000000000000000,1000000000000000,10000000000000000,123456789,0.000010000000000000000818030539140313095458623138256371021270751953125]"`]: String.raw`"[2024,1,\"x\",true,null,3.141592653589793,0.3333,5.0000,1.0,1e20,1e15,1e16,123456789.0,0.00001]"`,
    },
  },
  {
    finding: '37',
    about: 'times and binary values inside of streamed JSON are not as the server prints them, negative times are garbled',
    scenarios: /^mysql\/(types-json|modes-binary-\w+)$/,
    place: /^(doc|b) value\.payload\.after\.j$/,
    values: {
      [String.raw`"{\"d\":\"2024-02-29\",\"t\":\"12:34:56.789\",\"dt\":\"2024-02-29 12:34:56.123456\",\"tn\":\"02:0-3:0-3\",\"ts\":\"2024-02-29 00:00:00\",\"big\":\"838:59:59\",\"dt0\":\"2024-02-29 12:34:56\"}"`]: String.raw`"{\"d\":\"2024-02-29\",\"t\":\"12:34:56.789000\",\"dt\":\"2024-02-29 12:34:56.123456\",\"tn\":\"-01:02:03.000000\",\"ts\":\"2024-02-29 00:00:00.000000\",\"big\":\"838:59:59.000000\",\"dt0\":\"2024-02-29 12:34:56.000000\"}"`,
      [String.raw`"{\"f\":0.10000000149011612,\"yr\":2024,\"bin\":\"AP8Q\",\"bit\":\"BQ==\",\"dbl\":0.1,\"geo\":{\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:MySQL::0\"}},\"type\":\"Point\",\"coordinates\":[1.0,2.0]},\"blob\":\"YWJj\",\"bool\":true}"`]: String.raw`"{\"f\":0.10000000149011612,\"yr\":2024,\"bin\":\"base64:type15:AP8Q\",\"bit\":\"base64:type15:BQ==\",\"dbl\":0.1,\"geo\":{\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:MySQL::0\"}},\"type\":\"Point\",\"coordinates\":[1.0,2.0]},\"blob\":\"base64:type15:YWJj\",\"bool\":true}"`,
      '"\\"yv4=\\""': '"\\"base64:type15:yv4=\\""',
      '"[\\"/w==\\"]"': '"[\\"base64:type15:/w==\\"]"',
    },
  },
  {
    finding: '39',
    about: 'string defaults and comments are the inner text of the literal, with its doubled quotes and backslashes',
    scenarios: /^mysql\/(types-text-binary|ddl|ddl-comments)$|^mariadb\/types-text-binary$/,
    place: /^(t_char|fresh|as_select2|t) value\.(schema\..*\.(default|doc)|payload\.(before|after)\.v)$/,
    values: {
      [String.raw`"it''s \"d\" \\\\ default"`]: String.raw`"it's \"d\" \\ default"`,
      [`"d''q"`]: `"d'q"`,
      [`"it''s v"`]: `"it's v"`,
    },
  },
  {
    finding: '39',
    about: 'defaults of binary columns are the text of their literal',
    scenarios: /^mysql\/(types-text-binary|modes-binary-\w+)$|^mariadb\/types-text-binary$/,
    place: /^(t_binary|streamed|b) value\.(schema\..*\.default|payload\.(before|after)\.vbx)$/,
    values: {
      '"YWJcMFww"': '"YWIAAA=="',
      '"MDBGRjE="': '"AP8Q"',
      '"YQ=="': '"YQAA"',
      '"MDEwMg=="': '"AQI="',
      '"01025c305c305c30"': '"0102000000"',
      '"AQJcMFwwXDA="': '"AQIAAAA="',
    },
  },
  {
    finding: '27',
    about: 'CHAR(0) and BINARY(0) count as ten in the tables of schema changes',
    scenarios: /^mysql\/types-text-binary$/,
    place: /types-text-binary value\.(payload\.)?tableChanges\[0\]\.table\.columns\[\d+\]\.length$/,
    values: { '10': '0' },
  },
  {
    finding: '30',
    about: 'ALTER TABLE … CHARACTER SET does not change the table of the schema change',
    scenarios: /\/ddl$/,
    place: /ddl value\.(payload\.)?tableChanges\[0\]\.table\.(defaultCharsetName|columns\[\d+\]\.charsetName)$/,
    values: { '"latin1"': '"utf8mb4"' },
  },
  {
    finding: '28',
    about: "CHAR ASCII, UNICODE and BYTE have the table's character set in schema changes",
    scenarios: /^mysql\/types-text-binary$/,
    place: /types-text-binary value\.(payload\.)?tableChanges\[0\]\.table\.columns\[\d+\]\.charsetName$/,
  },
  {
    finding: '39',
    about: 'defaults, labels and comments of schema changes are the inside of their literals',
    scenarios: /^mysql\/(types-text-binary|ddl|ddl-comments|modes-binary-\w+)$|^mariadb\/(types-text-binary|ddl)$/,
    place: /value\.(payload\.)?tableChanges\[0\]\.table\.columns\[\d+\]\.(defaultValueExpression|comment)$/,
    values: {
      [`"d''q"`]: `"d'q"`,
      [`"it''s v"`]: `"it's v"`,
      [String.raw`"it''s \"d\" \\\\ default"`]: String.raw`"it's \"d\" \\ default"`,
      [String.raw`"ab\\0\\0"`]: '"0x61620000"',
      '"xyz"': '"0x78797a"',
      '"00FF1"': '"0x00ff10"',
      [String.raw`"\u0001\u0002\\0\\0\\0"`]: '"0x0102000000"',
      '"abc?>~"': '"0x6162633f3e7e"',
    },
  },
  {
    finding: '43',
    about: 'a key column that a filter takes out of the value is 0 in the key of snapshot rows',
    scenarios: /^mysql\/filters-include$/,
    place: /^orders key\.payload\.\w+$/,
  },
  {
    finding: 'M31',
    about: 'streamed UUIDs that end in zero bytes are shifted',
    scenarios: /^mariadb\/(types-uuid|metadata-(full|minimal|no-log)|propagate-type|ddl-mariadb)$/,
    place: /^(u|late|m|exprs) (key|value)(\.payload)?\.((before|after)\.)?(v|n|u|id|uu)$/,
    values: rightUuids,
  },
  {
    finding: 'M35',
    about: 'a streamed zero TIMESTAMP is the epoch, also in a nullable column or one with a default',
    scenarios: /^mariadb\/types-temporal$/,
    place: /^t_timestamp value\.payload\.after\.sd?[0-6]?$/,
    values: {
      '"1970-01-01T00:00:00Z"': 'null',
      '"1970-01-01T00:00:00.0Z"': 'null',
      '"1970-01-01T00:00:00.00Z"': 'null',
      '"1970-01-01T00:00:00.000Z"': 'null',
      '"1970-01-01T00:00:00.0000Z"': 'null',
      '"1970-01-01T00:00:00.00000Z"': 'null',
      '"1970-01-01T00:00:00.000000Z"': 'null',
    },
  },
  {
    finding: 'M35',
    about: "likewise, with the column's default in its place",
    scenarios: /^mariadb\/types-temporal$/,
    place: /^t_timestamp value\.payload\.after\.sd3?$/,
    values: {
      '"1970-01-01T00:00:00Z"': '"2018-06-15T10:20:30Z"',
      '"1970-01-01T00:00:00.000Z"': '"2018-06-15T10:20:30.120Z"',
    },
  },
  {
    finding: 'M37',
    about: 'streamed cp932 is decoded as UTF-8',
    scenarios: /^mariadb\/types-text-binary$/,
    place: /^t_charset value\.payload\.(before|after)\.cp932$/,
    values: { '"\ufffd\ufffd\ufffd{\ufffd\ufffd@"': '"日本語①"' },
  },
  {
    finding: 'M17',
    about: 'with log_bin_compress=ON nothing comes',
    scenarios: /^mariadb\/log-bin-compress$/,
    place: /^(t|zz_end|maria-log-bin-compress|connect-status) (record|topic|value)$/,
    more: true,
    always: true,
  },
  {
    finding: 'M17',
    about: 'so that the stored offset is that of the snapshot',
    scenarios: /^mariadb\/log-bin-compress$/,
    place: /^connect-offsets value(\.(event|row|server_id))?$/,
    more: true,
    always: true,
  },
  {
    finding: 'M25',
    about: 'statements that the original cannot parse change no table, and here they do',
    scenarios: /^mariadb\/(ddl-create-or-replace|ddl-periods-partitions|inet4-skipped)$/,
    place: /^maria-[\w-]+ value\.(source\.table|tableChanges\[0\])$/,
    always: true,
  },
  {
    finding: 'M26',
    about: 'after CREATE OR REPLACE of a table that exists rows come under the old names',
    scenarios: /^mariadb\/ddl-create-or-replace$/,
    place: /^a value\.after\.(v|n|other|num)$/,
    always: true,
  },
  {
    finding: 'M27',
    about: 'CHANGE COLUMN IF EXISTS of a column that is not there renames another one',
    scenarios: /^mariadb\/ddl-unparseable$/,
    place: /^a value\.after\.(n|nope2)$/,
    values: { '1': noMember, [noMember]: '1' },
    always: true,
  },
  {
    finding: 'M27',
    about: 'and has two records, one without a table',
    scenarios: /^mariadb\/ddl-unparseable$/,
    place: /^maria-ddl-unparseable (record|value\.(source\.table|tableChanges\[0\](\.table\.columns\[2\]\.name)?))$/,
    always: true,
  },
];

/** Values that are of one run, in any setting. */
const ofOneRun: readonly Pick<ChosenDifference, 'scenarios' | 'place'>[] = [
  // Ids of the server's transactions.
  { scenarios: /^mariadb\/system-versioning$/, place: /^trx (key|value\.after)\.(rs|re)$/ },
  // With read.only rows go out as soon as the stream is where they were read, beside the last event: a GTID's, which has no thread,
  // or a row's. The original waits for the next one or two of them.
  { scenarios: /^mysql\/signal-kafka$/, place: /^big value\.payload\.source\.thread$/ },
  // What NEXTVAL gives depends on the server's cache.
  { scenarios: /^mariadb\/sequences$/, place: /^t (key\.id|value\.(before|after)\.id)$/ },
];

/** Recordings whose task failed on something that Millrace can do; it goes on there, in every setting. */
export const goesOn: Readonly<Record<string, string>> = {
  'mysql/failure-decimal-zerofill': '25',
  'mysql/failure-invalid-dates': '42a',
  'mysql/invalid-dates-stream': '42a',
  'mysql/failure-time-not-null': '32',
  'mariadb/ddl-create-or-replace': 'M26',
  'mariadb/ddl-unparseable': 'M25, M27',
  'mariadb/ddl-without-overlaps': 'M25',
  'mariadb/failure-inet4': 'M24',
  'mariadb/failure-inet6': 'M24',
  'mariadb/inet4-skipped': 'M24',
  'mariadb/inet4-stream': 'M24',
  'mariadb/failure-year-zero': 'M29',
  'mariadb/generated-columns': 'M20',
  'mariadb/generated-columns-delete': 'M20',
  'mariadb/gtid-large-domain': 'M16',
  'mariadb/gtid-other-server': 'M15',
  'mariadb/row-image-full-nodup': 'M19',
  'mariadb/row-image-minimal': 'M19',
  'mariadb/sequences-failure': 'M22',
  'mariadb/system-versioning-implicit': 'M21',
  'mariadb/types-compressed': 'M23',
};

export interface Explained {
  /** Differences that nothing explains. */
  readonly left: readonly PlacedDifference[];
  /** Differences that were chosen for the scenario, and were not seen. */
  readonly unseen: readonly ChosenDifference[];
}

/** Takes out of a scenario's differences those that were chosen; in the compatible setting only those that are always there. */
export function explain(scenario: Scenario, differences: readonly PlacedDifference[], isCompatible: boolean): Explained {
  const chosen = differencesOf(scenario).filter(({ always }) => !isCompatible || always === true);
  const seen = new Set<ChosenDifference>();
  const name = nameOf(scenario);
  const left = differences.filter((difference) => {
    const place = placeOf(difference);
    if (ofOneRun.some((each) => each.scenarios.test(name) && each.place.test(place))) return false;
    const found = chosen.filter(
      (each) =>
        each.place.test(place) &&
        (each.more !== true || difference.expected.startsWith('(no such')) &&
        (each.less !== true || difference.got === noMember) &&
        (each.values === undefined || each.values[difference.expected] === difference.got),
    );
    for (const each of found) seen.add(each);
    return found.length === 0;
  });
  return { left, unseen: chosen.filter((each) => each.less !== true && !seen.has(each)) };
}

/** What was chosen for a scenario. */
export function differencesOf(scenario: Scenario): readonly ChosenDifference[] {
  return chosenDifferences.filter(({ scenarios }) => scenarios.test(nameOf(scenario)));
}

export function nameOf({ flavor, name }: Scenario): string {
  return `${flavor}/${name}`;
}

function placeOf({ topic, path }: PlacedDifference): string {
  return `${topic.slice(topic.lastIndexOf('.') + 1)} ${path}`;
}
