import { numberOf } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';
import { groupId } from './group-id.ts';
import type { SourceExtent, SourceTable } from './group-id.ts';

/* Removal goes in short transactions, so that appending never waits for long, and none of them is synced: one that the
 * power takes away is done again. */
const stepBytes = 32 * 1024 * 1024;
const waitForWriterMs = 200;
/** Free pages that stay in the file for the next groups: writing to them is cheaper than growing and truncating it. */
const keptFreeBytes = 64 * 1024 * 1024;
const vacuumStepPages = 256;
/** Of one call, whose thread has other work; what is left over is for the next call. */
const trimBudgetMs = 100;
const vacuumBudgetMs = 50;

export interface RetentionLimits {
  /** Age in the log, milliseconds. */
  readonly retentionMs: number;
  /** Bytes of the groups of one source. */
  readonly retentionBytes: number;
}

/** How much of a source a consumer has still to acknowledge. */
export interface ConsumerLag {
  readonly consumer: string;
  readonly source: string;
  /** Last acknowledged number. */
  readonly seq: number;
  readonly groups: number;
  readonly bytes: number;
  /** Milliseconds since the epoch at which the first of these groups was appended; 0 when there is none. */
  readonly sinceMs: number;
}

/** Measures and removes groups. */
export class Retention {
  readonly #database: LogDatabase;
  readonly #sources: SourceTable;
  readonly #group: Statement;
  readonly #delete: Statement;
  readonly #setRemoved: Statement;
  readonly #acknowledged: Statement;
  readonly #consumers: Statement;
  readonly #pages: Statement;

  constructor(database: LogDatabase, sources: SourceTable) {
    this.#database = database;
    this.#sources = sources;
    this.#group = database.prepare('SELECT appended_ms, total_bytes, length(bytes) AS size FROM groups WHERE id = ?');
    this.#delete = database.prepare('DELETE FROM groups WHERE id BETWEEN ? AND ?');
    this.#setRemoved = database.prepare('UPDATE sources SET removed = ? WHERE id = ?');
    this.#acknowledged = database.prepare('SELECT min(seq) AS seq FROM consumers WHERE source = ?');
    this.#consumers = database.prepare('SELECT consumer, source, seq FROM consumers ORDER BY consumer, source');
    this.#pages = database.prepare(
      'SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
    );
  }

  /** Bytes of pages that hold something, and of those that do not. */
  usage(): { readonly usedBytes: number; readonly freeBytes: number } {
    const row = this.#pages.get();
    const page = numberOf(row?.['page_size']);
    const free = numberOf(row?.['freelist_count']) * page;
    return { usedBytes: numberOf(row?.['page_count']) * page - free, freeBytes: free };
  }

  /** Removes what is past the limits and acknowledged by all, for about 0.1 s; returns how many groups. */
  applyLimits(limits: RetentionLimits): number {
    let removed = 0;
    const endMs = performance.now() + trimBudgetMs;
    for (const { name } of this.#sources.all()) removed += this.#trim(name, (extent) => this.#pastLimits(extent, limits), endMs);
    this.#vacuum();
    return removed;
  }

  /** Removes what is acknowledged by all, whatever its age, oldest first, until about so many bytes less are used. */
  makeRoom(bytes: number): void {
    const wantedBytes = this.usage().usedBytes - bytes;
    for (const { name } of this.#sources.all()) {
      this.#trim(name, (extent) => {
        const missing = this.usage().usedBytes - wantedBytes;
        if (missing <= 0) return extent.removed;
        const first = this.#read(extent, extent.removed + 1);
        const before = first.totalBytes - first.size;
        // one more than those that would be too few
        return this.#lastWhere(extent, (seq) => this.#read(extent, seq).totalBytes - before < missing) + 1;
      });
    }
  }

  lags(): readonly ConsumerLag[] {
    return this.#database.read(() => {
      const lags: ConsumerLag[] = [];
      for (const row of this.#consumers.all()) {
        const extent = this.#sources.find(String(row['source']));
        if (extent === undefined) continue;
        const seq = numberOf(row['seq']);
        const next = Math.max(seq, extent.removed) + 1;
        const isLagging = next <= extent.last;
        const first = isLagging ? this.#read(extent, next) : undefined;
        const bytes = first === undefined ? 0 : this.#read(extent, extent.last).totalBytes - first.totalBytes + first.size;
        const groups = Math.max(0, extent.last - next + 1);
        lags.push({ consumer: String(row['consumer']), source: extent.name, seq, groups, bytes, sinceMs: first?.appendedMs ?? 0 });
      }
      return lags;
    });
  }

  /** Removes a source's groups up to what `bound` says, as far as they are acknowledged, in steps. */
  #trim(name: string, bound: (extent: SourceExtent) => number, endMs = Infinity): number {
    let total = 0;
    for (;;) {
      let removed = 0;
      const done = this.#database.writeLoosely(() => {
        removed = this.#trimStep(name, bound);
      }, waitForWriterMs);
      total += removed;
      if (!done || removed === 0 || performance.now() > endMs) return total;
    }
  }

  #trimStep(name: string, bound: (extent: SourceExtent) => number): number {
    const extent = this.#sources.find(name);
    if (extent === undefined || extent.last === extent.removed) return 0;
    const upTo = Math.min(bound(extent), this.#acknowledgedByAll(extent));
    if (upTo <= extent.removed) return 0;
    const first = this.#read(extent, extent.removed + 1);
    const within = { ...extent, last: upTo };
    const step = this.#lastWhere(within, (seq) => this.#read(extent, seq).totalBytes - first.totalBytes <= stepBytes);
    this.#delete.run(groupId(extent.sourceId, extent.removed + 1), groupId(extent.sourceId, step));
    this.#setRemoved.run(step, extent.sourceId);
    return step - extent.removed;
  }

  #acknowledgedByAll(extent: SourceExtent): number {
    const seq = this.#acknowledged.get(extent.name)?.['seq'];
    return typeof seq === 'number' ? Math.min(seq, extent.last) : extent.last;
  }

  #pastLimits(extent: SourceExtent, { retentionMs, retentionBytes }: RetentionLimits): number {
    const oldestMs = Date.now() - retentionMs;
    const last = this.#read(extent, extent.last);
    const isTooOld = (seq: number): boolean => this.#read(extent, seq).appendedMs < oldestMs;
    const isTooMuch = (seq: number): boolean => last.totalBytes - this.#read(extent, seq).totalBytes >= retentionBytes;
    return Math.max(this.#lastWhere(extent, isTooOld), this.#lastWhere(extent, isTooMuch));
  }

  /** Last held number for which `holds`, which holds up to some number and not after it; `removed` if for none. */
  #lastWhere(extent: SourceExtent, holds: (seq: number) => boolean): number {
    let low = extent.removed;
    let high = extent.last;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (holds(middle)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #read(extent: SourceExtent, seq: number): { readonly appendedMs: number; readonly totalBytes: number; readonly size: number } {
    const row = this.#group.get(groupId(extent.sourceId, seq));
    return { appendedMs: numberOf(row?.['appended_ms']), totalBytes: numberOf(row?.['total_bytes']), size: numberOf(row?.['size']) };
  }

  /** Gives free pages back to the file system, a little at a time. */
  #vacuum(): void {
    const endMs = performance.now() + vacuumBudgetMs;
    while (this.usage().freeBytes > keptFreeBytes && performance.now() < endMs) {
      if (!this.#database.writeLoosely(() => this.#database.exec(`PRAGMA incremental_vacuum(${vacuumStepPages})`), 0)) return;
    }
  }
}
