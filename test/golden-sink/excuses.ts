import type { TableDifference } from './compare-tables.ts';
import type { Knowledge } from './sink-under-test.ts';
import type { RecordedFiles } from './recorded-files.ts';

/** Why records do not make the table that the SQL made; numbers are those of the recordings' findings. */
export interface Excuse {
  readonly why: string;
  readonly flavor?: 'mysql' | 'mariadb';
  readonly scenarios?: RegExp;
  readonly when: (difference: TableDifference, scenario: RecordedFiles) => boolean;
}

const isTemporal = /^(date|time|datetime|timestamp)/;

/** Rows or values of these tables, or of these columns of them. */
const of =
  (tables: RegExp, columns?: RegExp) =>
  ({ table, kind, column = '' }: TableDifference): boolean =>
    kind !== 'undecided' && tables.test(table.slice(table.indexOf('.') + 1)) && (columns === undefined || columns.test(column));
const isMissing =
  (tables = /^/) =>
  ({ table, kind }: TableDifference): boolean =>
    kind === 'missing' && tables.test(table.slice(table.indexOf('.') + 1));
const isExtra =
  (tables = /^/) =>
  ({ table, kind }: TableDifference): boolean =>
    kind === 'extra' && tables.test(table.slice(table.indexOf('.') + 1));
const noTable = ({ kind, replica }: TableDifference): boolean => kind === 'undecided' && replica === 'no table';
const anything = (): boolean => true;

export const excuses: readonly Excuse[] = [
  // values that the records do not have, or have wrong
  {
    why: 'NULL of a column with a default: the converter puts the default in its place (replace.null.with.default)',
    when: ({ source, hasDefault, kind }, { connector }) =>
      kind === 'different' && source === null && hasDefault === true && connector['value.converter.replace.null.with.default'] !== 'false',
  },
  {
    why: '31: a zero or partly zero date is the default, or the epoch, where it cannot be null',
    when: ({ source, kind, columnType = '' }) => kind === 'different' && source === null && isTemporal.test(columnType),
  },
  {
    why: '24: the year 0000 is 2000 in a snapshot, 1900 in the stream',
    when: ({ source, replica, columnType = '' }) => columnType.startsWith('year') && source === '0' && /^(1900|2000)$/.test(replica ?? ''),
  },
  {
    why: '35: years of two digits are moved',
    when: ({ source, replica, columnType = '' }) =>
      isTemporal.test(columnType) && /^00\d\d-/.test(source ?? '') && source?.slice(4, 19) === replica?.slice(4, 19),
  },
  {
    why: '22: a FLOAT in a snapshot has six digits, one with scale is a double',
    scenarios: /^types-numeric$/,
    when: ({ source, replica, columnType = '' }) =>
      /^(float|double\()/.test(columnType) && Math.abs(Number(source) / Number(replica) - 1) < 1e-5,
  },
  { why: '21: FLOAT4 in a streamed definition has no values', scenarios: /^types-numeric$/, when: of(/^streamed$/, /^f4$/) },
  {
    why: '36, 37: numbers, times and binaries inside of streamed JSON',
    scenarios: /^(types-json|modes-binary-.*)$/,
    when: ({ columnType }) => columnType === 'json',
  },
  {
    why: '32: time.precision.mode=connect has milliseconds, and no times over a day or below zero',
    scenarios: /^types-temporal-connect/,
    when: ({ source, replica, columnType = '' }) =>
      isTemporal.test(columnType) && (replica === null || columnType.startsWith('time') || source?.slice(0, -3) === replica.slice(0, -3)),
  },
  {
    why: '26: labels with a comma or a backslash stream with escapes',
    when: ({ columnType = '', source, replica }) => columnType.startsWith('enum') && source === replica?.replaceAll(/\\(.)/g, '$1'),
  },
  { why: '27: BINARY(0) holds ten zero bytes', flavor: 'mysql', scenarios: /^types-text-binary$/, when: of(/^t_binary$/, /^b0$/) },
  { why: '28: CHAR … UNICODE in a streamed definition', scenarios: /^types-text-binary$/, when: of(/^streamed$/, /^cu$/) },
  { why: '30: a column added after ALTER TABLE … CHARACTER SET', scenarios: /^ddl$/, when: of(/^latin$/, /^w$/) },
  { why: 'decimal.handling.mode=double has 17 digits', scenarios: /^modes-decimal-double$/, when: of(/^n$/, /^(d0|big)$/) },
  { why: 'masks are meant to change values', scenarios: /^masking/, when: ({ kind }) => kind === 'different' },
  // rows that the records do not tell of
  {
    why: 'TRUNCATE is not in the topics, unless skipped.operations=none',
    when: (difference) => isExtra(/^(fresh|trg|c|a\$b|b)$/)(difference),
    scenarios: /^(ddl|operations|transactions|topic-names|ddl-create-or-replace)$/,
  },
  { why: 'rows that go with a partition are not in the topics', scenarios: /^ddl$/, when: isExtra(/^part$/) },
  {
    why: 'a statement that computes values of existing rows writes no rows',
    scenarios: /^ddl(-mariadb)?$/,
    when: of(/^(dropme|t)$/, /^(g|p|vg)$/),
  },
  { why: '42b: records before a failure are not sent', scenarios: /^failure-time-not-null$/, when: isMissing() },
  { why: '42a: impossible dates fail the task', scenarios: /^invalid-dates-stream$/, when: isMissing() },
  {
    why: 'a snapshot that failed is never shown',
    scenarios: /^failure-(decimal-zerofill|invalid-dates|inet4|inet6|year-zero)$/,
    when: noTable,
  },
  { why: 'a history does not tell where its snapshot ends, if nothing follows', scenarios: /^invalid-dates-stream$/, when: noTable },
  {
    why: 'tables that the lists leave out',
    scenarios: /^(ddl-comments|ddl-tables-only|filters-include|heartbeat|sequences)$/,
    when: noTable,
  },
  {
    why: 'columns that the lists leave out',
    scenarios: /^(filters-include|operations-unchanged)$/,
    when: ({ kind }) => kind === 'structure',
  },
  { why: '43: a key column that a list leaves out is 0 in a snapshot', scenarios: /^filters-include$/, when: of(/^orders$/) },
  {
    why: 'rows that the connector itself wrote into the signal table',
    scenarios: /^(incremental-.*|notifications)$/,
    when: ({ table, kind, source }) => kind === 'extra' && table.endsWith('.debezium_signal') && /-(open|close)"/.test(source ?? ''),
  },
  { why: 'snapshot.mode=no_data', scenarios: /^(incremental-snapshot|signal-kafka|snapshot-no-data)$/, when: isMissing(/^(nokey|a|b)$/) },
  { why: 'snapshots that were stopped', scenarios: /^incremental-stop$/, when: isMissing(/^big$/) },
  { why: 'snapshot.mode=initial_only', scenarios: /^snapshot-initial-only$/, when: of(/^(a|zz_end)$/) },
  { why: 'a part of the tables is read by the snapshot', scenarios: /^snapshot-select-override$/, when: isMissing(/^b$/) },
  // records that transformations have made less of
  { why: 'rows without a key whose deletions have no row', scenarios: /^smt-unwrap-/, when: isExtra(/^nokey$/) },
  { why: 'deletions are left out', scenarios: /^smt-unwrap-drop$/, when: isExtra(/^item$/) },
  {
    why: 'names of fields that are no names of columns',
    scenarios: /^modes-name-adjustment$/,
    when: ({ table }) => table.endsWith('.odd-table 1'),
  },
  { why: 'another table', scenarios: /^(smt-chain|smt-flatten|smt-logical-table|smt-router|failure-mask-null)$/, when: anything },
  // what the connector for MariaDB loses
  { why: '10: foreign keys work without row events', flavor: 'mariadb', scenarios: /^operations$/, when: isExtra(/^child$/) },
  { why: '8: XA rows are sent when they are prepared', flavor: 'mariadb', scenarios: /^xa$/, when: isExtra(/^b$/) },
  { why: '17: compressed events are ignored', flavor: 'mariadb', scenarios: /^log-bin-compress$/, when: anything },
  { why: '18: statements are ignored', flavor: 'mariadb', scenarios: /^(statement-format|system-versioning)$/, when: of(/^(a|b|trx)$/) },
  { why: '21: implicit system versioning fails the task', flavor: 'mariadb', scenarios: /^system-versioning-implicit$/, when: isMissing() },
  {
    why: '22: sequences number rows by the server that runs',
    flavor: 'mariadb',
    scenarios: /^sequences(-failure)?$/,
    when: of(/^(t|zz_end)$/),
  },
  {
    why: '15, 16, 19, 20, 23, 24, 25: the task fails in the middle',
    flavor: 'mariadb',
    scenarios:
      /^(gtid-(large-domain|other-server)|row-image-.*|generated-columns.*|types-compressed|inet4-.*|ddl-without-overlaps|ddl-unparseable)$/,
    when: ({ kind, replica }) => kind !== 'undecided' || replica === 'no table',
  },
  {
    why: '26, 27: definitions that were read in another way',
    flavor: 'mariadb',
    scenarios: /^ddl-(create-or-replace|unparseable)$/,
    when: anything,
  },
  {
    why: '31: UUIDs that end in zeros are shifted',
    flavor: 'mariadb',
    when: ({ columnType, source, replica }) =>
      columnType === 'uuid' && source?.replaceAll(/-/g, '').replace(/(00)+$/, '') === replica?.replaceAll(/-/g, '').replace(/^(00)+/, ''),
  },
  { why: '37: streamed cp932', flavor: 'mariadb', scenarios: /^types-text-binary$/, when: of(/^t_charset$/, /^cp932$/) },
];

/** What schemas in records do not say of tables, besides. */
const described: readonly Excuse[] = [
  { why: 'a table without a record is not known', when: noTable },
  {
    why: 'unsigned BIGINT is a signed 64-bit integer (bigint.unsigned.handling.mode=long)',
    when: ({ source, columnType = '' }) => columnType.startsWith('bigint') && /^(9|1)\d{18,19}$/.test(source ?? ''),
  },
  {
    why: 'keys of unsigned BIGINT, and of binary columns that are texts, are other keys',
    scenarios: /^(modes-(decimal|binary)-.*|types-numeric)$/,
    when: ({ kind }) => kind === 'missing' || kind === 'extra',
  },
  { why: 'decimals are doubles', scenarios: /^modes-decimal-double$/, when: ({ kind }) => kind === 'different' },
  { why: 'binary columns are texts', scenarios: /^(modes-binary-.*|types-text-binary)$/, when: ({ kind }) => kind === 'different' },
  { why: 'columns that were renamed or dropped are others, and tables that were renamed', scenarios: /^ddl/, when: anything },
  { why: 'the key is that of the records', scenarios: /^message-key-columns$/, when: anything },
  { why: 'JSON without schemas tells no types', scenarios: /^(smt-unwrap-default|schemas-disabled)$/, when: anything },
  { why: 'a snapshot of the schema alone', scenarios: /^(failure|invalid|inet4|sequences|system-versioning|generated)/, when: anything },
];

/** The excuse of a difference; undefined: there is none. */
export function excusing(scenario: RecordedFiles, how: Knowledge, difference: TableDifference): Excuse | undefined {
  return (how === 'described' ? [...excuses, ...described] : excuses).find(
    ({ flavor, scenarios, when }) =>
      (flavor === undefined || flavor === scenario.flavor) &&
      (scenarios === undefined || scenarios.test(scenario.name)) &&
      when(difference, scenario),
  );
}
