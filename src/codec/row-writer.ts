import { ByteWriter } from '../base/byte-writer.ts';
import { openCells, openVar, type CellCursor } from '../event/cell.ts';
import { cellState, stateBytes, type ChangeBatch } from '../event/change-batch.ts';
import { hasAbsentCell, locateCells, noCell } from '../event/row-image.ts';
import { utf8, writeBytes } from './json-writer.ts';
import type { Table } from './rendered-table.ts';
import type { ColumnTemplate, TableTemplate } from './table-template.ts';

const nullText = utf8('null');
const openBrace = utf8('{');
const closeBrace = utf8('}');

/** Writes keys and rows of a batch as JSON, straight from its cells. */
export class RowWriter {
  readonly out = new ByteWriter(16 * 1024);
  #cells: CellCursor = openCells(new Uint8Array(0), 0, 0);

  open(batch: ChangeBatch): void {
    this.#cells = openCells(batch.bytes, 0, batch.bytes.length);
  }

  /** Writes the key of the located cells; a column that is not in the image has the value of `fallback`. */
  writeKey({ template }: Table, cells: Int32Array, fallback: Int32Array, columns = template.keyColumns): void {
    writeBytes(this.out, template.keyFrame.head);
    for (let i = 0; i < template.key.length; i++) {
      const position = template.key[i] ?? 0;
      const column = columns[i];
      const label = template.keyLabels[i];
      if (column === undefined || label === undefined) continue;
      writeBytes(this.out, label);
      const at = cellAt(position, cells, fallback);
      if (at < 0) {
        writeBytes(this.out, column.nullText);
      } else {
        this.#cells.at = at;
        column.stream(this.#cells, this.out);
      }
    }
    writeBytes(this.out, template.keyFrame.tail);
  }

  /** The key as the value of a header. */
  headerOf({ template }: Table, cells: Int32Array, fallback: Int32Array): Uint8Array {
    const out = new ByteWriter(64);
    writeBytes(out, template.headerFrame.head);
    for (const [i, position] of template.key.entries()) {
      writeBytes(out, template.keyLabels[i] ?? nullText);
      const at = cellAt(position, cells, fallback);
      this.#cells.at = at;
      if (at < 0) writeBytes(out, nullText);
      else template.keyInHeader[i]?.(this.#cells, out);
    }
    writeBytes(out, template.headerFrame.tail);
    return out.toBytes();
  }

  /** Where the cells of before are that the after image leaves out, as minimal row images do; undefined if it is whole. */
  unchanged({ widths }: Table, before: number, after: number): Int32Array | undefined {
    if (before < 0 || after < 0) return undefined;
    const { bytes } = this.#cells;
    if (!hasAbsentCell(bytes, after, widths.length)) return undefined;
    const cells = new Int32Array(2 * widths.length);
    locateCells(widths, { bytes, start: before }, widths.length, cells);
    return cells;
  }

  /** Writes the row image at `start`; -1 is null. */
  writeImage(template: TableTemplate, start: number, snapshot: boolean, unchanged: Int32Array | undefined): void {
    const out = this.out;
    if (start < 0) {
      writeBytes(out, nullText);
      return;
    }
    const cells = this.#cells;
    const { bytes } = cells;
    const { columns } = template;
    cells.at = start + stateBytes(columns.length);
    writeBytes(out, openBrace);
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      if (column === undefined) break;
      writeBytes(out, column.label);
      const state = ((bytes[start + (i >> 2)] ?? 0) >> ((i & 3) * 2)) & 3;
      if (state === cellState.value) {
        if (snapshot) column.snapshot(cells, out);
        else column.stream(cells, out);
      } else if (state === cellState.null) {
        writeBytes(out, column.nullText);
      } else {
        if (state === cellState.diff) cells.at = openVar(cells);
        this.#writeAbsent(column, state === cellState.diff ? noCell.absent : (unchanged?.[2 * i] ?? noCell.absent));
      }
    }
    writeBytes(out, closeBrace);
  }

  /** Writes a column that the image leaves out, of the cell at `at` or `noCell`. */
  #writeAbsent(column: ColumnTemplate, at: number): void {
    if (at < 0) {
      writeBytes(this.out, at === noCell.null ? column.nullText : column.absentText);
      return;
    }
    const behind = this.#cells.at;
    this.#cells.at = at;
    column.stream(this.#cells, this.out);
    this.#cells.at = behind;
  }
}

function cellAt(column: number, cells: Int32Array, fallback: Int32Array): number {
  const at = cells[2 * column] ?? noCell.absent;
  return at === noCell.absent ? (fallback[2 * column] ?? noCell.absent) : at;
}
