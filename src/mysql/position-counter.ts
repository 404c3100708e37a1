import type { ConnectionSettings } from '../binlog/connection.ts';
import type { GtidSet } from '../binlog/gtid-set.ts';
import type { BinlogPlace } from './snapshot-table.ts';
import { MillraceError } from '../base/errors.ts';

/** Knows which GTIDs MySQL's binlog holds up to a place. */
export interface PositionCounter extends AsyncDisposable {
  /** The set of all transactions that end at or before `end`, which must lie between two transactions; places must not go back. */
  gtidsAt(end: BinlogPlace, signal: AbortSignal): Promise<GtidSet>;
}

export async function openPositionCounter(_settings: ConnectionSettings, _signal: AbortSignal): Promise<PositionCounter> {
  throw new MillraceError('INTERNAL', 'not built yet');
}
