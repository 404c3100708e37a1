import { isJsonObject } from '../../base/json-object.ts';
import { MillraceError } from '../../base/errors.ts';
import type { TableId } from '../../event/table-schema.ts';

/** A record of Debezium's schema history, as far as a takeover needs it. */
export interface HistoryRecord {
  /** `source.server`: the `topic.prefix` of who wrote it. */
  readonly server: string;
  readonly place: HistoryPlace;
  readonly database: string;
  readonly statement: string;
  readonly changes: readonly HistoryChange[];
}

/** Where the statement ends; `gtids` are those before it. */
export interface HistoryPlace {
  readonly file: string;
  readonly pos: number;
  readonly gtids: string;
  readonly seconds: number;
  /** It describes what was there at the place, and changed nothing. */
  readonly snapshot: boolean;
}

/** What Debezium made of the statement. */
export interface HistoryChange {
  readonly id: TableId;
  readonly previous: TableId | undefined;
  /** Null: the table is gone. */
  readonly table: DescribedTable | null;
}

export interface DescribedTable {
  readonly charset: string | undefined;
  readonly primaryKey: readonly string[];
  readonly columns: readonly DescribedColumn[];
}

export interface DescribedColumn {
  readonly name: string;
  readonly typeName: string;
  readonly length: number | undefined;
  readonly scale: number | undefined;
  readonly charset: string | undefined;
  readonly nullable: boolean;
  readonly default: string | undefined;
  /** ENUM and SET, each in the quotes that the statement had. */
  readonly labels: readonly string[];
}

/**
 * Reads JSON objects, one after another in whatever lines: what a consumer of the topic prints, the file of Debezium's
 * `FileSchemaHistory`, or `{"partition", "offset", "key", "value"}` around each of them.
 *
 * @throws CONFIG_UNREADABLE
 */
export function parseSchemaHistory(text: string): readonly HistoryRecord[] {
  return jsonTexts(text).map((json, index) => {
    try {
      const parsed: unknown = JSON.parse(json);
      const value = isJsonObject(parsed) && !('tableChanges' in parsed) && 'value' in parsed ? parsed['value'] : parsed;
      if (isJsonObject(value) && isJsonObject(value['position'])) return recordOf(value, value['position']);
    } catch (error) {
      throw unreadable(index, error);
    }
    throw unreadable(index);
  });
}

function unreadable(index: number, cause?: unknown): MillraceError {
  return new MillraceError('CONFIG_UNREADABLE', `object ${index + 1} is no record of a schema history`, {
    cause,
    nextStep: 'Give the values of the schema history topic, from its beginning.',
  });
}

/** The objects of a text, each whole. */
function jsonTexts(text: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  // texts are passed over as one, so that braces in them do not count
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]|[^\s{}"]+/gs)) {
    if (depth === 0) start = index;
    if (token === '{') depth++;
    else if (token === '}') depth--;
    if (depth === 0) found.push(text.slice(start, index + token.length));
  }
  if (depth !== 0) found.push(text.slice(start));
  return found;
}

function recordOf(value: Readonly<Record<string, unknown>>, position: Readonly<Record<string, unknown>>): HistoryRecord {
  const source = value['source'];
  return {
    server: isJsonObject(source) ? textOf(source['server']) : '',
    place: {
      file: textOf(position['file']),
      pos: Number(position['pos'] ?? 0),
      gtids: textOf(position['gtids']),
      seconds: Number(position['ts_sec'] ?? 0),
      snapshot: position['snapshot'] !== undefined && position['snapshot'] !== false,
    },
    database: textOf(value['databaseName']),
    statement: textOf(value['ddl']),
    changes: listOf(value['tableChanges']).flatMap(changeOf),
  };
}

function changeOf(change: unknown): readonly HistoryChange[] {
  if (!isJsonObject(change)) return [];
  const id = tableIdOf(change['id']);
  const table = change['table'];
  if (id === undefined) return [];
  const previous = tableIdOf(change['previousId']);
  return [{ id, previous, table: change['type'] === 'DROP' || !isJsonObject(table) ? null : tableOf(table) }];
}

function tableOf(table: Readonly<Record<string, unknown>>): DescribedTable {
  return {
    charset: optional(table['defaultCharsetName']),
    primaryKey: listOf(table['primaryKeyColumnNames']).map(String),
    columns: listOf(table['columns']).filter(isJsonObject).map(columnOf),
  };
}

function columnOf(column: Readonly<Record<string, unknown>>): DescribedColumn {
  const size = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  return {
    name: textOf(column['name']),
    typeName: textOf(column['typeName']),
    length: size(column['length']),
    scale: size(column['scale']),
    charset: optional(column['charsetName']),
    nullable: column['optional'] === true,
    default: optional(column['defaultValueExpression']),
    labels: listOf(column['enumValues']).map(String),
  };
}

/** `"db"."table"`, quotes doubled. */
function tableIdOf(id: unknown): TableId | undefined {
  const parts = [...textOf(id).matchAll(/"((?:[^"]|"")*)"/g)].map(([, part = '']) => part.replaceAll('""', '"'));
  const [database, table] = parts;
  return database === undefined || table === undefined ? undefined : { database, table };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return optional(value) ?? '';
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
