import { op } from '../../event/change-batch.ts';
import type { ChangeBatchBuilder } from '../../event/change-batch.ts';
import type { TableSchema } from '../../event/table-schema.ts';
import { KeyReader } from '../snapshot-key.ts';

/** Keys of a table that the stream has changed while a chunk of it was open: of these it has told what is as new, or newer. */
export class ChangedKeys {
  /** The chunk cannot be used: the table changed as a whole, or rows came whose key cannot be told. */
  isVoid = false;
  readonly #keys = new Set<string>();
  #schema: TableSchema | undefined;
  #reader: KeyReader | undefined;

  /** Rows `[from, to)` of the batch came in the stream. */
  add(batch: ChangeBatchBuilder, from: number, to: number): void {
    if (this.#schema !== batch.schema) {
      if (this.#schema !== undefined && this.#schema.fingerprint !== batch.schema.fingerprint) this.isVoid = true;
      this.#schema = batch.schema;
      this.#reader = keyReaderOf(batch.schema);
    }
    if (this.#reader === undefined) return;
    const { bytes, starts } = batch.view();
    for (let i = from; i < to; i++) {
      const [before = 0, after = 0, end = 0] = [starts[2 * i], starts[2 * i + 1], starts[2 * i + 2]];
      const hasBefore = after > before;
      if (hasBefore) this.#add(keyAt(this.#reader, bytes, before));
      if (end > after) this.#add(keyAt(this.#reader, bytes, after, hasBefore ? before : -1));
    }
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Whether rows came under another definition than this one. */
  differs({ fingerprint }: TableSchema): boolean {
    return this.#schema !== undefined && this.#schema.fingerprint !== fingerprint;
  }

  #add(key: string | undefined): void {
    if (key === undefined) this.isVoid = true;
    else this.#keys.add(key);
  }
}

/**
 * Appends a chunk's rows, but for those whose key was changed, as rows of the event. Of rows without a key the last one alone:
 * Debezium's buffer has one place for all of them.
 */
export function appendRows(
  rows: ChangeBatchBuilder,
  changed: ChangedKeys | undefined,
  { batch, event }: { readonly batch: ChangeBatchBuilder; readonly event: number },
): void {
  const { bytes, starts, count } = rows.view();
  const reader = keyReaderOf(rows.schema);
  for (let i = reader === undefined ? Math.max(0, count - 1) : 0; i < count; i++) {
    const [start = 0, end = 0] = [starts[2 * i + 1], starts[2 * i + 2]];
    if (changed !== undefined && reader !== undefined && changed.has(keyAt(reader, bytes, start) ?? '')) continue;
    batch.begin(op.refresh, event);
    batch.middle();
    batch.writer.raw(bytes, start, end);
    batch.end();
  }
}

function keyAt(reader: KeyReader, bytes: Uint8Array, start: number, fallback = -1): string | undefined {
  const key = reader.read(bytes, start, fallback);
  return key === undefined ? undefined : Buffer.from(key).toString('latin1');
}

function keyReaderOf(schema: TableSchema): KeyReader | undefined {
  const types = schema.primaryKey.flatMap((position) => schema.columns[position]?.type ?? []);
  return types.length === 0 ? undefined : new KeyReader({ schema, positions: schema.primaryKey, types });
}
