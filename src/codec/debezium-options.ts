import type { ColumnRules } from '../config/column-rules.ts';
import { readColumnRules } from '../config/column-rules.ts';
import type { FindConversion } from '../config/converter-rules.ts';
import { topicNaming, type NameMode, type NameTopic } from './topic-naming.ts';

/** How a JsonConverter writes values. */
export interface ConverterForm {
  /** `decimal.format`. */
  readonly decimalFormat: 'base64' | 'numeric';
  /** `replace.null.with.default`. */
  readonly replaceNullWithDefault: boolean;
}

/** Which of Debezium's forms the records have: connector and converter properties, parsed. */
export interface DebeziumOptions extends ConverterForm {
  readonly connector: 'mysql' | 'mariadb';
  readonly topicPrefix: string;
  /** `source.version`. */
  readonly version: string;
  /** `key.converter.schemas.enable`, `value.converter.schemas.enable`. */
  readonly keySchemas: boolean;
  readonly valueSchemas: boolean;
  /** `tombstones.on.delete`. */
  readonly tombstones: boolean;
  /** `skipped.operations`. */
  readonly skippedOperations: ReadonlySet<'c' | 'u' | 'd' | 'r' | 't'>;
  /** `skip.messages.without.change`. */
  readonly skipsUnchanged: boolean;
  /** Keys, masks' and types' marks in the schemas, columns that are in the key only. */
  readonly rules: ColumnRules;
  /** `millrace.compat`: wrong values are those of this release of Debezium; undefined: they are right. */
  readonly compat: 'debezium-3.6' | undefined;
  /** `include.schema.changes`. */
  readonly schemaChanges: boolean;
  /** `provide.transaction.metadata`, and the topic of it. */
  readonly transactionMetadata: boolean;
  readonly transactionTopic: string;
  readonly heartbeatTopic: string;
  /** Of the schema history; undefined: there is none. */
  readonly historyTopic: string | undefined;
  /** `unavailable.value.placeholder`. */
  readonly unavailable: string;
  /** `extended.headers.enabled`. */
  readonly contextHeaders: boolean;
  /** Headers `__debezium.context.taskId` and `.runId`. */
  readonly taskId: string;
  readonly runId: string;
  /** `header.converter`: SimpleHeaderConverter, or JsonConverter with or without schemas. */
  readonly headerFormat: 'simple' | 'json' | 'json-schemas';
  /** `topic.delimiter`. */
  readonly topicDelimiter: string;
  /** `decimal.handling.mode`. */
  readonly decimalMode: 'precise' | 'string' | 'double';
  /** `bigint.unsigned.handling.mode`. */
  readonly bigintUnsignedMode: 'long' | 'precise';
  /** `binary.handling.mode`. */
  readonly binaryMode: 'bytes' | 'base64' | 'base64-url-safe' | 'hex';
  /** `time.precision.mode`. */
  readonly timeMode: 'adaptive_time_microseconds' | 'connect' | 'isostring' | 'microseconds' | 'nanoseconds';
  /** `enable.time.adjuster`: years 0 to 99 of DATE and DATETIME are 1970 to 2069. */
  readonly timeAdjuster: boolean;
  /** Of keys, and of keys in headers; that of values is the options' own. */
  readonly keyConverter: ConverterForm;
  readonly headerConverter: ConverterForm;
  /** `include.schema.comments`: the schemas have the columns' comments. Debezium 3.5 for MariaDB always has them. */
  readonly columnComments: boolean;
  /** `schema.name.adjustment.mode` and `field.name.adjustment.mode`. */
  readonly schemaNames: NameMode;
  readonly fieldNames: NameMode;
  /** `topic.naming.strategy`. */
  readonly nameTopic: NameTopic;
  /** `converters`. */
  readonly conversionOf: FindConversion;
}

/** What follows from others unless it is given. */
type Derived = 'connector' | 'topicPrefix' | 'version' | 'columnComments' | 'transactionTopic' | 'heartbeatTopic' | 'nameTopic';

const defaultForm: ConverterForm = { decimalFormat: 'base64', replaceNullWithDefault: true };

/** Debezium's defaults. */
const defaultDebeziumOptions: Omit<DebeziumOptions, Derived> = {
  keySchemas: true,
  valueSchemas: true,
  tombstones: true,
  skippedOperations: new Set(['t']),
  skipsUnchanged: false,
  rules: readColumnRules({}),
  compat: undefined,
  schemaChanges: true,
  transactionMetadata: false,
  historyTopic: undefined,
  unavailable: '__debezium_unavailable_value',
  contextHeaders: true,
  taskId: '0',
  runId: '00000000-0000-7000-8000-000000000000',
  headerFormat: 'simple',
  topicDelimiter: '.',
  decimalMode: 'precise',
  bigintUnsignedMode: 'long',
  binaryMode: 'bytes',
  timeMode: 'adaptive_time_microseconds',
  timeAdjuster: true,
  ...defaultForm,
  keyConverter: defaultForm,
  headerConverter: defaultForm,
  conversionOf: () => undefined,
  schemaNames: 'none',
  fieldNames: 'none',
};

/** The release of each connector whose records are reproduced. */
const debeziumVersions = { mysql: '3.6.1.Final', mariadb: '3.5.0.Final' } as const;

/** All options of those that differ from Debezium's defaults. */
export function debeziumOptions(given: Partial<DebeziumOptions> & Pick<DebeziumOptions, 'connector' | 'topicPrefix'>): DebeziumOptions {
  const { connector, topicPrefix } = given;
  return {
    ...defaultDebeziumOptions,
    version: debeziumVersions[connector],
    columnComments: connector === 'mariadb',
    nameTopic: topicNaming({}, topicPrefix, given.topicDelimiter ?? '.'),
    transactionTopic: `${topicPrefix}.transaction`,
    heartbeatTopic: `__debezium-heartbeat.${topicPrefix}`,
    ...given,
  };
}
