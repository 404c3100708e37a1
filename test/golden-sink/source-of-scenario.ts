import { createConnection, type Connection } from 'mysql2/promise';
import type { SharedServer } from '../servers/shared.ts';
import { sessionSettings } from '../golden/session-settings.ts';
import { splitStatements } from '../golden/statements.ts';
import type { RecordedFiles } from './recorded-files.ts';

/** Runs the SQL of a scenario; its databases are dropped when disposed. */
export async function runSql(files: RecordedFiles, server: SharedServer): Promise<AsyncDisposable> {
  const connect = async (): Promise<Connection> => {
    const connection = await createConnection({ uri: server.root.url, charset: 'utf8mb4' });
    for (const statement of sessionSettings[files.flavor]) await connection.query(statement);
    return connection;
  };
  const drop = async (): Promise<void> => {
    const connection = await connect();
    for (const database of files.databases) await connection.query(`DROP DATABASE IF EXISTS \`${database}\``);
    await connection.end();
  };
  await drop();
  for (const text of [files.setup, files.stream]) {
    let session = await connect();
    for (const step of splitStatements(text)) {
      // a statement that fails is meant to fail
      if (step.kind === 'sql') await session.query(step.sql).catch(() => undefined);
      else if (step.verb === 'reconnect') {
        await session.end();
        session = await connect();
      }
    }
    await session.end();
  }
  return { [Symbol.asyncDispose]: drop };
}
