import type { SinkTask } from '../connect/tasks.ts';
import type { SinkTaskOptions } from './sink-task.ts';
import type { InvalidTemporal } from './table-record.ts';

/** What tests of the contract say of a sink; the rest is the warehouse's. */
export interface ContractOptions {
  readonly connector: string;
  readonly logId: string;
  readonly nameFormat: string;
  readonly nameMap: string;
  readonly invalidTemporal: InvalidTemporal;
  readonly task: Partial<SinkTaskOptions>;
}

/** A warehouse of its own, with an open sink task. */
export interface ContractWarehouse extends AsyncDisposable {
  readonly task: SinkTask;
  readonly resync: readonly { readonly table: string; readonly reason: string }[];
  /** Another task on the same warehouse. */
  openTask(options?: Partial<ContractOptions>): Promise<SinkTask>;
  /**
   * Rows of a table, by its name at the source, as readers see them: values as text, in the order of their numbers, else of
   * their texts, NULL last. Undefined when readers see no such table.
   */
  read(database: string, table: string): Promise<readonly (readonly (string | null)[])[] | undefined>;
  /** Names of Millrace's own tables that are not needed any more. */
  leftovers(): Promise<readonly string[]>;
}

export type OpenContractWarehouse = (options?: Partial<ContractOptions>) => Promise<ContractWarehouse>;

/** Brings rows of text into the order of `ContractWarehouse.read`. */
export function inOrder(rows: readonly (readonly (string | null)[])[]): readonly (readonly (string | null)[])[] {
  const compare = (a: string | null | undefined, b: string | null | undefined): number => {
    if (a === b) return 0;
    if (a === null || a === undefined) return 1;
    if (b === null || b === undefined) return -1;
    return Number(a) - Number(b) || (a < b ? -1 : 1);
  };
  return rows.toSorted((a, b) => a.map((cell, index) => compare(cell, b[index])).find((order) => order !== 0) ?? 0);
}
