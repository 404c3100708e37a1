import { readJavaArray, writeJavaArray, type JavaValue } from '../../base/java-object.ts';
import { isJsonObject } from '../../base/json-object.ts';
import type { Column } from '../../event/table-schema.ts';
import { tableName } from '../../event/table-schema.ts';
import type { ChunkKey } from './chunk-query.ts';
import type { ChunkedTable, IncrementalState } from './incremental-state.ts';

type Offset = Readonly<Record<string, unknown>>;

/**
 * What Debezium's stored offset tells of an open incremental snapshot, so that either goes on where the other was: the greatest
 * key of the table that is read and the last one that was sent, as serialized arrays. A key that is not of integers and texts is
 * left out, by which the table is read from its begin.
 *
 * Source: debezium-core, AbstractIncrementalSnapshotContext.
 */
export function incrementalOffset(
  state: IncrementalState | undefined,
  columnsOf: (table: ChunkedTable) => readonly Column[] | undefined,
): Offset {
  if (state === undefined) return {};
  const { id, tables, maximum, last } = state;
  const [first] = tables;
  const columns = first === undefined ? undefined : columnsOf(first);
  const keys = [maximum, last].map((key) => (key === null || columns === undefined ? undefined : javaKey(key, columns)));
  const [greatest, sent] = keys.includes(undefined) ? [null, null] : keys;
  const hex = (key: readonly JavaValue[] | null | undefined): string => writeJavaArray(key ?? null).toString('hex');
  return {
    incremental_snapshot_correlation_id: id,
    incremental_snapshot_maximum_key: hex(greatest),
    incremental_snapshot_primary_key: hex(sent),
    incremental_snapshot_collections: JSON.stringify(
      tables.map((table) => ({
        incremental_snapshot_collections_id: tableName(table),
        incremental_snapshot_collections_additional_condition: table.filter,
        incremental_snapshot_collections_surrogate_key: table.surrogateKey,
      })),
    ),
  };
}

function javaKey(key: ChunkKey, columns: readonly Column[]): readonly JavaValue[] | undefined {
  const values = columns.map(({ type }, i): JavaValue | undefined => {
    const literal = key[i] ?? '';
    if (type.kind === 'text') return { type: 'String', value: Buffer.from(literal.slice(textStart.length, -1), 'hex').toString('utf8') };
    if (type.kind !== 'int' || (type.bits === 64 && type.unsigned)) return undefined;
    return { type: type.bits === 64 || (type.bits === 32 && type.unsigned) ? 'Long' : 'Integer', value: BigInt(literal) };
  });
  return values.every((value) => value !== undefined) ? values : undefined;
}

/** How a text stands in a chunk's key. */
const textStart = "_utf8mb4 x'";

/** The snapshot that a Debezium had open; null: none. */
export function incrementalOfOffset(offset: Offset | undefined): IncrementalState | null {
  const collections = offset?.['incremental_snapshot_collections'];
  const tables = typeof collections === 'string' ? tablesOf(collections) : [];
  if (offset === undefined || tables.length === 0) return null;
  const id = offset['incremental_snapshot_correlation_id'];
  const maximum = chunkKey(offset['incremental_snapshot_maximum_key']);
  const last = chunkKey(offset['incremental_snapshot_primary_key']);
  const keys = maximum === null || last === null ? { maximum: null, last: null } : { maximum, last };
  return { id: typeof id === 'string' ? id : '', tables, ...keys, rows: 0, paused: false };
}

function tablesOf(text: string): readonly ChunkedTable[] {
  const list = jsonOf(text);
  if (!Array.isArray(list)) return [];
  return list.flatMap((each: unknown): readonly ChunkedTable[] => {
    const member = (name: string): unknown => (isJsonObject(each) ? each[`incremental_snapshot_collections_${name}`] : undefined);
    const [id, filter, surrogateKey] = ['id', 'additional_condition', 'surrogate_key'].map(member);
    const dot = typeof id === 'string' ? id.indexOf('.') : -1;
    if (typeof id !== 'string' || dot <= 0) return [];
    const given = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
    return [{ database: id.slice(0, dot), table: id.slice(dot + 1), filter: given(filter), surrogateKey: given(surrogateKey) }];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function chunkKey(hex: unknown): ChunkKey | null {
  const values = typeof hex === 'string' ? readJavaArray(Buffer.from(hex, 'hex')) : undefined;
  return (
    values?.map(({ type, value }) => (type === 'String' ? `${textStart}${Buffer.from(value).toString('hex')}'` : String(value))) ?? null
  );
}
