import type { Entry } from '../connect/commit-group.ts';
import { op } from '../event/change-batch.ts';
import type { ChangeBatch, Op } from '../event/change-batch.ts';
import { cellDiffers, cellWidths, locateCells } from '../event/row-image.ts';
import type { TableSchema } from '../event/table-schema.ts';

/** How many records of its topic an entry stands for; derived topic offsets advance by it. */
export type CountRecords = (entry: Entry) => number;

/** How a connector's entries become records, as far as the log counts them. */
export interface RecordRules {
  readonly countRecords: CountRecords;
  /** The topic of a table's rows, as the connector names it; absent: `<source>.<database>.<table>`. */
  readonly topicOf?: ((schema: TableSchema) => string) | undefined;
  /** Records of an entry that has no rows; absent: `recordsWithoutRows`. */
  readonly otherRecords?: CountOtherRecords | undefined;
}

/** Records of one topic; the topic `''` is the source's own. */
export interface TopicRecords {
  readonly topic: string;
  readonly records: number;
}

export type CountOtherRecords = (entry: Entry) => readonly TopicRecords[];

/** DDL in the source's own topic, and records that lie in the log as they are. */
export const recordsWithoutRows: CountOtherRecords = (entry) => {
  if (entry.kind === 'ddl') return [{ topic: '', records: entry.records.length }];
  if (entry.kind === 'notifications') return [{ topic: entry.topic, records: entry.notifications.length }];
  return entry.kind === 'records' ? [{ topic: entry.topic, records: entry.records.length }] : [];
};

/** Records of one change; a batch must be counted fast, so that it knows no more of it. */
export type RecordsOfChange = (code: Op, keyChanged: boolean) => number;

/** Debezium's by default: a tombstone after a delete; delete, tombstone and create for an update of the key. */
const debeziumRecords: RecordsOfChange = (code, keyChanged) => (code === op.delete ? 2 : keyChanged ? 3 : 1);

/** Counts what Debezium writes with its default settings. */
export const countDebeziumRecords: CountRecords = countRecordsWith(debeziumRecords);

/** What counting depends on besides the kind of change. */
export interface CountOptions {
  /** Positions of the columns that make the records' key; absent: the table's own key. */
  readonly keyOf?: ((schema: TableSchema) => readonly number[]) | undefined;
  /** Positions of the columns of which an update must change one to have a record; absent: any update has. */
  readonly comparedOf?: ((schema: TableSchema) => readonly number[]) | undefined;
}

/** Counts rows by this rule, which is asked once per kind of change, not per row. */
export function countRecordsWith(
  recordsOfChange: RecordsOfChange,
  { keyOf = (schema) => schema.primaryKey, comparedOf }: CountOptions = {},
): CountRecords {
  const layouts = new WeakMap<TableSchema, KeyLayout>();
  const perOp = new Uint8Array(8);
  for (const code of Object.values(op)) perOp[code] = recordsOfChange(code, false);
  const perKeyChange = recordsOfChange(op.update, true);
  const differs = perKeyChange !== perOp[op.update];
  return (entry) => {
    if (entry.kind !== 'changes' && entry.kind !== 'chunk' && entry.kind !== 'told') return 0;
    const { batch } = entry;
    let records = 0;
    let updates = 0;
    for (let i = 0; i < batch.count; i++) {
      const code = batch.ops[i] ?? 0;
      records += perOp[code] ?? 0;
      if (code === op.update) updates++;
    }
    if (updates === 0 || (!differs && comparedOf === undefined)) return records;
    let layout = layouts.get(batch.schema);
    if (layout === undefined) layouts.set(batch.schema, (layout = layoutOf(batch.schema, keyOf(batch.schema), comparedOf?.(batch.schema))));
    const perUpdate = perOp[op.update] ?? 0;
    const { unchanged, keyChanges } = countUpdates(batch, layout);
    return records - unchanged * perUpdate + keyChanges * (perKeyChange - perUpdate);
  };
}

/** What finding the key in a row image needs. */
interface KeyLayout {
  readonly key: readonly number[];
  readonly compared: readonly number[] | undefined;
  readonly widths: Uint8Array;
  /** Columns up to the key's last one; 0 without a key. */
  readonly located: number;
  readonly before: Int32Array;
  readonly after: Int32Array;
}

function layoutOf(schema: TableSchema, key: readonly number[], compared: readonly number[] | undefined): KeyLayout {
  const located = Math.max(-1, ...key, ...(compared ?? [])) + 1;
  const [before, after] = [new Int32Array(2 * located), new Int32Array(2 * located)];
  return { key, compared, widths: cellWidths(schema), located, before, after };
}

function countUpdates(batch: ChangeBatch, layout: KeyLayout): { readonly unchanged: number; readonly keyChanges: number } {
  const { count, ops, starts, bytes } = batch;
  const { key, compared, widths, located, before, after } = layout;
  let [unchanged, keyChanges] = [0, 0];
  const image = { bytes, start: 0 };
  for (let i = 0; i < count; i++) {
    if (ops[i] !== op.update) continue;
    image.start = starts[2 * i] ?? 0;
    locateCells(widths, image, located, before);
    image.start = starts[2 * i + 1] ?? 0;
    locateCells(widths, image, located, after);
    if (compared !== undefined && !anyDiffers(bytes, compared, layout)) unchanged++;
    else if (anyDiffers(bytes, key, layout)) keyChanges++;
  }
  return { unchanged, keyChanges };
}

function anyDiffers(bytes: Uint8Array, columns: readonly number[], { before, after }: KeyLayout): boolean {
  for (const column of columns) if (cellDiffers(bytes, column, before, after)) return true;
  return false;
}
