import { isUtf8 } from 'node:buffer';
import duckdb from '@duckdb/node-bindings';
import { ByteWriter } from '../../base/byte-writer.ts';

/** Rows of a DuckDB vector. */
export const chunkRows = 2048;

const keptHeapBytes = 1 << 20;
const inlineBytes = 12;

/**
 * One column of a chunk that is being filled: fixed-width cells as typed arrays over the same memory, or the bytes of
 * strings one after the other. It fits any column, so that buffers are pooled.
 */
export class ColumnBuffer {
  readonly fixed = new ArrayBuffer(chunkRows * 16);
  readonly u8 = new Uint8Array(this.fixed);
  readonly u16 = new Uint16Array(this.fixed);
  readonly i32 = new Int32Array(this.fixed);
  readonly u32 = new Uint32Array(this.fixed);
  /** A bit per row, 1 is a value. */
  readonly validity = new Uint8Array(chunkRows / 8).fill(0xff);
  hasNull = false;
  heap = new ByteWriter(1024);
  /** Where each string of the heap ends. */
  readonly ends = new Uint32Array(chunkRows);
  /** The last date that was computed, and its days. */
  lastDate = -1;
  lastDays = 0;

  setNull(row: number): void {
    this.hasNull = true;
    this.validity[row >> 3] = (this.validity[row >> 3] ?? 0) & ~(1 << (row & 7));
  }

  reset(): void {
    if (this.hasNull) {
      this.validity.fill(0xff);
      this.hasNull = false;
    }
    if (this.heap.bytes.length > keptHeapBytes) this.heap = new ByteWriter(1024);
    else this.heap.clear();
  }
}

const pool: ColumnBuffer[] = [];

export function takeBuffer(): ColumnBuffer {
  return pool.pop() ?? new ColumnBuffer();
}

export function returnBuffer(buffer: ColumnBuffer): void {
  buffer.reset();
  if (pool.length < 256) pool.push(buffer);
}

/** Copies `rows` cells of `width` bytes, and which of them are null, into the vector. */
export function storeFixed(buffer: ColumnBuffer, vector: duckdb.Vector, rows: number, width: number): void {
  duckdb.copy_data_to_vector(vector, 0, buffer.fixed, 0, rows * width);
  storeValidity(buffer, vector);
}

export function storeValidity(buffer: ColumnBuffer, vector: duckdb.Vector): void {
  if (!buffer.hasNull) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, buffer.validity.buffer, 0, buffer.validity.length);
}

/** How strings reach their vector: one call each, or as one block; see `storeStringBlock`. */
export type StringStore = (buffer: ColumnBuffer, vector: duckdb.Vector, rows: number) => void;

export function storeStringsSingly(buffer: ColumnBuffer, vector: duckdb.Vector, rows: number): void {
  const { ends, heap } = buffer;
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const end = ends[row] ?? 0;
    duckdb.vector_assign_string_element_len(vector, row, heap.bytes.subarray(start, end));
    start = end;
  }
  storeValidity(buffer, vector);
}

/**
 * Copies all strings of a column at once: their bytes become one BLOB in memory of DuckDB's, and the vector gets
 * DuckDB's string headers, built here, that point into it:
 *
 *   4  length
 *   12 the bytes, padded with zeros             up to 12 bytes
 *   4 + 8 the first bytes, and the address      above
 *
 * The BLOB lives until `releaseStringBlocks`; the chunk must have been appended by then. Not part of DuckDB's promises:
 * used only after `stringBlocksWork` has seen it work in this process.
 *
 * Source: duckdb, src/include/duckdb/common/types/string_type.hpp
 */
export function storeStringBlock(buffer: ColumnBuffer, vector: duckdb.Vector, rows: number): void {
  const { ends, heap, u8, i32, u32 } = buffer;
  const { bytes } = heap;
  const address = heap.length > inlineBytes ? copyToBlock(bytes.subarray(0, heap.length)) : 0;
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const end = ends[row] ?? 0;
    const length = end - start;
    const word = row * 4;
    i32[word] = length;
    if (length <= inlineBytes) {
      i32[word + 1] = 0;
      i32[word + 2] = 0;
      i32[word + 3] = 0;
      const at = row * 16 + 4;
      for (let i = 0; i < length; i++) u8[at + i] = bytes[start + i] ?? 0;
    } else {
      i32[word + 1] =
        (bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8) | ((bytes[start + 2] ?? 0) << 16) | ((bytes[start + 3] ?? 0) << 24);
      const target = address + start;
      u32[word + 2] = target % 0x1_0000_0000;
      u32[word + 3] = Math.floor(target / 0x1_0000_0000);
    }
    start = end;
  }
  storeFixed(buffer, vector, rows, 16);
}

/** A one-row chunk whose only BLOB keeps a block of string bytes outside of JavaScript's memory. */
interface StringBlock {
  readonly chunk: duckdb.DataChunk;
  readonly vector: duckdb.Vector;
}

const blocks: StringBlock[] = [];
let blocksInUse = 0;

/** Copies the bytes, more than 12, to a place of their own and returns its address. */
function copyToBlock(bytes: Uint8Array): number {
  let block = blocks[blocksInUse];
  if (block === undefined) {
    const chunk = duckdb.create_data_chunk([duckdb.create_logical_type(duckdb.Type.BLOB)]);
    block = { chunk, vector: duckdb.data_chunk_get_vector(chunk, 0) };
    blocks.push(block);
  }
  blocksInUse++;
  duckdb.vector_assign_string_element_len(block.vector, 0, bytes);
  const header = duckdb.vector_get_data(block.vector, 16);
  const view = new DataView(header.buffer, header.byteOffset, 16);
  return view.getUint32(8, true) + view.getUint32(12, true) * 0x1_0000_0000;
}

/** Frees the blocks that hold the strings of a chunk, when it has been appended. */
export function releaseStringBlocks(): void {
  for (let i = 0; i < blocksInUse; i++) {
    const used = blocks[i];
    if (used !== undefined) duckdb.data_chunk_reset(used.chunk);
  }
  blocksInUse = 0;
}

/**
 * Puts U+FFFD where the strings are not UTF-8, as DuckDB would otherwise refuse or damage them. Returns how many strings
 * were changed.
 */
export function repairUtf8(buffer: ColumnBuffer, rows: number): number {
  const { heap, ends } = buffer;
  let whole = isUtf8(heap.bytes.subarray(0, heap.length));
  for (let row = 0, start = 0; whole && row < rows; row++) {
    const end = ends[row] ?? 0;
    // a string that begins in the middle of a character took it from the one before
    if (end > start && ((heap.bytes[start] ?? 0) & 0xc0) === 0x80) whole = false;
    start = end;
  }
  if (whole) return 0;
  const repaired = new ByteWriter(heap.length + 64);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const encoder = new TextEncoder();
  let changed = 0;
  for (let row = 0, start = 0; row < rows; row++) {
    const end = ends[row] ?? 0;
    const cell = heap.bytes.subarray(start, end);
    const good = isUtf8(cell);
    if (!good) changed++;
    const text = good ? cell : encoder.encode(decoder.decode(cell));
    repaired.raw(text, 0, text.length);
    ends[row] = repaired.length;
    start = end;
  }
  buffer.heap = repaired;
  return changed;
}
