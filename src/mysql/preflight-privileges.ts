import { fail, ok, warn, type PreflightResult, type PreflightScope } from './preflight-result.ts';
import { parseGrants, type Grants } from './preflight-grants.ts';

/** The user's grants, those of the active roles among them. */
export async function readGrants({ ask, connection: { version } }: PreflightScope): Promise<Grants> {
  const role = (await ask('SELECT CURRENT_ROLE()'))?.[0]?.[0];
  const active = version.flavor === 'mysql' && role !== undefined && role !== null && role !== 'NONE';
  const rows = (active ? await ask(`SHOW GRANTS FOR CURRENT_USER() USING ${role}`) : undefined) ?? (await ask('SHOW GRANTS')) ?? [];
  return parseGrants(rows.map((row) => row[0] ?? ''));
}

/** The privileges on the server as a whole; those on tables are `checkTables`' matter. */
export function checkPrivileges(scope: PreflightScope, { global, roles }: Grants): PreflightResult[] {
  const { connection, config, variable } = scope;
  const mariadb = connection.version.flavor === 'mariadb';
  const user = `'${config.server.user}'@'%'`;
  const has = (...names: readonly string[]): boolean => global.has('SUPER') || names.some((name) => global.has(name));
  const inactive = roles.length === 0 ? '' : ` (granted roles: ${roles.join(', ')}; one that is not active by default does not count)`;
  const results: PreflightResult[] = [];

  // SUPER does not stand for REPLICATION SLAVE.
  const slave = global.has('REPLICATION SLAVE') || global.has('REPLICATION REPLICA');
  results.push(
    slave
      ? ok('REPLICATION SLAVE', 'the user may read the binlog')
      : fail('REPLICATION SLAVE', `the user may not read the binlog${inactive}`, `GRANT REPLICATION SLAVE ON *.* TO ${user}`),
  );
  const client = has('REPLICATION CLIENT', 'BINLOG MONITOR');
  const clientName = mariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
  results.push(
    client
      ? ok(clientName, "the user may ask for the binlog's position")
      : fail(clientName, `the user may not ask for the binlog's position${inactive}`, `GRANT ${clientName} ON *.* TO ${user}`),
  );
  if (mariadb) {
    results.push(ok('RELOAD', "not needed: MariaDB's consistent snapshot names its own position"));
    return results;
  }
  const gtids = variable('gtid_mode') === 'ON';
  const reload = global.has('RELOAD') || global.has('FLUSH_TABLES');
  if (reload) results.push(ok('RELOAD', 'the user may take the lock that makes the first snapshot quick under load'));
  else if (gtids) {
    results.push(
      warn(
        'RELOAD',
        'without it a snapshot waits for moments at which its position is known by GTID, which takes longer under load',
        `GRANT RELOAD ON *.* TO ${user}`,
      ),
    );
  } else {
    results.push(
      fail(
        'RELOAD',
        `without it and without GTIDs no snapshot knows its position${inactive}`,
        `GRANT RELOAD ON *.* TO ${user}  -- or gtid_mode = ON`,
      ),
    );
  }
  results.push(
    has('XA_RECOVER_ADMIN')
      ? ok('XA_RECOVER_ADMIN', 'prepared transactions are seen')
      : warn(
          'XA_RECOVER_ADMIN',
          'without it a snapshot does not see prepared XA transactions, whose rows it would miss',
          `GRANT XA_RECOVER_ADMIN ON *.* TO ${user}`,
        ),
  );
  return results;
}
