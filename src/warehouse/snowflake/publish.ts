import { recordKey, type TableRecord } from '../table-record.ts';
import { qualified, type TablePlace } from './sql-text.ts';
import { livePlace, tableWord, type UnitPlan } from './unit-plan.ts';

/**
 * Plans that a table of Millrace's own becomes what readers see: by one statement, with the rights that the table before it
 * had. Rows that come after this in the unit go there, too.
 */
export function publish(plan: UnitPlan, record: TableRecord, from: TablePlace): void {
  const { sink } = plan;
  const key = recordKey(record);
  // a clone, since SWAP would leave the rights with the old table; a new table has those that its schema gives
  const rights = record.live === undefined ? '' : ' COPY GRANTS';
  const step = { sql: `CREATE OR REPLACE ${tableWord(sink)} ${qualified(livePlace(sink, record))} CLONE ${qualified(from)}${rights}` };
  const before = plan.published.get(key);
  if (before === undefined) plan.published.set(key, plan.redo.push(step) - 1);
  else plan.redo[before] = step;
  plan.hidden.set(key, from);
  plan.leftovers.push(from);
}
