import snowflake, { type Connection, type ConnectionOptions, type RowStatement, type StatementOption } from 'snowflake-sdk';

snowflake.configure({ logLevel: 'OFF', additionalLogToConsole: false });

export type Row = Readonly<Record<string, unknown>>;

/** A connection of the official driver with promises. */
export interface Driver extends AsyncDisposable {
  readonly connection: Connection;
  rows(sqlText: string, options?: Partial<StatementOption>): Promise<readonly Row[]>;
  run(sqlText: string, options?: Partial<StatementOption>): Promise<RowStatement>;
  /** The first column of the first row. */
  value(sqlText: string, options?: Partial<StatementOption>): Promise<unknown>;
}

const password = { username: 'MILLRACE', password: 'secret' };

/** Numbers come as texts, NULL as null. */
export async function connectDriver(
  service: { readonly url: string; readonly account: string },
  options: Partial<ConnectionOptions> = {},
): Promise<Driver> {
  const connection = snowflake.createConnection({
    account: service.account,
    accessUrl: service.url,
    database: 'MILLRACE',
    schema: 'PUBLIC',
    fetchAsString: ['Number'],
    representNullAsStringNull: false,
    ...(options.authenticator === undefined && options.username === undefined ? password : {}),
    ...options,
  });
  // Its promise resolves after a refused login, too: the callback alone is told of the error.
  await new Promise<void>((resolve, reject) => {
    void connection.connectAsync((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
  const execute = async (sqlText: string, given: Partial<StatementOption>): Promise<{ rows: readonly Row[]; statement: RowStatement }> =>
    new Promise((resolve, reject) => {
      connection.execute({
        ...given,
        sqlText,
        complete: (error, statement, rows) => {
          if (error !== undefined && error !== null) reject(error);
          else resolve({ rows: (rows as readonly Row[] | undefined) ?? [], statement: statement });
        },
      });
    });
  return {
    connection,
    rows: async (sqlText, given = {}) => (await execute(sqlText, given)).rows,
    run: async (sqlText, given = {}) => (await execute(sqlText, given)).statement,
    value: async (sqlText, given = {}) => Object.values((await execute(sqlText, given)).rows[0] ?? {})[0],
    async [Symbol.asyncDispose]() {
      if (!connection.isUp()) return;
      await new Promise<void>((resolve) => {
        connection.destroy(() => resolve());
      });
    },
  };
}
