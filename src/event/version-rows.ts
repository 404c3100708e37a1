import { op, type ChangeBatch } from './change-batch.ts';
import { cellWidths, locateCells } from './row-image.ts';
import type { TableSchema } from './table-schema.ts';

/** Of an insert, a read, a delete; updates are of versions that go on. */
export type IsEnded = (batch: ChangeBatch, change: number) => boolean;

/** The end of versions that have not ended, on servers whose TIMESTAMP goes to 2038; later ones have 2106. */
const openMicros = 2 ** 31 * 1e6 - 1;

/**
 * Tells the versions of rows that have ended, as MariaDB's system versioning keeps them, by the column that says when: nobody
 * sees them without asking for history.
 */
export function endedRows(schema: TableSchema, endColumn: number): IsEnded {
  const widths = cellWidths(schema);
  const cells = new Int32Array(2 * (endColumn + 1));
  const image: { bytes: Uint8Array; start: number } = { bytes: new Uint8Array(0), start: 0 };
  return ({ bytes, starts, ops }, change) => {
    image.bytes = bytes;
    image.start = starts[ops[change] === op.delete ? 2 * change : 2 * change + 1] ?? 0;
    locateCells(widths, image, endColumn + 1, cells);
    const at = cells[2 * endColumn] ?? -1;
    if (at < 0) return false;
    return Number(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0, true)) < openMicros;
  };
}
