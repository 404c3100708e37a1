import { DuckDBInstance } from '@duckdb/node-api';

/** Writes the rows of a query of DuckDB's as a Parquet file. */
export async function writeParquet(file: string, query: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`);
  connection.disconnectSync();
  instance.closeSync();
}
