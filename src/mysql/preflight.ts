import { isMillraceError } from '../base/errors.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import { isAtLeast } from '../binlog/server-version.ts';
import { fail, ok, warn, type PreflightResult, type PreflightScope } from './preflight-result.ts';
import { checkPrivileges, readGrants } from './preflight-privileges.ts';
import { checkSettings } from './preflight-settings.ts';
import { checkTables } from './preflight-tables.ts';
import { refusePrepared } from './prepared-transactions.ts';
import type { SourceConfig } from './source-config.ts';

/**
 * Looks whether a server, and the user, can be replicated from as configured. Changes nothing on the server.
 *
 * @throws MYSQL_UNREACHABLE
 */
export async function runPreflight(connection: ServerConnection, config: SourceConfig, signal: AbortSignal): Promise<PreflightResult[]> {
  const variables = new Map((await connection.query('SHOW GLOBAL VARIABLES', signal)).map((row) => [row[0] ?? '', row[1] ?? '']));
  const scope: PreflightScope = {
    connection,
    config,
    variable: (name) => variables.get(name),
    async ask(sql) {
      try {
        return await connection.query(sql, signal);
      } catch (error) {
        if (isMillraceError(error, 'MYSQL_QUERY_FAILED') || isMillraceError(error, 'MYSQL_PRIVILEGE_MISSING')) return undefined;
        throw error;
      }
    },
  };
  const version = checkVersion(scope);
  if (version.some(({ status }) => status === 'fail')) return version;
  const grants = await readGrants(scope);
  return [
    ...version,
    ...(await checkSettings(scope)),
    ...checkPrivileges(scope, grants),
    ...(await checkServerId(scope)),
    ...(await checkPrepared(scope, signal)),
    ...(await checkTables({ scope, grants }, signal)),
  ];
}

function checkVersion({ connection: { version }, config }: PreflightScope): PreflightResult[] {
  const check = 'server version';
  const names = { mysql: 'MySQL', mariadb: 'MariaDB' };
  if (version.flavor !== config.flavor) {
    const connector =
      version.flavor === 'mysql' ? 'io.debezium.connector.mysql.MySqlConnector' : 'io.debezium.connector.mariadb.MariaDbConnector';
    return [
      fail(
        check,
        `the connector is for ${names[config.flavor]}, the server is ${names[version.flavor]} ${version.text}`,
        `"connector.class": "${connector}"`,
      ),
    ];
  }
  const oldest = version.flavor === 'mysql' ? isAtLeast(version, 5, 7) : isAtLeast(version, 10, 2, 7);
  const known = version.flavor === 'mysql' ? isAtLeast(version, 8, 0) : isAtLeast(version, 10, 5);
  const text = `${names[version.flavor]} ${version.text}`;
  if (!oldest) {
    return [fail(check, `${text} is too old`, `upgrade to ${version.flavor === 'mysql' ? 'MySQL 8.0' : 'MariaDB 10.6'} or newer`)];
  }
  return known ? [ok(check, text)] : [warn(check, `${text} is past its end of life, and not tested`)];
}

async function checkServerId({ ask, variable, config, connection: { version } }: PreflightScope): Promise<PreflightResult[]> {
  const check = 'server_id';
  const own = variable('server_id');
  if (own === '0') {
    return [fail(check, 'the server has no id: it serves no replica', `SET GLOBAL server_id = 1  -- and in the server's option file`)];
  }
  if (own === String(config.serverId)) {
    return [
      fail(
        check,
        `database.server.id ${config.serverId} is the server's own id`,
        '"database.server.id": another number, of no server or replica',
      ),
    ];
  }
  const modern = version.flavor === 'mysql' && isAtLeast(version, 8, 0, 22);
  const replicas = await ask(modern ? 'SHOW REPLICAS' : 'SHOW SLAVE HOSTS');
  const same = replicas?.find((row) => row[0] === String(config.serverId));
  if (same === undefined) return [ok(check, `${config.serverId} is free, the server is ${own ?? 'unknown'}`)];
  // Our own reader shows itself under this name, MariaDB under none.
  if (same[1] === 'millrace' || same[1] === '') {
    return [
      warn(
        check,
        `a replica ${config.serverId} is connected, which looks like Millrace: if it is not this connector, one of the two needs another id`,
        '"database.server.id": another number',
      ),
    ];
  }
  return [
    fail(
      check,
      `replica ${same[1] ?? ''} is connected with the id ${config.serverId}: each would end the other's connection`,
      '"database.server.id": another number, of no server or replica',
    ),
  ];
}

async function checkPrepared({ connection }: PreflightScope, signal: AbortSignal): Promise<PreflightResult[]> {
  const check = 'XA transactions';
  const error = await refusePrepared(connection, signal);
  if (error === undefined) return [ok(check, 'none is prepared, as far as the user may see')];
  return [warn(check, `${error.message}: a snapshot waits for them`, error.nextStep)];
}
