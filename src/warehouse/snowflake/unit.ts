import { failpoint } from '../../base/failpoint.ts';
import type { ChangeBatch } from '../../event/change-batch.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { chunkSet, type ChunkRows } from '../chunk-rows.ts';
import type { Fold } from '../fold.ts';
import type { TableRecord } from '../table-record.ts';
import type { CommitReport, OffsetMove, SnapshotStart, Unit } from '../warehouse.ts';
import { applyMerge, applyRows } from './apply-rows.ts';
import type { SnowflakeColumn } from './column-mapping.ts';
import { loadFold, loadSnapshotRows, placesOf, type LoadedFold, type LoadedRows } from './load-files.ts';
import type { RowsWriter } from './parquet-stage.ts';
import type { TablePlace } from './sql-text.ts';
import type { SnowflakeStore } from './store.ts';
import { beginSnapshot, endSnapshot, evolve } from './table-steps.ts';
import type { UnitPlan } from './unit-plan.ts';

/** Rows of a snapshot's chunks, of one table, that become files together. */
interface OpenLoad {
  readonly schema: TableSchema;
  readonly columns: readonly SnowflakeColumn[];
  readonly failOnInvalid: boolean;
  readonly held: ChunkRows[];
  writer: RowsWriter | undefined;
  readonly loaded: PromiseWithResolvers<LoadedRows>;
}

type Step = (plan: UnitPlan) => Promise<void> | void;

/** A unit whose rows are uploaded and copied while it is filled; only the commit writes to replicated tables. */
export class SnowflakeUnit implements Unit {
  readonly #store: SnowflakeStore;
  readonly #source: string;
  readonly #steps: Step[] = [];
  readonly #withRows = new Set<string>();
  /** Uploads that have begun, and what is to be dropped of them. */
  readonly #uploads: Promise<LoadedFold | LoadedRows>[] = [];
  #open: OpenLoad | undefined;
  #discarded = false;

  constructor(store: SnowflakeStore, source: string) {
    this.#store = store;
    this.#source = source;
  }

  async merge(fold: Fold, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#startLoad();
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
    const { schema } = batch;
    // chunks of one table that follow one another become files together
    if (this.#open?.schema.fingerprint !== schema.fingerprint) {
      this.#startLoad();
      const record = this.#recordFor(schema);
      const loaded = Promise.withResolvers<LoadedRows>();
      loaded.promise.catch(() => undefined);
      const columns = this.#store.columnsOf(record, schema);
      this.#open = { schema, columns, failOnInvalid: record.invalidTemporal === 'fail', held: [], writer: undefined, loaded };
      this.#withRows.add(tableName(schema));
      this.#steps.push(async (plan) => applyRows(plan, await loaded.promise));
    }
    this.#open?.held.push({ batch, from, to });
  }

  async spill(): Promise<void> {
    if (this.#open !== undefined) await this.#write(this.#open);
  }

  evolve(changes: readonly SchemaChange[]): void {
    this.#startLoad();
    this.#steps.push(async (plan) => {
      for (const change of changes) await evolve(plan, change);
    });
  }

  beginSnapshot(snapshot: SnapshotStart): void {
    this.#startLoad();
    this.#steps.push((plan) => beginSnapshot(plan, snapshot));
  }

  endSnapshot(snapshot: string, tables: readonly TableId[]): void {
    this.#startLoad();
    this.#steps.push((plan) => endSnapshot(plan, snapshot, tables));
  }

  async commit(move: OffsetMove, signal: AbortSignal): Promise<CommitReport> {
    signal.throwIfAborted();
    this.#startLoad();
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
    await this.#open?.writer?.[Symbol.asyncDispose]();
    this.#open = undefined;
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

  /** What was appended is all of it: it is uploaded. */
  #startLoad(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    void this.#begin(this.#finish(open)).then(open.loaded.resolve, open.loaded.reject);
  }

  async #write(open: OpenLoad): Promise<RowsWriter> {
    const held = open.held.splice(0);
    const { schema, failOnInvalid } = open;
    open.writer ??= await this.#store.loader.stage.openRows(open.columns, { schema, failOnInvalid });
    if (held.length > 0) await open.writer.add(chunkSet(held));
    return open.writer;
  }

  async #finish(open: OpenLoad): Promise<LoadedRows> {
    return loadSnapshotRows(this.#store.loader, await this.#write(open), open);
  }

  #recordFor(schema: TableSchema): Pick<TableRecord, 'invalidTemporal'> {
    return this.#store.recordOf(this.#source, schema) ?? this.#store.sink;
  }
}

function placesIn(loaded: LoadedFold | LoadedRows): readonly TablePlace[] {
  if (!('from' in loaded)) return placesOf(loaded);
  return 'prefix' in loaded.from ? [] : [loaded.from];
}
