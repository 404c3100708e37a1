import { MillraceError } from '../base/errors.ts';
import { op, type ChangeBatch } from '../event/change-batch.ts';
import { tableName, type TableSchema } from '../event/table-schema.ts';
import { imageBytes } from './fold.ts';
import type { Fold, ImageBytes, PartialRowSet, RowSet } from './fold.ts';
import { hashBytes, HashIndex, sameBytes } from './hash-index.ts';
import { ImageMerge } from './image-merge.ts';
import { createRowLayout, isFull, type RowLayout } from './row-image.ts';

const mergedSource = -1;

/**
 * Folds the changes of a table without a key: a multiset of whole rows, of each how many more (or fewer) the table has
 * after the changes. The server logs full before images of such tables, whatever `binlog_row_image` says.
 */
export class KeylessFold implements Fold {
  readonly schema: TableSchema;
  changes = 0;
  lenient = false;
  readonly #layout: RowLayout;
  readonly #index = new HashIndex();
  readonly #merge: ImageMerge;
  readonly #batches: ImageBytes[] = [];
  #imageBytes = 0;

  // per entry: an image with these bytes, and the net count
  #source = new Int32Array(1024);
  #start = new Uint32Array(1024);
  #length = new Uint32Array(1024);
  #net = new Int32Array(1024);

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.#layout = createRowLayout(schema.columns);
    this.#merge = new ImageMerge(this.#layout);
  }

  get byteLength(): number {
    return this.#imageBytes + this.#merge.byteLength + this.#index.count * 36;
  }

  add(batch: ChangeBatch, from: number, to: number): void {
    const { ops, starts, bytes } = batch;
    const number = this.#batches.push(imageBytes(bytes)) - 1;
    this.changes += to - from;
    if (batch.lenient === true) this.lenient = true;
    this.#imageBytes += (starts[2 * to] ?? 0) - (starts[2 * from] ?? 0);
    for (let i = from; i < to; i++) {
      const before = starts[2 * i] ?? 0;
      const after = starts[2 * i + 1] ?? 0;
      const end = starts[2 * i + 2] ?? 0;
      if (after > before) {
        if (!isFull(bytes, before, this.#layout.stateBytes)) throw beforeNotFull(this.schema);
        this.#count(number, bytes, before, after - before, -1);
      }
      if (end === after) continue;
      if (isFull(bytes, after, this.#layout.stateBytes) || ops[i] !== op.update) {
        this.#count(number, bytes, after, end - after, 1);
      } else {
        const start = this.#merge.merge(bytes, before, bytes, after);
        this.#count(mergedSource, this.#merge.bytes, start, this.#merge.next - start, 1);
      }
    }
  }

  get deletes(): RowSet {
    return this.#rowSet(-1, false);
  }

  get inserts(): RowSet {
    return this.#rowSet(1, false);
  }

  /** Inserts whose images lack columns: those take their defaults. */
  get partials(): PartialRowSet {
    const set = this.#rowSet(1, true);
    return {
      ...set,
      originColumns: [],
      visitWithOrigins: (from, to, visitor) => set.visit(from, to, (source, start) => visitor(source, start, undefined, 0)),
    };
  }

  #rowSet(sign: 1 | -1, partial: boolean): RowSet {
    const selected = (entry: number): number => {
      const net = (this.#net[entry] ?? 0) * sign;
      if (net <= 0) return 0;
      return isFull(this.#bytesOf(entry).bytes, this.#start[entry] ?? 0, this.#layout.stateBytes) === partial ? 0 : net;
    };
    const extent = this.#index.count;
    let count = 0;
    for (let entry = 0; entry < extent; entry++) count += selected(entry);
    return {
      columns: this.schema.columns,
      count,
      extent,
      visit: (from, to, visitor) => {
        for (let entry = from; entry < to; entry++) {
          for (let left = selected(entry); left > 0; left--) visitor(this.#bytesOf(entry), this.#start[entry] ?? 0);
        }
      },
    };
  }

  #bytesOf(entry: number): ImageBytes {
    const source = this.#source[entry] ?? mergedSource;
    return this.#batches[source] ?? imageBytes(this.#merge.bytes);
  }

  #count(source: number, bytes: Uint8Array, start: number, length: number, change: number): void {
    const hash = hashBytes(bytes, start, start + length);
    const index = this.#index;
    let slot = index.first(hash);
    for (;;) {
      const entry = index.entryAt(slot);
      if (entry < 0) break;
      if (index.hashes[entry] === hash && this.#length[entry] === length) {
        const held = this.#bytesOf(entry).bytes;
        if (sameBytes(held, this.#start[entry] ?? 0, bytes, start, length)) {
          this.#net[entry] = (this.#net[entry] ?? 0) + change;
          return;
        }
      }
      slot = index.next(slot);
    }
    const entry = index.insert(slot, hash);
    if (entry === this.#net.length) this.#grow(entry * 2);
    this.#source[entry] = source;
    this.#start[entry] = start;
    this.#length[entry] = length;
    this.#net[entry] = change;
  }

  #grow(capacity: number): void {
    const source = new Int32Array(capacity);
    const start = new Uint32Array(capacity);
    const length = new Uint32Array(capacity);
    const net = new Int32Array(capacity);
    source.set(this.#source);
    start.set(this.#start);
    length.set(this.#length);
    net.set(this.#net);
    this.#source = source;
    this.#start = start;
    this.#length = length;
    this.#net = net;
  }
}

function beforeNotFull(schema: TableSchema): MillraceError {
  return new MillraceError('SCHEMA_MISMATCH', `A before image of ${tableName(schema)}, which has no key, lacks columns`, {
    context: { table: tableName(schema) },
  });
}
