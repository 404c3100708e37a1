import { MillraceError } from '../base/errors.ts';
import { compareBinlogPositions } from '../binlog/positions.ts';
import type { CommitGroup, Entry, SourcePosition } from '../connect/commit-group.ts';
import type { SourceBatch, SourceState, StateRecord } from '../connect/tasks.ts';
import { GroupBuilder } from './group-builder.ts';
import type { TransactionHeader } from './group-builder.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import type { SourceConfig } from './source-config.ts';
import { placeRecord, readStoredPlace } from './exact-place.ts';
import { readFacts, readOffset, writeOffset } from './source-offset.ts';
import type { OffsetFacts } from './source-offset.ts';
import type { MappedGroup, StreamPosition } from './stream-contract.ts';
import { TransactionMonitor } from './transaction-monitor.ts';

/** The position alone is made durable at most so often. */
const advanceMs = 500;

export interface SourceBatchesOptions {
  readonly config: SourceConfig;
  readonly state: SourceState;
  readonly run?: string | undefined;
  /** A first snapshot is under way. */
  readonly isInitial: () => boolean;
  /** What the offset says of signals. */
  readonly signals: () => Readonly<Record<string, unknown>>;
}

/** Makes what a source hands over, with its offset, and knows how far that has come. */
export class SourceBatches {
  #position: StreamPosition | undefined;
  /** What the stored offset names: the newest record, as Debezium has it. */
  #told: StreamPosition | undefined;
  /** Undefined without transaction metadata. */
  readonly monitor: TransactionMonitor | undefined;
  readonly #options: SourceBatchesOptions;
  readonly #builder: GroupBuilder;
  /** Records that become durable with the next batch. */
  #queued: StateRecord[] = [];
  /** Of the newest event so far. */
  #facts: Pick<OffsetFacts, 'seconds' | 'serverId'>;
  #advancedAt = 0;
  #advancedTo: SourcePosition | undefined;

  constructor(options: SourceBatchesOptions) {
    this.#options = options;
    const { config, state, run } = options;
    this.#builder = new GroupBuilder(config.topicPrefix, { run });
    this.#facts = readFacts(state.offset);
    if (config.countRecords === undefined) return;
    this.monitor = new TransactionMonitor(config.countRecords);
    const eventsDone = readStoredPlace(config.name, state)?.position.eventsDone ?? 0;
    if (state.offset !== undefined) this.monitor.restore(state.offset, config.flavor, eventsDone);
  }

  /** End of what was handed over: where the next stream starts. */
  get position(): StreamPosition | undefined {
    return this.#position;
  }

  /** It goes on where the stored offset has it. */
  startAt(position: StreamPosition | undefined): void {
    this.#position = position;
    this.#told = position === undefined ? undefined : (readOffset(this.#options.state.offset) ?? position);
  }

  /** It goes on elsewhere. */
  moveTo(position: StreamPosition): void {
    this.#position = position;
    this.#told = position;
  }

  queue(records: readonly StateRecord[]): void {
    this.#queued.push(...records);
  }

  /** The memory of the last batch is not used any more. */
  clear(): void {
    this.#builder.clear();
  }

  /** Whether what was handed over ends before a place, or in the file of another server. */
  isBefore({ file, pos }: BinlogPlace): boolean {
    const { position } = this;
    if (position === undefined) return false;
    const order = compareBinlogPositions({ file: position.file, position: position.pos }, { file, position: pos });
    return order === undefined || order < 0;
  }

  /** Whether the position alone is worth a batch. */
  isAdvanced({ file, pos }: SourcePosition): boolean {
    return (this.#advancedTo?.file !== file || this.#advancedTo.pos !== pos) && Date.now() - this.#advancedAt >= advanceMs;
  }

  /** Of what the stream has brought. */
  ofStream({ group, position, told }: MappedGroup, state: readonly StateRecord[]): SourceBatch {
    this.#position = position;
    this.#told = told ?? this.#told ?? position;
    this.#advancedTo = position;
    this.#advancedAt = Date.now();
    return this.#batch(group, position, state);
  }

  /** Of entries between two transactions; `told`: the transaction that rows which are records belong to. */
  ofEntries(entries: readonly Entry[], state: readonly StateRecord[], told?: TransactionHeader): SourceBatch {
    // Not the mapper's, which may have taken events that are not in the log yet.
    const { position } = this;
    if (position === undefined) throw new MillraceError('INTERNAL', 'a snapshot without a position');
    const { file, pos, gtids } = position;
    if (told !== undefined && entries.some(({ kind }) => kind === 'chunk')) {
      this.#builder.beginTransaction(told);
      this.#builder.addEvent(pos, this.#facts.seconds);
    }
    for (const entry of entries) this.#builder.addBarrier(entry);
    const group = this.#builder.build({ position: { file, pos, gtids }, open: false, file });
    return this.#batch(group, position, state);
  }

  #batch(group: CommitGroup, position: StreamPosition, state: readonly StateRecord[]): SourceBatch {
    const all = [...this.#queued, ...state];
    this.#queued = [];
    this.#facts = factsOf(group) ?? this.#facts;
    const place = writeOffset(this.#told ?? position, { ...this.#facts, snapshot: this.#options.isInitial() });
    const offset = { ...place, ...this.monitor?.offset(), ...this.#options.signals() };
    return { group, offset, state: [...all, placeRecord(this.#options.config.name, offset, position)] };
  }
}

function factsOf({ transactions, events }: CommitGroup): Pick<OffsetFacts, 'seconds' | 'serverId'> | undefined {
  const seconds = events.seconds[events.count - 1];
  return seconds === undefined ? undefined : { seconds, serverId: transactions.serverId[transactions.count - 1] };
}
