import type { ServerConnection } from '../binlog/connection.ts';
import type { Entry, SourcePosition } from '../connect/commit-group.ts';
import type { SourceState, StateRecord } from '../connect/tasks.ts';
import type { TableId } from '../event/table-schema.ts';
import { describeSnapshot } from './describe-snapshot.ts';
import type { Snapshot, SnapshotStep } from './snapshot-contract.ts';
import type { SourceConfig } from './source-config.ts';
import type { SourceModels } from './source-models.ts';

/** What the schema-change topic tells of a snapshot. */
export interface ToldEntries {
  readonly entries: readonly Entry[];
  readonly state: readonly StateRecord[];
}

const nothingTold: ToldEntries = { entries: [], state: [] };
/** That it has told: key JSON `[connector]`. */
const describedTopic = 'millrace-described';

export interface SnapshotTellerOptions {
  readonly config: SourceConfig;
  readonly control: ServerConnection;
  readonly models: SourceModels;
  readonly state: SourceState;
}

export interface ToldStep {
  readonly snapshot: Snapshot;
  readonly position: SourcePosition | undefined;
  /** A blocking snapshot, which tells the statements of its tables once more. */
  readonly again: boolean;
}

/** Tells the schema-change topic the statements of a snapshot's tables. */
export class SnapshotTeller {
  readonly #options: SnapshotTellerOptions;
  /** The topic has the tables of the first snapshot. */
  #isDone: boolean;

  constructor(options: SnapshotTellerOptions) {
    this.#options = options;
    this.#isDone = options.state.state(describedTopic).has(describedRecord(options.config.name).key);
  }

  begins({ initial }: Snapshot): void {
    this.#isDone = !initial;
  }

  /** The statements of the first snapshot come with its first row; without rows, at its end, which the last one then tells. */
  async tellStep(step: SnapshotStep, { snapshot, position, again }: ToldStep, signal: AbortSignal): Promise<ToldEntries> {
    const isFirstRow = step.kind === 'chunk' && step.batch.count > 0;
    if (step.kind === 'begin' && again) return this.#tellAgain(position, step.tables, signal);
    if (this.#isDone || !snapshot.initial || (!isFirstRow && step.kind !== 'end')) return nothingTold;
    this.#isDone = true;
    return this.tellAll(position, { last: !isFirstRow }, signal);
  }

  /** `last`: no row follows. */
  async tellAll(position: SourcePosition | undefined, { last }: { readonly last: boolean }, signal: AbortSignal): Promise<ToldEntries> {
    const { config, control, models } = this.#options;
    if (config.described === undefined || position === undefined) return nothingTold;
    const { tables, state } = await models.readDescribed(control, signal);
    const all = await describeSnapshot(control, { tables, position, last, unlocked: config.lockWaitMs === 0 }, signal);
    // SET is about the server, the others without changes about databases.
    const { takesOthers } = config.described;
    const records = all.filter(({ database, changes }) => takesOthers || database === '' || changes.length > 0);
    return { entries: [{ kind: 'ddl', records }], state: [...state, describedRecord(config.name)] };
  }

  async #tellAgain(position: SourcePosition | undefined, ids: readonly TableId[], signal: AbortSignal): Promise<ToldEntries> {
    const { config, control, models } = this.#options;
    if (config.described === undefined || position === undefined) return nothingTold;
    const tables = ids.flatMap(({ database, table }) => models.find(database, table)?.full ?? []);
    const records = await describeSnapshot(control, { tables, position, last: false }, signal);
    return { entries: [{ kind: 'ddl', records: records.filter(({ changes }) => changes.length > 0) }], state: [] };
  }
}

function describedRecord(connector: string): StateRecord {
  return { topic: describedTopic, key: JSON.stringify([connector]), value: 'true' };
}
