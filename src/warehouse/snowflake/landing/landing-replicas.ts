import type { Logger } from '../../../base/logger.ts';
import type { ConnectRecord } from '../../../connect/record.ts';
import type { OffsetMove } from '../../warehouse.ts';
import { qualified, type TablePlace } from '../sql-text.ts';
import type { LandingWarehouse } from './landing-warehouse.ts';
import { mergeSql, ownNames } from './merge-landed.ts';
import { changeSteps, type ReplicaForm } from './replica-steps.ts';
import { fingerprintOf, replicaOf, type LandedReplica, type ReplicaOptions } from './replica-table.ts';

export interface ReplicasOptions extends Omit<ReplicaOptions, 'landing'> {
  readonly warehouse: LandingWarehouse;
  readonly form: ReplicaForm;
  readonly placeOf: (topic: string) => TablePlace;
  /** What is stored of a source's replicas. */
  readonly notes: ReadonlyMap<string, string>;
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

/** Replicas that statements in Snowflake keep of landed records, of one source. */
export class LandingReplicas {
  readonly #options: ReplicasOptions;
  readonly #replicas = new Map<string, LandedReplica>();
  /** The schemas that the last record of a topic had: nearly always those of the next. */
  readonly #seen = new Map<string, { readonly key: unknown; readonly value: unknown }>();
  readonly #told = new Set<string>();
  /** Landing tables with rows that are not merged. */
  readonly #behind = new Set<string>();
  #behindMs = Infinity;

  constructor(options: ReplicasOptions) {
    this.#options = options;
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

  /** Brings the definitions to what a record says, at its place in the order. */
  async change(
    { before, after }: ReplicaChange,
    { move, signal }: { readonly move: (notes: ReadonlyMap<string, string>) => OffsetMove; readonly signal: AbortSignal },
  ): Promise<void> {
    const { warehouse, form, log } = this.#options;
    if (before !== undefined) await this.#mergeTables([before], signal);
    const name = qualified(after.landing);
    const { steps, doubts } = changeSteps(before, after, form);
    for (const doubt of doubts) log.warn({ table: after.table }, doubt);
    await warehouse.redefine(steps, move(new Map([[notePrefix + name, JSON.stringify(after)]])));
    this.#replicas.set(name, after);
    log.info({ table: after.table, columns: after.columns.length }, before === undefined ? 'a replica is kept' : 'a replica was changed');
  }

  /** Rows have come into a landing table. */
  landed(place: TablePlace): void {
    const name = qualified(place);
    if (this.#behind.has(name) || !this.#replicas.has(name)) return;
    if (this.#behind.size === 0) this.#behindMs = performance.now();
    this.#behind.add(name);
  }

  /** Merges what has landed, all tables in one transaction: readers see states that the source had. */
  async merge(signal: AbortSignal): Promise<void> {
    if (!this.isDue(true)) return;
    const behind = [...this.#replicas].filter(([name]) => this.#behind.has(name)).map(([, replica]) => replica);
    await this.#mergeTables(behind, signal);
    this.#behind.clear();
    this.#behindMs = Infinity;
  }

  async #mergeTables(replicas: readonly LandedReplica[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#options.warehouse.transact(replicas.map((replica) => mergeSql(replica, ownNames(replica).stream)));
  }
}

/** We wrote it ourselves. */
function parseReplica(text: string): LandedReplica {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return JSON.parse(text) as LandedReplica;
}
