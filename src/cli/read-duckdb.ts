import type { Replica } from '../warehouse/duckdb/replica.ts';
import { asReplicaTable, asRowCount, type ReadWarehouse } from './read-warehouse.ts';

/** The replica in a DuckDB file, which has its one instance in this thread. */
export function readDuckDb(replica: Replica): ReadWarehouse {
  return {
    query: (sql, maxRows, signal) => replica.query(sql, { maxRows }, signal),
    rowCounts: async () => (await replica.status()).map(asRowCount),
    tables: (connector) => replica.tables(connector).flatMap((record) => asReplicaTable(record) ?? []),
    async pin() {
      const reader = await replica.pin();
      return {
        query: (sql, signal) => reader.query(sql, signal),
        async table(key) {
          const record = await reader.record(key);
          return record === undefined ? undefined : asReplicaTable(record);
        },
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
