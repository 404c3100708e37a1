import { isMillraceError, MillraceError } from '../base/errors.ts';
import { SnowflakeReader, type ReadTable } from '../warehouse/snowflake/reader.ts';
import type { SnowflakeSinkConfig } from '../warehouse/snowflake/sink-config.ts';
import type { SnowflakeStore } from '../warehouse/snowflake/store.ts';
import type { ReplicaTable } from '../worker/thread-messages.ts';
import { asReplicaTable, asRowCount, type ReadWarehouse } from './read-warehouse.ts';

/** The replica of a sink in Snowflake. `store`: of the task that is open, or was last. */
export function readSnowflake(store: () => SnowflakeStore | undefined, method: () => SnowflakeSinkConfig['pin']): ReadWarehouse {
  const opened = (): SnowflakeStore => {
    const found = store();
    if (found === undefined) throw new MillraceError('WORKER_REFUSED', 'The sink is not open yet.', { retriable: true });
    return found;
  };
  const reader = new SnowflakeReader(opened, method);
  return {
    query: (sql, maxRows) => asAnswer(reader.query(sql, maxRows)),
    async rowCounts() {
      try {
        return (await reader.counts()).map(asRowCount);
      } catch (error) {
        // the sink's own state tells why; the other sinks are to be seen meanwhile
        if (isMillraceError(error)) return [];
        throw error;
      }
    },
    tables: (connector) => reader.tables.flatMap((table) => (table.record.connector === connector ? (asTable(table) ?? []) : [])),
    async pin(source, tables) {
      const pin = await reader.pin(source, tables);
      return {
        query: (sql) => pin.query(sql),
        table(key) {
          const found = pin.table(key);
          return Promise.resolve(found === undefined ? undefined : asTable(found));
        },
        [Symbol.asyncDispose]: () => pin[Symbol.asyncDispose](),
      };
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

async function asAnswer(answer: ReturnType<SnowflakeReader['query']>): ReturnType<ReadWarehouse['query']> {
  const { columns, types, rows, truncated } = await answer;
  return { columns: columns.map((name, index) => ({ name, type: types[index] ?? '' })), rows, truncated };
}

function asTable({ record, columns, place, statement }: ReadTable): ReplicaTable | undefined {
  const table = asReplicaTable(record);
  if (table === undefined) return undefined;
  const where = { replicaColumns: columns, replicaSchema: place.schema, replicaName: place.table };
  return { ...table, ...where, ...(statement === undefined ? {} : { statement }) };
}
