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
}

/** Records of one change; a batch must be counted fast, so that it knows no more of it. */
export type RecordsOfChange = (code: Op, keyChanged: boolean) => number;

/** Debezium's by default: a tombstone after a delete; delete, tombstone and create for an update of the key. */
const debeziumRecords: RecordsOfChange = (code, keyChanged) => (code === op.delete ? 2 : keyChanged ? 3 : 1);

/** Counts what Debezium writes with its default settings. */
export const countDebeziumRecords: CountRecords = countRecordsWith(debeziumRecords);

/** Counts rows by this rule, a DDL statement as one record. The rule is asked once per kind of change, not per row. */
export function countRecordsWith(recordsOfChange: RecordsOfChange): CountRecords {
  const perOp = new Uint8Array(8);
  for (const code of Object.values(op)) perOp[code] = recordsOfChange(code, false);
  const perKeyChange = recordsOfChange(op.update, true);
  const differs = perKeyChange !== perOp[op.update];
  return (entry) => {
    if (entry.kind === 'schema') return 1;
    if (entry.kind === 'records') return entry.records.length;
    if (entry.kind !== 'changes' && entry.kind !== 'chunk') return 0;
    const { batch } = entry;
    let records = 0;
    let updates = 0;
    for (let i = 0; i < batch.count; i++) {
      const code = batch.ops[i] ?? 0;
      records += perOp[code] ?? 0;
      if (code === op.update) updates++;
    }
    if (updates === 0 || !differs) return records;
    return records + countKeyChanges(batch) * (perKeyChange - (perOp[op.update] ?? 0));
  };
}

/** What finding the key in a row image needs. */
interface KeyLayout {
  readonly key: readonly number[];
  readonly widths: Uint8Array;
  /** Columns up to the key's last one; 0 without a key. */
  readonly located: number;
  readonly before: Int32Array;
  readonly after: Int32Array;
}

const layouts = new WeakMap<TableSchema, KeyLayout>();

function layoutOf(schema: TableSchema): KeyLayout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const located = Math.max(-1, ...schema.primaryKey) + 1;
  const [before, after] = [new Int32Array(2 * located), new Int32Array(2 * located)];
  const layout = { key: schema.primaryKey, widths: cellWidths(schema), located, before, after };
  layouts.set(schema, layout);
  return layout;
}

function countKeyChanges({ schema, count, ops, starts, bytes }: ChangeBatch): number {
  const { key, widths, located, before, after } = layoutOf(schema);
  if (located === 0) return 0;
  let changed = 0;
  const image = { bytes, start: 0 };
  for (let i = 0; i < count; i++) {
    if (ops[i] !== op.update) continue;
    image.start = starts[2 * i] ?? 0;
    locateCells(widths, image, located, before);
    image.start = starts[2 * i + 1] ?? 0;
    locateCells(widths, image, located, after);
    for (const column of key) {
      if (!cellDiffers(bytes, column, before, after)) continue;
      changed++;
      break;
    }
  }
  return changed;
}
