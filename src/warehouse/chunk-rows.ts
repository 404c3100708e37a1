import type { ChangeBatch } from '../event/change-batch.ts';
import { imageBytes, type RowSet } from './fold.ts';

/** Rows `[from, to)` of a batch of a snapshot. */
export interface ChunkRows {
  readonly batch: ChangeBatch;
  readonly from: number;
  readonly to: number;
}

/** The after images of all chunks, as one set. */
export function chunkSet(chunks: readonly ChunkRows[]): Pick<RowSet, 'extent' | 'visit'> {
  const sources = chunks.map(({ batch }) => imageBytes(batch.bytes));
  const ends: number[] = [];
  let extent = 0;
  for (const { from, to } of chunks) ends.push((extent += to - from));
  return {
    extent,
    visit: (from, to, visitor) => {
      let begin = 0;
      for (const [index, chunk] of chunks.entries()) {
        const end = ends[index] ?? 0;
        const source = sources[index];
        if (source !== undefined && end > from && begin < to) {
          const { starts } = chunk.batch;
          const last = Math.min(end, to) - begin + chunk.from;
          for (let row = Math.max(begin, from) - begin + chunk.from; row < last; row++) visitor(source, starts[2 * row + 1] ?? 0);
        }
        begin = end;
      }
    },
  };
}
