import type { Logger } from '../../../base/logger.ts';
import type { ConnectRecord } from '../../../connect/record.ts';
import { qualified, type TablePlace } from '../sql-text.ts';
import type { LandingMove, LandingWarehouse } from './landing-warehouse.ts';
import { mergeStatements, ownNames, truncateStatements } from './merge-landed.ts';
import { epochOfPosition, packPosition, PositionEpochs, type BinlogPlace } from './position-epochs.ts';
import { changeSteps } from './replica-steps.ts';
import { fingerprintOf, replicaOf, type LandedReplica, type ReplicaOptions } from './replica-table.ts';

export interface ReplicasOptions extends Omit<ReplicaOptions, 'landing'> {
  readonly warehouse: LandingWarehouse;
  readonly placeOf: (topic: string) => TablePlace;
  /** What is stored of a source's replicas. */
  readonly notes: ReadonlyMap<string, string>;
  /** Where what is stored of the source ends. */
  readonly begin: BinlogPlace | undefined;
  /** How long rows may lie before Millrace merges them; undefined: a task of Snowflake's does. */
  readonly mergeMs: number | undefined;
  readonly log: Logger;
}

/** A replica that comes or changes. */
export interface ReplicaChange {
  readonly before: LandedReplica | undefined;
  readonly after: LandedReplica;
}

const notePrefix = 'replica ';
const epochPrefix = 'epoch ';

/** Offset and notes for a commit that moves nothing else. */
export type MoveWith = (notes: ReadonlyMap<string, string>) => LandingMove;

/** Replicas that statements in Snowflake keep of landed records, of one source. */
export class LandingReplicas {
  readonly #options: ReplicasOptions;
  readonly #replicas = new Map<string, LandedReplica>();
  /** The schemas that the last record of a topic had: nearly always those of the next. */
  readonly #seen = new Map<string, { readonly key: unknown; readonly value: unknown }>();
  readonly #told = new Set<string>();
  readonly #epochs: PositionEpochs;
  /** Landing tables with rows that are not merged. */
  readonly #behind = new Set<string>();
  #behindMs = Infinity;

  constructor(options: ReplicasOptions) {
    this.#options = options;
    const epochs = [...options.notes].filter(([key]) => key.startsWith(epochPrefix));
    this.#epochs = new PositionEpochs(new Map(epochs.map(([key, note]) => [key.slice(epochPrefix.length), Number(note)])), options.begin);
    for (const [key, note] of options.notes) {
      if (!key.startsWith(notePrefix)) continue;
      const replica = parseReplica(note);
      this.#replicas.set(qualified(replica.landing), replica);
      // whether an earlier life has merged all is not known
      this.landed(replica.landing);
    }
  }

  get isBehind(): boolean {
    return this.#options.mergeMs !== undefined && this.#behind.size > 0;
  }

  isDue(atEnd: boolean): boolean {
    const { mergeMs } = this.#options;
    return mergeMs !== undefined && this.#behind.size > 0 && (atEnd || performance.now() - this.#behindMs >= mergeMs);
  }

  /** The epoch of a record's position. */
  epochOf(record: ConnectRecord): number {
    return this.#epochs.of(record);
  }

  /** What is to be stored with the next offset. */
  takeNotes(): ReadonlyMap<string, string> {
    return new Map(Array.from(this.#epochs.takeChanges(), ([topic, epoch]) => [`${epochPrefix}${topic}`, String(epoch)]));
  }

  /** What a record says that the definitions do not yet. */
  changeOf(record: ConnectRecord): ReplicaChange | undefined {
    if (record.valueSchema === null) return undefined;
    const seen = this.#seen.get(record.topic);
    if (seen?.value === record.valueSchema && seen.key === record.keySchema) return undefined;
    this.#seen.set(record.topic, { key: record.keySchema, value: record.valueSchema });
    const landing = this.#options.placeOf(record.topic);
    const after = replicaOf(record, { ...this.#options, landing });
    if (typeof after === 'string') {
      if (!this.#told.has(record.topic)) this.#options.log.warn({ topic: record.topic }, `no replica is kept of this topic: ${after}`);
      this.#told.add(record.topic);
      return undefined;
    }
    const before = this.#replicas.get(qualified(landing));
    return before !== undefined && fingerprintOf(before) === fingerprintOf(after) ? undefined : { before, after };
  }

  /** Brings the definitions to what a record of the topic says, at its place in the order. */
  async change(topic: string, { before, after }: ReplicaChange, move: MoveWith, signal: AbortSignal): Promise<void> {
    const { warehouse, log } = this.#options;
    if (before !== undefined) await this.#mergeTables([before], signal);
    else await this.#startEpoch(topic, after);
    const name = qualified(after.landing);
    const { steps, doubts } = changeSteps(before, after);
    for (const doubt of doubts) log.warn({ table: after.table }, doubt);
    await warehouse.redefine(steps, move(new Map([...this.takeNotes(), [notePrefix + name, JSON.stringify(after)]])));
    this.#replicas.set(name, after);
    log.info({ table: after.table, columns: after.columns.length }, before === undefined ? 'a replica is kept' : 'a replica was changed');
  }

  /** The source has truncated a table, or dropped it: rows that were there before are gone. */
  async truncate(topic: string, place: BinlogPlace, signal: AbortSignal): Promise<void> {
    const replica = this.#replicas.get(qualified(this.#options.placeOf(topic)));
    if (replica === undefined || replica.form.runner === 'dynamic.table') return;
    signal.throwIfAborted();
    const at = packPosition(this.#epochs.at(topic, place), place);
    const { stream } = ownNames(replica);
    await this.#options.warehouse.transact([...mergeStatements(replica, stream), ...truncateStatements(replica, at)]);
  }

  /** Rows have come into a landing table. */
  landed(place: TablePlace): void {
    const name = qualified(place);
    if (this.#behind.has(name) || !this.#replicas.has(name)) return;
    if (this.#behind.size === 0) this.#behindMs = performance.now();
    this.#behind.add(name);
  }

  /** Merges what has landed, if it is time, all tables in one transaction: readers see states that the source had. */
  async merge(atEnd: boolean, signal: AbortSignal): Promise<void> {
    if (!this.isDue(atEnd)) return;
    const behind = [...this.#replicas].filter(([name]) => this.#behind.has(name)).map(([, replica]) => replica);
    await this.#mergeTables(behind, signal);
    this.#behind.clear();
    this.#behindMs = Infinity;
  }

  async #mergeTables(replicas: readonly LandedReplica[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const merged = replicas.filter(({ form }) => form.runner !== 'dynamic.table');
    await this.#options.warehouse.transact(merged.flatMap((replica) => mergeStatements(replica, ownNames(replica).stream)));
  }

  /** Whoever filled a replica before has left positions of which nothing is known: all of this connector's are newer. */
  async #startEpoch(topic: string, replica: LandedReplica): Promise<void> {
    if (replica.form.runner === 'dynamic.table') return;
    const greatest = await this.#options.warehouse.greatestPosition(ownNames(replica).base);
    if (greatest !== undefined) this.#epochs.start(topic, epochOfPosition(greatest) + 1);
  }
}

/** We wrote it ourselves. */
function parseReplica(text: string): LandedReplica {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return JSON.parse(text) as LandedReplica;
}
