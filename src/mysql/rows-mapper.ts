import { MillraceError, isMillraceError } from '../base/errors.ts';
import type { RowsEvent, TableMap } from '../binlog/events.ts';
import { op } from '../event/change-batch.ts';
import type { ChangeBatchBuilder } from '../event/change-batch.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId } from '../event/table-schema.ts';
import type { CapturedTable } from './captured.ts';
import { decision } from './snapshot-filter.ts';
import type { SnapshotFilter, TableFilter } from './snapshot-filter.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import { compileTranscoder } from './transcode-program.ts';
import type { TranscodeOptions, TranscodeProgram } from './transcode-program.ts';
import { transcodeImage } from './transcode-row.ts';
import type { ImageBytes } from './transcode-row.ts';

/** What becomes of changes while a snapshot of some tables is not over: see `SnapshotFilter`. */
export interface StreamFilter {
  readonly filter: SnapshotFilter;
  /** The snapshot's rows are no records, so that topics take the changes that its chunks hold. */
  readonly tellsDropped: boolean;
  /** The table must be read anew; the change is dropped. */
  tableChanged(table: TableId): void;
}

export interface RowsMapperOptions extends TranscodeOptions {
  readonly captures: (table: TableId) => boolean;
  readonly models: { find(database: string, table: string): CapturedTable | undefined; isAbsent(table: TableId): boolean };
  /** An event's table is not captured. */
  readonly onFiltered?: (() => void) | undefined;
}

/** The rows of one event, about to be mapped. */
export interface OpenRows {
  readonly program: TranscodeProgram;
  readonly place: BinlogPlace;
  readonly filter: TableFilter | undefined;
  readonly snapshot: StreamFilter | undefined;
}

interface BatchTarget {
  readonly batch: ChangeBatchBuilder;
  readonly index: number;
  /** Takes the changes that the batch does not get as they are; undefined: nobody does. */
  readonly told?: ChangeBatchBuilder | undefined;
  /** Its first rows are not added: they were handed on before. */
  readonly skip?: number;
}

/** Maps the row images of ROWS events into change batches. */
export class RowsMapper {
  readonly #options: RowsMapperOptions;
  /** Programs by TABLE_MAP; `undefined` inside: none of its rows counts. */
  readonly #programs = new Map<TableMap, TranscodeProgram | 'unknown' | undefined>();
  readonly #image: { bytes: Uint8Array; start: number; end: number; present: Uint8Array } = {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    present: new Uint8Array(0),
  };

  constructor(options: RowsMapperOptions) {
    this.#options = options;
  }

  /** Definitions of tables have changed. */
  forgetTables(): void {
    this.#programs.clear();
  }

  /** How to read rows of the table; undefined when none of them counts, `unknown` when the table must be read anew for it. */
  open(
    table: TableMap,
    { place, snapshot }: { readonly place: BinlogPlace; readonly snapshot: StreamFilter | undefined },
  ): OpenRows | 'unknown' | undefined {
    const filter = snapshot?.filter.table(table);
    const isDropped = filter?.decideStatement(place) === decision.drop;
    if (isDropped && snapshot?.tellsDropped !== true) return undefined;
    const program = this.#programFor(table);
    // Under a definition that the stream has not come to yet, such rows cannot even be read.
    if (isDropped && program === 'unknown') return undefined;
    if (program === undefined) this.#options.onFiltered?.();
    return program === undefined || program === 'unknown' ? program : { program, place, filter, snapshot };
  }

  /** Adds the event's changes to the batch, as changes of event `index`. @throws BINLOG_CORRUPT, BINLOG_UNSUPPORTED */
  map(event: RowsEvent, rows: OpenRows, { batch, index, skip = 0, told }: BatchTarget): void {
    const { program, place, filter, snapshot } = rows;
    const { schema } = program;
    const image = this.#image;
    image.bytes = event.bytes;
    image.end = event.end;
    image.start = event.start;
    try {
      for (let left = skip; left > 0 && image.start < event.end; left--) {
        this.#row(event, program, { batch, index, image });
        batch.truncate(batch.count - 1);
      }
      let isVoid = false;
      while (image.start < event.end) {
        this.#row(event, program, { batch, index, image });
        if (filter === undefined) continue;
        if (isVoid) {
          told?.copy(batch, batch.count - 1);
          batch.truncate(batch.count - 1);
          continue;
        }
        if (this.#settle(batch, filter, { place, told }) !== decision.restart) continue;
        snapshot?.tableChanged(schema);
        if (told === undefined) return;
        isVoid = true;
      }
    } catch (error) {
      throw tooShort(error, schema);
    }
  }

  /** Leaves of the batch's last change what no chunk of the snapshot holds. */
  #settle(
    batch: ChangeBatchBuilder,
    filter: TableFilter,
    { place, told }: { readonly place: BinlogPlace; readonly told: ChangeBatchBuilder | undefined },
  ): number {
    const { before, middle, after } = batch.last();
    const decided = filter.decide(
      { schema: batch.schema, bytes: batch.writer.bytes, before: before === middle ? -1 : before, after: middle === after ? -1 : middle },
      place,
    );
    if (decided !== decision.keep) told?.copy(batch, batch.count - 1);
    switch (decided) {
      case decision.keep:
        break;
      case decision.drop:
      case decision.restart:
        batch.truncate(batch.count - 1);
        break;
      case decision.splitToDelete:
        batch.keepBefore(op.delete);
        break;
      case decision.splitToInsert:
        batch.keepAfter(op.insert);
        break;
    }
    return decided;
  }

  #row(event: RowsEvent, program: TranscodeProgram, target: RowTarget): void {
    const { batch, index, image } = target;
    const { writer } = batch;
    switch (event.kind) {
      case 'insert':
        batch.begin(op.insert, index);
        batch.middle();
        image.present = event.presentAfter;
        image.start = transcodeImage(program, image, writer);
        break;
      case 'update':
        batch.begin(op.update, index);
        image.present = event.presentBefore;
        image.start = transcodeImage(program, image, writer);
        batch.middle();
        image.present = event.presentAfter;
        image.start = transcodeImage(program, image, writer);
        break;
      case 'delete':
        batch.begin(op.delete, index);
        image.present = event.presentBefore;
        image.start = transcodeImage(program, image, writer);
        batch.middle();
        break;
    }
    batch.end();
  }

  #programFor(table: TableMap): TranscodeProgram | 'unknown' | undefined {
    if (this.#programs.has(table)) return this.#programs.get(table);
    const program = this.#compile(table);
    this.#programs.set(table, program);
    return program;
  }

  #compile(map: TableMap): TranscodeProgram | 'unknown' | undefined {
    const { captures, models } = this.#options;
    const id: TableId = { database: map.database, table: map.table };
    if (!captures(id)) return undefined;
    const model = models.find(map.database, map.table);
    if (model === undefined) return models.isAbsent(id) ? undefined : 'unknown';
    try {
      return compileTranscoder(map, model, this.#options);
    } catch (error) {
      if (isMillraceError(error, 'SCHEMA_MISMATCH')) return 'unknown';
      throw error;
    }
  }
}

interface RowTarget extends BatchTarget {
  readonly image: ImageBytes;
}

/** Reading past the end of a packet gives a RangeError of the engine: the event is damaged. */
function tooShort(error: unknown, table: TableId): unknown {
  if (!(error instanceof RangeError)) return error;
  return new MillraceError('BINLOG_CORRUPT', `a row of ${tableName(table)} ends before its values do`, { cause: error });
}
