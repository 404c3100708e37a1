import { inOrder, type OpenContractWarehouse } from '../contract-warehouse.fixture.ts';
import { testWarehouse } from '../warehouse.contract.ts';
import { literal, qualified } from './session.ts';
import { openWarehouse } from './warehouse.fixture.ts';

const open: OpenContractWarehouse = async (options) => {
  const warehouse = await openWarehouse(options);
  return {
    task: warehouse.task,
    resync: warehouse.resync,
    openTask: (more) => warehouse.openTask(more),
    async read(database, table) {
      const found = await warehouse.rows(
        `SELECT count(*) FROM duckdb_tables() WHERE schema_name = ${literal(database)} AND table_name = ${literal(table)}`,
      );
      return found[0]?.[0] === '0' ? undefined : inOrder(await warehouse.rows(`SELECT * FROM ${qualified(database, table)}`));
    },
    leftovers: async () =>
      (await warehouse.rows(`SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%millrace%'`)).map(([name]) => name ?? ''),
    [Symbol.asyncDispose]: () => warehouse[Symbol.asyncDispose](),
  };
};

testWarehouse('DuckDB', open, { seeds: 4 });
