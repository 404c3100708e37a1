import type { Entry } from '../connect/commit-group.ts';
import type { StateRecord } from '../connect/tasks.ts';
import type { FindRowMask } from './mask-rows.ts';
import type { Snapshot, SnapshotStep } from './snapshot-contract.ts';
import type { SourceModels } from './source-models.ts';

/** An entry of a commit group, and what must become durable with it. */
export interface EntryWithState {
  readonly entry: Entry;
  readonly state: readonly StateRecord[];
}

/**
 * The log entry of a snapshot's step; undefined when it has none. Tables that begin have from then on the definition that
 * the snapshot reads them under.
 */
export function stepEntry(
  step: SnapshotStep,
  { id, initial }: Snapshot,
  { models, masks }: { readonly models: SourceModels; readonly masks: FindRowMask | undefined },
): EntryWithState | undefined {
  switch (step.kind) {
    case 'begin':
    case 'tableRestart': {
      const tables = step.kind === 'begin' ? step.tables : [step.table];
      // No table at all is more likely a privilege that is missing.
      const whole = step.kind === 'begin' && step.whole && tables.length > 0;
      return {
        entry: { kind: 'snapshotBegin', snapshot: id, tables, initial, ...(whole && { whole }) },
        state: [...step.state, ...tables.flatMap((table) => models.define(table))],
      };
    }
    case 'tableDropped': {
      const { database, table } = step.table;
      const before = models.find(database, table)?.captured;
      return {
        entry: { kind: 'schema', database, statement: '', event: -1, changes: before === undefined ? [] : [{ kind: 'dropTable', before }] },
        state: [...step.state, ...models.remove(step.table)],
      };
    }
    case 'chunk': {
      const { batch, position, readMicros, first, last, state } = step;
      return {
        entry: {
          kind: 'chunk',
          snapshot: id,
          batch: masks?.(batch.schema)?.maskBatch(batch) ?? batch,
          position,
          readMicros,
          ...(first === undefined ? {} : { first }),
          ...(last === undefined ? {} : { last }),
        },
        state,
      };
    }
    case 'end':
      return undefined;
  }
}
