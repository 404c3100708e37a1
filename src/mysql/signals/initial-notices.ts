import type { Snapshot, SnapshotStep } from '../snapshot-contract.ts';
import { tableName } from '../../event/table-schema.ts';
import type { TableId } from '../../event/table-schema.ts';
import type { Notice, Notifications } from './notifications.ts';

/** Tells them of a start that copies no rows: only the definitions of tables, or nothing at all. */
export function tellStart({ readsDefinitions }: { readonly readsDefinitions: boolean }, notifications: Notifications): void {
  for (const type of readsDefinitions ? (['STARTED', 'COMPLETED'] as const) : (['SKIPPED'] as const)) {
    notifications.tell({ aggregate: 'Initial Snapshot', type });
  }
}

export interface TellStepOptions {
  readonly notifications: Notifications;
  /** Of which nothing is told. */
  readonly signalTable: TableId | undefined;
}

/** Tells the notification channels of a step of a snapshot that is not an incremental one. */
export function tellStep(step: SnapshotStep, snapshot: Snapshot, { notifications, signalTable }: TellStepOptions): void {
  const isSignals = (table: TableId): boolean => signalTable !== undefined && tableName(table) === tableName(signalTable);
  const tell = (notice: Omit<Notice, 'aggregate'>): void => notifications.tell({ aggregate: 'Initial Snapshot', ...notice });
  switch (step.kind) {
    case 'begin':
      tell({ type: 'STARTED' });
      return;
    case 'chunk': {
      const { schema } = step.batch;
      if (isSignals(schema)) return;
      const others = snapshot.tables.filter((table) => !isSignals(table));
      if (step.first !== undefined) tell({ type: 'IN_PROGRESS', current: schema, tables: others });
      if (step.last === undefined) return;
      const rows = snapshot.progress().find(({ table }) => table === tableName(schema))?.rows ?? 0;
      tell({ type: 'TABLE_SCAN_COMPLETED', scanned: schema, rows, tables: snapshot.tables, status: 'SUCCEEDED' });
      return;
    }
    case 'end':
      tell({ type: 'COMPLETED' });
      return;
    case 'tableRestart':
    case 'tableDropped':
  }
}
