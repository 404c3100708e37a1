import { failpoint } from '../../base/failpoint.ts';
import type { ChangeBatch } from '../../event/change-batch.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { chunkSet, type ChunkRows } from '../chunk-rows.ts';
import type { Fold } from '../fold.ts';
import type { TableRecord } from '../table-record.ts';
import type { CommitReport, OffsetMove, SnapshotStart, Unit } from '../warehouse.ts';
import { applyMerge, applyRows, type LoadedRows } from './apply-rows.ts';
import { loadFiles, loadFold, placesOf, type LoadedFold } from './load-files.ts';
import type { SnowflakeStore } from './store.ts';
import { beginSnapshot, endSnapshot, evolve } from './table-steps.ts';
import type { UnitPlan } from './unit-plan.ts';

type Step = (plan: UnitPlan) => Promise<void> | void;

/** A unit whose rows are uploaded and copied while it is filled; only the commit writes to replicated tables. */
export class SnowflakeUnit implements Unit {
  readonly #store: SnowflakeStore;
  readonly #source: string;
  readonly #steps: Step[] = [];
  readonly #withRows = new Set<string>();
  /** Uploads that have begun, and what is to be dropped of them. */
  readonly #uploads: Promise<LoadedFold | LoadedRows>[] = [];
  #lastAppend: ChunkRows[] | undefined;
  #pendingAppends: (() => void)[] = [];
  #discarded = false;

  constructor(store: SnowflakeStore, source: string) {
    this.#store = store;
    this.#source = source;
  }

  async merge(fold: Fold, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#startAppends();
    const { schema } = fold;
    this.#withRows.add(tableName(schema));
    const record = this.#recordFor(schema);
    const { loader } = this.#store;
    const written = await loader.stage.writeFold(fold, this.#store.columnsOf(record, schema), record.invalidTemporal === 'fail');
    failpoint('staged');
    const upload = this.#begin(loadFold(loader, written));
    this.#steps.push(async (plan) => applyMerge(plan, await upload));
  }

  append(batch: ChangeBatch, from: number, to: number): void {
    const last = this.#lastAppend;
    // chunks of one table that follow one another become files together
    if (last !== undefined && last[0]?.batch.schema.fingerprint === batch.schema.fingerprint) {
      last.push({ batch, from, to });
      return;
    }
    this.#startAppends();
    const { schema } = batch;
    const chunks: ChunkRows[] = [{ batch, from, to }];
    this.#lastAppend = chunks;
    this.#withRows.add(tableName(schema));
    const loaded = Promise.withResolvers<LoadedRows>();
    loaded.promise.catch(() => undefined);
    this.#pendingAppends.push(() => void this.#begin(this.#loadChunks(schema, chunks)).then(loaded.resolve, loaded.reject));
    this.#steps.push(async (plan) => applyRows(plan, await loaded.promise));
  }

  evolve(changes: readonly SchemaChange[]): void {
    this.#startAppends();
    this.#steps.push(async (plan) => {
      for (const change of changes) await evolve(plan, change);
    });
  }

  beginSnapshot(snapshot: SnapshotStart): void {
    this.#startAppends();
    this.#steps.push((plan) => beginSnapshot(plan, snapshot));
  }

  endSnapshot(snapshot: string, tables: readonly TableId[]): void {
    this.#startAppends();
    this.#steps.push((plan) => endSnapshot(plan, snapshot, tables));
  }

  async commit(move: OffsetMove, signal: AbortSignal): Promise<CommitReport> {
    signal.throwIfAborted();
    this.#startAppends();
    await Promise.all(this.#uploads);
    signal.throwIfAborted();
    const report = await this.#store.commit({ source: this.#source, steps: this.#steps, withRows: this.#withRows }, move);
    this.#discarded = true;
    return report;
  }

  async discard(): Promise<void> {
    if (this.#discarded) return;
    this.#discarded = true;
    this.#steps.length = 0;
    this.#pendingAppends = [];
    const ended = await Promise.allSettled(this.#uploads);
    const places = ended.flatMap((each) => (each.status === 'fulfilled' ? placesIn(each.value) : []));
    this.#store.dropLater(places);
  }

  /** Starts an upload whose failure the commit tells of. */
  #begin<T extends LoadedFold | LoadedRows>(upload: Promise<T>): Promise<T> {
    upload.catch(() => undefined);
    this.#uploads.push(upload);
    return upload;
  }

  #startAppends(): void {
    this.#lastAppend = undefined;
    for (const start of this.#pendingAppends.splice(0)) start();
  }

  async #loadChunks(schema: TableSchema, chunks: readonly ChunkRows[]): Promise<LoadedRows> {
    const { loader } = this.#store;
    const record = this.#recordFor(schema);
    const columns = this.#store.columnsOf(record, schema);
    const failOnInvalid = record.invalidTemporal === 'fail';
    const { files, substitutions } = await loader.stage.writeRows(chunkSet(chunks), columns, { schema, failOnInvalid });
    return { schema, columns, substitutions, place: await loadFiles(loader, files, { columns, more: [] }) };
  }

  #recordFor(schema: TableSchema): Pick<TableRecord, 'invalidTemporal'> {
    return this.#store.recordOf(this.#source, schema) ?? this.#store.sink;
  }
}

function placesIn(loaded: LoadedFold | LoadedRows): readonly LoadedRows['place'][] {
  return 'place' in loaded ? [loaded.place] : placesOf(loaded);
}
