import { ByteWriter } from '../base/byte-writer.ts';
import { cellState } from '../event/change-batch.ts';
import { locateCells, stateOf, variableCellSize, type RowLayout } from './row-image.ts';

/**
 * Lays row images over one another, column by column: what a table needs whose binlog holds partial images
 * (`binlog_row_image` MINIMAL or NOBLOB). The results lie in memory of their own, as row images.
 */
export class ImageMerge {
  readonly #layout: RowLayout;
  readonly #writer = new ByteWriter();
  readonly #lower: Float64Array;
  readonly #upper: Float64Array;

  constructor(layout: RowLayout) {
    this.#layout = layout;
    this.#lower = new Float64Array(layout.columns + 1);
    this.#upper = new Float64Array(layout.columns + 1);
  }

  /** Memory of the results; another array after each merge. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#writer.bytes;
  }

  get byteLength(): number {
    return this.#writer.length;
  }

  /** Where the next result will begin. */
  get next(): number {
    return this.#writer.length;
  }

  /** The columns of the upper image, and those of the lower one where the upper has none. Returns where it begins. */
  merge(lower: Uint8Array, lowerStart: number, upper: Uint8Array, upperStart: number): number {
    const layout = this.#layout;
    const writer = this.#writer;
    locateCells(lower, lowerStart, layout, this.#lower);
    locateCells(upper, upperStart, layout, this.#upper);
    const lowerSize = (this.#lower[layout.columns] ?? 0) - lowerStart;
    const upperSize = (this.#upper[layout.columns] ?? 0) - upperStart;
    // either may be an earlier result, whose array is another one after this
    writer.reserve(lowerSize + upperSize);
    const start = writer.length;
    writer.bytes.fill(0, start, start + layout.stateBytes);
    writer.length += layout.stateBytes;
    for (let c = 0; c < layout.columns; c++) {
      const upperState = stateOf(upper, upperStart, c);
      const below = upperState === cellState.absent;
      const state = below ? stateOf(lower, lowerStart, c) : upperState;
      const byte = start + (c >> 2);
      writer.bytes[byte] = (writer.bytes[byte] ?? 0) | (state << ((c & 3) * 2));
      const at = (below ? this.#lower[c] : this.#upper[c]) ?? -1;
      if (at >= 0) {
        const source = below ? lower : upper;
        const width = layout.widths[c] ?? 0;
        writer.raw(source, at, at + (width === 0 ? variableCellSize(source, at) : width));
      }
    }
    return start;
  }

  clear(): void {
    this.#writer.clear();
  }
}
