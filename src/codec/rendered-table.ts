import { cellDiffers, cellWidths } from '../event/row-image.ts';
import type { TableSchema } from '../event/table-schema.ts';
import { endedRows, type IsEnded } from '../event/version-rows.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { compileTable, type TableTemplate } from './table-template.ts';

/** A table's template with memory to find the key's cells in a row image. */
export interface Table {
  readonly template: TableTemplate;
  readonly widths: Uint8Array;
  /** Columns up to the key's last one: so many cells are found in each image. */
  readonly located: number;
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** Of changes that have no record; undefined: all have. */
  readonly isEnded: IsEnded | undefined;
}

/** Whether an update changes a column that records show. */
export function anyDiffers({ template: { columns }, before, after }: Table, bytes: Uint8Array): boolean {
  for (let i = 0; i < columns.length; i++) {
    // of a column that is in the key only nothing is written
    if ((columns[i]?.label.length ?? 0) > 0 && cellDiffers(bytes, i, before, after)) return true;
  }
  return false;
}

export function createTable(schema: TableSchema, options: DebeziumOptions): Table {
  const template = compileTable(schema, options);
  const hiddenEnd = options.rules.hiddenEnd(schema);
  const located = options.skipsUnchanged ? schema.columns.length : Math.max(-1, ...template.key) + 1;
  return {
    template,
    widths: cellWidths(schema),
    located,
    before: new Int32Array(2 * located),
    after: new Int32Array(2 * located),
    isEnded: hiddenEnd === undefined ? undefined : endedRows(schema, hiddenEnd),
  };
}

export function keyDiffers({ template, before, after }: Table, bytes: Uint8Array): boolean {
  for (const column of template.key) if (cellDiffers(bytes, column, before, after)) return true;
  return false;
}
