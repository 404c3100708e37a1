import type { OpenContractWarehouse } from './contract-warehouse.fixture.ts';
import { testCuts } from './cut.contract.ts';
import { testRandomHistories } from './random-history.contract.ts';
import { testSchemaChanges } from './schema-change.contract.ts';
import { testSinkTask } from './sink-task.contract.ts';

/** The suite that every warehouse passes; `seeds` is how many random histories are played. */
export function testWarehouse(name: string, open: OpenContractWarehouse, { seeds }: { readonly seeds: number }): void {
  testSinkTask(name, open);
  testCuts(name, open);
  testSchemaChanges(name, open);
  testRandomHistories(name, open, seeds);
}
