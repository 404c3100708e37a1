import { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import { cellState, op, stateBytes, type ChangeBatch } from '../event/change-batch.ts';
import { cellWidth } from '../event/column-type.ts';
import { tableName, type Column, type TableSchema } from '../event/table-schema.ts';
import { columnAt, imageBytes, keyColumns } from './fold.ts';
import type { Fold, ImageBytes, PartialRowSet, PartialRowVisitor, RowSet } from './fold.ts';
import { finish, hashBytes, HashIndex, mix, sameBytes } from './hash-index.ts';
import { ImageMerge } from './image-merge.ts';
import { createRowLayout, hasDiff, isFull, locateCells, stateOf, variableCellSize, type RowLayout } from './row-image.ts';

const noRow = -1;
const mergedRow = -2;

/**
 * Folds the changes of a table with a key: per key, whether the replica has a row to delete (the first change of the
 * key was not an insert) and the image of the row to insert (the last change was not a delete).
 *
 * A key is the bytes of its cells. A key of one column of up to 8 bytes is held as two integers; other keys are copied
 * once into an arena, as row images of the key's columns. An update that changes the key is a delete of the old key
 * and an insert of the new one.
 *
 * An image that lacks columns is laid over the image before it. What is then still absent stands in the replica, under
 * the key that the row had there before this fold: its origin, which follows the row when its key changes.
 */
export class KeyedFold implements Fold {
  readonly schema: TableSchema;
  changes = 0;
  lenient = false;
  readonly #layout: RowLayout;
  readonly #keyColumns: readonly Column[];
  readonly #keyState: number;
  /** Width of the only key column if it has a fixed one up to 8, else 0. */
  readonly #packedWidth: number;
  readonly #packedColumn: number;
  readonly #cells: Float64Array;
  readonly #index = new HashIndex();
  readonly #keys = new ByteWriter();
  readonly #merge: ImageMerge;
  readonly #batches: ImageBytes[] = [];
  #imageBytes = 0;
  #partial = false;

  // per entry: the packed key, or where its image lies in the arena and its length
  #lo = new Int32Array(1024);
  #hi = new Int32Array(1024);
  #inReplica = new Uint8Array(1024);
  #rowSource = new Int32Array(1024);
  #rowStart = new Uint32Array(1024);
  #origin = new Int32Array(1024);
  #fresh = false;

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.#layout = createRowLayout(schema.columns);
    this.#keyColumns = keyColumns(schema);
    this.#keyState = stateBytes(this.#keyColumns.length);
    const only = schema.primaryKey.length === 1 ? schema.primaryKey[0] : undefined;
    const width = only === undefined ? 0 : cellWidth(columnAt(schema, only).type);
    this.#packedWidth = width <= 8 ? width : 0;
    this.#packedColumn = only ?? 0;
    this.#cells = new Float64Array(schema.columns.length + 1);
    this.#merge = new ImageMerge(this.#layout);
  }

  get byteLength(): number {
    return this.#imageBytes + this.#keys.length + this.#merge.byteLength + this.#index.count * 40;
  }

  add(batch: ChangeBatch, from: number, to: number): void {
    const source = imageBytes(batch.bytes);
    const number = this.#batches.push(source) - 1;
    const { ops, starts, bytes } = batch;
    this.changes += to - from;
    if (batch.lenient === true) this.lenient = true;
    this.#imageBytes += (starts[2 * to] ?? 0) - (starts[2 * from] ?? 0);
    for (let i = from; i < to; i++) {
      const before = starts[2 * i] ?? 0;
      const after = starts[2 * i + 1] ?? 0;
      const code = ops[i];
      if (code === op.delete) {
        this.#remove(this.#entryOf(source, before));
        continue;
      }
      const full = isFull(bytes, after, this.#layout.stateBytes);
      if (!full) this.#partial = true;
      if (code === op.refresh) {
        // It may stand in the replica, or not.
        this.lenient = true;
        this.#setRow(this.#remove(this.#entryOf(source, after)), number, after, -1);
      } else if (code !== op.update) {
        const entry = this.#entryOf(source, after);
        this.#setRow(entry, number, after, -1);
      } else if (full) {
        const old = this.#remove(this.#entryOf(source, before));
        let entry = old;
        if (!this.#hasKey(old, source, after)) entry = this.#entryOf(source, after);
        this.#setRow(entry, number, after, -1);
      } else {
        this.#partialUpdate(source, before, after);
      }
    }
  }

  get deletes(): RowSet {
    const extent = this.#index.count;
    const inReplica = this.#inReplica;
    const keyImages = this.#keyImages();
    let count = 0;
    for (let entry = 0; entry < extent; entry++) count += inReplica[entry] ?? 0;
    return {
      columns: this.#keyColumns,
      count,
      extent,
      visit: (from, to, visitor) => {
        for (let entry = from; entry < to; entry++) {
          if (inReplica[entry] === 1) visitor(keyImages, this.#keyImageAt(entry));
        }
      },
    };
  }

  get inserts(): RowSet {
    const extent = this.#index.count;
    const merged = imageBytes(this.#merge.bytes);
    let count = 0;
    for (let entry = 0; entry < extent; entry++) if (this.#insertsFull(entry)) count++;
    return {
      columns: this.schema.columns,
      count,
      extent,
      visit: (from, to, visitor) => {
        for (let entry = from; entry < to; entry++) {
          if (this.#insertsFull(entry)) visitor(this.#sourceOf(entry, merged), this.#rowStart[entry] ?? 0);
        }
      },
    };
  }

  get partials(): PartialRowSet {
    const extent = this.#partial ? this.#index.count : 0;
    const keyImages = this.#partial ? this.#keyImages() : imageBytes(this.#keys.bytes);
    const merged = imageBytes(this.#merge.bytes);
    let count = 0;
    for (let entry = 0; entry < extent; entry++) if (this.#insertsPartial(entry)) count++;
    const visitWithOrigins = (from: number, to: number, visitor: PartialRowVisitor): void => {
      for (let entry = from; entry < to; entry++) {
        if (!this.#insertsPartial(entry)) continue;
        const origin = this.#origin[entry] ?? -1;
        const originStart = origin < 0 ? 0 : this.#keyImageAt(origin);
        visitor(this.#sourceOf(entry, merged), this.#rowStart[entry] ?? 0, origin < 0 ? undefined : keyImages, originStart);
      }
    };
    return {
      columns: this.schema.columns,
      originColumns: this.#keyColumns,
      count,
      extent,
      visit: (from, to, visitor) => visitWithOrigins(from, to, (source, start) => visitor(source, start)),
      visitWithOrigins,
    };
  }

  /** Marks the row as gone; one that was not yet known stands in the replica. Returns the entry. */
  #remove(entry: number): number {
    if (this.#fresh) this.#inReplica[entry] = 1;
    this.#rowSource[entry] = noRow;
    return entry;
  }

  #setRow(entry: number, source: number, start: number, origin: number): void {
    this.#rowSource[entry] = source;
    this.#rowStart[entry] = start;
    this.#origin[entry] = origin;
  }

  #partialUpdate(source: ImageBytes, before: number, after: number): void {
    const old = this.#entryOf(source, before);
    const known = !this.#fresh && this.#rowSource[old] !== noRow;
    const lower = known ? this.#sourceOf(old, { bytes: this.#merge.bytes, view: source.view }) : source;
    const lowerStart = known ? (this.#rowStart[old] ?? 0) : before;
    const origin = known ? (this.#origin[old] ?? -1) : old;
    if (hasDiff(source.bytes, after, this.#layout)) throw partialJson(this.schema);
    this.#remove(old);
    const start = this.#merge.merge(lower.bytes, lowerStart, source.bytes, after);
    const merged = imageBytes(this.#merge.bytes);
    const entry = this.#hasKey(old, merged, start) ? old : this.#entryOf(merged, start);
    this.#setRow(entry, mergedRow, start, origin);
  }

  #insertsFull(entry: number): boolean {
    const source = this.#rowSource[entry] ?? noRow;
    if (source === noRow) return false;
    return !this.#partial || !this.#insertsPartial(entry);
  }

  #insertsPartial(entry: number): boolean {
    const source = this.#rowSource[entry] ?? noRow;
    if (source === noRow) return false;
    const bytes = source === mergedRow ? this.#merge.bytes : (this.#batches[source]?.bytes ?? this.#merge.bytes);
    return !isFull(bytes, this.#rowStart[entry] ?? 0, this.#layout.stateBytes);
  }

  #sourceOf(entry: number, merged: ImageBytes): ImageBytes {
    const source = this.#rowSource[entry] ?? noRow;
    return source < 0 ? merged : (this.#batches[source] ?? merged);
  }

  /** The entry of the key in the image at `start`; a new one if there was none, which `#fresh` then says. */
  #entryOf(source: ImageBytes, start: number): number {
    return this.#packedWidth === 0 ? this.#entryOfBytes(source.bytes, start) : this.#entryOfPacked(source, start);
  }

  #entryOfPacked(source: ImageBytes, start: number): number {
    const at = this.#packedCellAt(source.bytes, start);
    const { view } = source;
    const width = this.#packedWidth;
    const lo = width === 4 || width === 8 ? view.getInt32(at, true) : width === 2 ? view.getUint16(at, true) : view.getUint8(at);
    const hi = width === 8 ? view.getInt32(at + 4, true) : 0;
    const hash = finish(mix(lo, hi));
    const index = this.#index;
    let slot = index.first(hash);
    for (;;) {
      const entry = index.entryAt(slot);
      if (entry < 0) break;
      if (this.#lo[entry] === lo && this.#hi[entry] === hi) {
        this.#fresh = false;
        return entry;
      }
      slot = index.next(slot);
    }
    return this.#newEntry(index.insert(slot, hash), lo, hi);
  }

  #entryOfBytes(bytes: Uint8Array, start: number): number {
    const keys = this.#keys;
    const image = keys.length;
    this.#appendKeyImage(bytes, start);
    const length = keys.length - image;
    const hash = hashBytes(keys.bytes, image + this.#keyState, keys.length);
    const index = this.#index;
    let slot = index.first(hash);
    for (;;) {
      const entry = index.entryAt(slot);
      if (entry < 0) break;
      if (
        index.hashes[entry] === hash &&
        this.#hi[entry] === length &&
        sameBytes(keys.bytes, this.#lo[entry] ?? 0, keys.bytes, image, length)
      ) {
        keys.length = image;
        this.#fresh = false;
        return entry;
      }
      slot = index.next(slot);
    }
    return this.#newEntry(index.insert(slot, hash), image, length);
  }

  #hasKey(entry: number, source: ImageBytes, start: number): boolean {
    const width = this.#packedWidth;
    if (width !== 0) {
      const at = this.#packedCellAt(source.bytes, start);
      const { view } = source;
      const lo = width === 4 || width === 8 ? view.getInt32(at, true) : width === 2 ? view.getUint16(at, true) : view.getUint8(at);
      return this.#lo[entry] === lo && (width !== 8 || this.#hi[entry] === view.getInt32(at + 4, true));
    }
    const keys = this.#keys;
    const image = keys.length;
    this.#appendKeyImage(source.bytes, start);
    const length = keys.length - image;
    keys.length = image;
    return this.#hi[entry] === length && sameBytes(keys.bytes, this.#lo[entry] ?? 0, keys.bytes, image, length);
  }

  #packedCellAt(bytes: Uint8Array, start: number): number {
    const column = this.#packedColumn;
    if (stateOf(bytes, start, column) !== cellState.value) throw keyAbsent(this.schema);
    let at = start + this.#layout.stateBytes;
    for (let c = 0; c < column; c++) {
      if (((stateOf(bytes, start, c) + 1) & 2) !== 0) continue;
      const width = this.#layout.widths[c] ?? 0;
      at += width === 0 ? variableCellSize(bytes, at) : width;
    }
    return at;
  }

  /** Appends the key of the image at `start` to the arena: as a row image of the key's columns, all with values. */
  #appendKeyImage(bytes: Uint8Array, start: number): void {
    const keys = this.#keys;
    locateCells(bytes, start, this.#layout, this.#cells);
    keys.reserve(this.#keyState);
    for (let i = 0; i < this.#keyState; i++) keys.bytes[keys.length++] = 0;
    for (const position of this.schema.primaryKey) {
      if (stateOf(bytes, start, position) !== cellState.value) throw keyAbsent(this.schema);
      const at = this.#cells[position] ?? 0;
      const width = this.#layout.widths[position] ?? 0;
      keys.raw(bytes, at, at + (width === 0 ? variableCellSize(bytes, at) : width));
    }
  }

  #newEntry(entry: number, lo: number, hi: number): number {
    if (entry === this.#lo.length) this.#grow(entry * 2);
    this.#lo[entry] = lo;
    this.#hi[entry] = hi;
    this.#inReplica[entry] = 0;
    this.#rowSource[entry] = noRow;
    this.#fresh = true;
    return entry;
  }

  /** Images of all keys: the arena, or one made of the packed keys (each a state byte and the cell). */
  #keyImages(): ImageBytes {
    const width = this.#packedWidth;
    if (width === 0) return imageBytes(this.#keys.bytes);
    const images = imageBytes(new Uint8Array(this.#index.count * (width + 1)));
    for (let entry = 0; entry < this.#index.count; entry++) {
      const at = this.#keyImageAt(entry) + 1;
      const lo = this.#lo[entry] ?? 0;
      if (width >= 4) images.view.setInt32(at, lo, true);
      else if (width === 2) images.view.setUint16(at, lo, true);
      else images.view.setUint8(at, lo);
      if (width === 8) images.view.setInt32(at + 4, this.#hi[entry] ?? 0, true);
    }
    return images;
  }

  #keyImageAt(entry: number): number {
    return this.#packedWidth === 0 ? (this.#lo[entry] ?? 0) : entry * (this.#packedWidth + 1);
  }

  #grow(capacity: number): void {
    this.#lo = grown(this.#lo, new Int32Array(capacity));
    this.#hi = grown(this.#hi, new Int32Array(capacity));
    this.#inReplica = grown(this.#inReplica, new Uint8Array(capacity));
    this.#rowSource = grown(this.#rowSource, new Int32Array(capacity));
    this.#rowStart = grown(this.#rowStart, new Uint32Array(capacity));
    this.#origin = grown(this.#origin, new Int32Array(capacity));
  }
}

function grown<T extends Int32Array | Uint32Array | Uint8Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

function keyAbsent(schema: TableSchema): MillraceError {
  return new MillraceError('SCHEMA_MISMATCH', `A row image of ${tableName(schema)} lacks a key column`, {
    context: { table: tableName(schema) },
  });
}

function partialJson(schema: TableSchema): MillraceError {
  return new MillraceError('BINLOG_UNSUPPORTED', `A partial JSON update of ${tableName(schema)} reached the sink`, {
    nextStep: "SET GLOBAL binlog_row_value_options = '', then resync the table.",
    context: { table: tableName(schema) },
  });
}
