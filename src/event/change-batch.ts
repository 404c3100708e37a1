import { ByteWriter } from '../base/byte-writer.ts';
import type { TableSchema } from './table-schema.ts';

/**
 * What a change did to its row; the values are stored in the log. `read` is a row of a snapshot; `refresh` the row as it is
 * at this place of the stream, whether or not it was there before: of an incremental snapshot.
 */
export const op = { insert: 1, update: 2, delete: 3, read: 4, refresh: 5 } as const;

export type Op = (typeof op)[keyof typeof op];

/** What a row image says of one column; two bits of the image's state map. */
export const cellState = { value: 0, null: 1, /** Not in the row image. */ absent: 2, /** A partial JSON update. */ diff: 3 } as const;

/**
 * Changes of one table under one schema, in their order, of one or many transactions: the currency of the fast path.
 *
 * `bytes` holds the row images one after the other; those of change `i` are
 *
 *   before  bytes[starts[2i], starts[2i+1])      empty for insert and read
 *   after   bytes[starts[2i+1], starts[2i+2])    empty for delete
 *
 * A row image is
 *
 *   state   ceil(columns / 4) bytes; column c: two bits of byte c >> 2, from bit (c & 3) * 2 on; see `cellState`
 *   cells   of the columns whose state is value (or diff), in column order, as `ColumnType` says
 *
 * A batch is immutable once built; its arrays may be views into a larger buffer that it keeps alive.
 */
export interface ChangeBatch {
  readonly schema: TableSchema;
  readonly count: number;
  /** `op` of each change. */
  readonly ops: Uint8Array;
  /** For each change the index of its event in the commit group's `events`. */
  readonly events: Uint32Array;
  /** 2 × count + 1 offsets into `bytes`. */
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
  /** Deletes and before images may be of rows that are not there, as when records can come twice. Not kept in the log. */
  readonly lenient?: boolean;
}

/** Bytes of the state map of a row image with so many columns. */
export function stateBytes(columns: number): number {
  return (columns + 3) >> 2;
}

/**
 * Builds batches of one schema. A change is written as: `begin(op, event)`, the before image (if any) into `writer`,
 * `middle()`, the after image (if any), `end()`.
 */
export class ChangeBatchBuilder {
  readonly schema: TableSchema;
  readonly writer: ByteWriter;
  count = 0;
  #ops = new Uint8Array(256);
  #events = new Uint32Array(256);
  #starts = new Uint32Array(513);

  constructor(schema: TableSchema, capacity = 16 * 1024) {
    this.schema = schema;
    this.writer = new ByteWriter(capacity);
  }

  /** Bytes of row images so far. */
  get byteLength(): number {
    return this.writer.length;
  }

  begin(code: Op, event: number): void {
    const at = this.count;
    if (at === this.#ops.length) this.#grow();
    this.#ops[at] = code;
    this.#events[at] = event;
    this.#starts[2 * at] = this.writer.length;
  }

  middle(): void {
    this.#starts[2 * this.count + 1] = this.writer.length;
  }

  end(): void {
    this.count++;
    this.#starts[2 * this.count] = this.writer.length;
  }

  /** Where the last change's before image begins, where it ends and the after image begins, and where that ends. */
  last(): { readonly before: number; readonly middle: number; readonly after: number } {
    const at = 2 * (this.count - 1);
    return { before: this.#starts[at] ?? 0, middle: this.#starts[at + 1] ?? 0, after: this.#starts[at + 2] ?? 0 };
  }

  /** The last change loses its after image. */
  keepBefore(code: Op): void {
    const { middle } = this.last();
    this.#ops[this.count - 1] = code;
    this.#starts[2 * this.count] = middle;
    this.writer.length = middle;
  }

  /** The last change loses its before image. */
  keepAfter(code: Op): void {
    const { before, middle, after } = this.last();
    this.writer.bytes.copyWithin(before, middle, after);
    this.#ops[this.count - 1] = code;
    this.#starts[2 * this.count - 1] = before;
    this.#starts[2 * this.count] = before + after - middle;
    this.writer.length = before + after - middle;
  }

  /** Adds another one's change as it is. */
  copy(other: ChangeBatchBuilder, from: number): void {
    const [before = 0, middle = 0, after = 0] = other.#starts.subarray(2 * from, 2 * from + 3);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the code that `begin` was given
    this.begin((other.#ops[from] ?? op.insert) as Op, other.#events[from] ?? 0);
    this.writer.raw(other.writer.bytes, before, middle);
    this.middle();
    this.writer.raw(other.writer.bytes, middle, after);
    this.end();
  }

  /** Keeps the first `count` changes only. */
  truncate(count: number): void {
    this.count = count;
    this.writer.length = this.#starts[2 * count] ?? 0;
  }

  /** The batch as views of this builder's memory: valid until the builder is written to or cleared. */
  view(): ChangeBatch {
    return {
      schema: this.schema,
      count: this.count,
      ops: this.#ops.subarray(0, this.count),
      events: this.#events.subarray(0, this.count),
      starts: this.#starts.subarray(0, 2 * this.count + 1),
      bytes: this.writer.bytes.subarray(0, this.writer.length),
    };
  }

  /** Forgets the changes, keeps the memory. */
  clear(): void {
    this.count = 0;
    this.writer.clear();
    this.#starts[0] = 0;
  }

  #grow(): void {
    const capacity = this.#ops.length * 2;
    const ops = new Uint8Array(capacity);
    const events = new Uint32Array(capacity);
    const starts = new Uint32Array(2 * capacity + 1);
    ops.set(this.#ops);
    events.set(this.#events);
    starts.set(this.#starts);
    this.#ops = ops;
    this.#events = events;
    this.#starts = starts;
  }
}

/** Changes `[from, to)` of the batch, as views of its memory. */
export function sliceBatch(batch: ChangeBatch, from: number, to: number): ChangeBatch {
  if (from === 0 && to === batch.count) return batch;
  const begin = batch.starts[2 * from] ?? 0;
  const starts = batch.starts.slice(2 * from, 2 * to + 1);
  for (let at = 0; at < starts.length; at++) starts[at] = (starts[at] ?? 0) - begin;
  return {
    ...batch,
    count: to - from,
    ops: batch.ops.subarray(from, to),
    events: batch.events.subarray(from, to),
    starts,
    bytes: batch.bytes.subarray(begin, batch.starts[2 * to]),
  };
}

/** A copy of the batch in memory of its own. */
export function copyBatch(batch: ChangeBatch): ChangeBatch {
  return {
    schema: batch.schema,
    count: batch.count,
    ops: batch.ops.slice(),
    events: batch.events.slice(),
    starts: batch.starts.slice(),
    bytes: batch.bytes.slice(),
  };
}
