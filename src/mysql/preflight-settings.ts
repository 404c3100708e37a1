import { isAtLeast } from '../binlog/server-version.ts';
import { fail, ok, warn, type PreflightResult, type PreflightScope } from './preflight-result.ts';

/** The server's settings about its binlog. */
export async function checkSettings(scope: PreflightScope): Promise<PreflightResult[]> {
  const logBin = checkLogBin(scope);
  if (logBin.status === 'fail') return [logBin];
  return [
    logBin,
    ...checkFormat(scope),
    ...checkImage(scope),
    ...checkMetadata(scope),
    ...(await checkRetention(scope)),
    ...checkGtids(scope),
    ...(await checkReplica(scope)),
    ...(await checkFilters(scope)),
    ...(await checkTimeZones(scope)),
  ];
}

/** SET PERSIST where there is one; else SET GLOBAL, which a restart forgets. */
function set({ connection: { version } }: PreflightScope, assignment: string): string {
  if (version.flavor === 'mysql' && isAtLeast(version, 8, 0)) return `SET PERSIST ${assignment}`;
  return `SET GLOBAL ${assignment}  -- and in the server's option file`;
}

function checkLogBin({ variable }: PreflightScope): PreflightResult {
  if (variable('log_bin') === 'ON') return ok('log_bin', 'the server writes a binlog');
  const managed = isRds(variable)
    ? 'switch automated backups on, which switches the binlog on'
    : "log_bin = binlog  -- in the server's option file under [mysqld], then restart it";
  return fail('log_bin', 'the server writes no binlog: there is nothing to follow', managed);
}

function checkFormat(scope: PreflightScope): PreflightResult[] {
  const { variable } = scope;
  const format = variable('binlog_format') ?? 'ROW';
  const results = [
    format === 'ROW'
      ? ok('binlog_format', 'ROW')
      : fail(
          'binlog_format',
          `${format}: changes are written as statements, whose rows are not known`,
          `${set(scope, "binlog_format = 'ROW'")}; then reconnect all clients, which keep theirs`,
        ),
  ];
  const options = variable('binlog_row_value_options') ?? '';
  if (options.toUpperCase().includes('PARTIAL_JSON')) {
    results.push(
      fail(
        'binlog_row_value_options',
        'PARTIAL_JSON: JSON columns come as differences, which this version does not apply',
        set(scope, "binlog_row_value_options = ''"),
      ),
    );
  }
  if (variable('binlog_alter_two_phase') === 'ON') {
    results.push(
      fail(
        'binlog_alter_two_phase',
        'ON: an ALTER TABLE is in the binlog before it is known to succeed',
        set(scope, 'binlog_alter_two_phase = OFF'),
      ),
    );
  }
  return results;
}

function checkImage(scope: PreflightScope): PreflightResult[] {
  const check = 'binlog_row_image';
  const image = (scope.variable(check) ?? 'FULL').toUpperCase();
  if (image === 'FULL') return [ok(check, 'FULL')];
  const repair = set(scope, "binlog_row_image = 'FULL'");
  switch (image) {
    case 'MINIMAL':
      return [
        warn(
          check,
          'MINIMAL: the replica is exact, but events lack the values that did not change, and those of columns that an INSERT left to their defaults',
          repair,
        ),
      ];
    case 'NOBLOB':
      return [warn(check, 'NOBLOB: the replica is exact, but events lack TEXT and BLOB values that did not change', repair)];
    default:
      return [warn(check, `${image}: events lack the values that did not change`, repair)];
  }
}

function checkMetadata(scope: PreflightScope): PreflightResult[] {
  const check = 'binlog_row_metadata';
  const metadata = scope.variable(check);
  if (metadata === undefined) return [];
  if (metadata.toUpperCase() === 'FULL') return [ok(check, 'FULL')];
  const text = `${metadata}: works, since Millrace follows every ALTER TABLE; with FULL the events themselves confirm the columns' names and types`;
  return [warn(check, text, set(scope, "binlog_row_metadata = 'FULL'"))];
}

const hour = 3600;
const day = 24 * hour;

async function checkRetention(scope: PreflightScope): Promise<PreflightResult[]> {
  const { variable, ask } = scope;
  const check = 'binlog retention';
  const results: PreflightResult[] = [];
  if (isRds(variable)) {
    const row = (await ask("SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'"))?.[0];
    const repair = "CALL mysql.rds_set_configuration('binlog retention hours', 168)";
    if (row?.[0] === null) {
      return [warn(check, 'the service removes binlogs as soon as it can: after a pause of minutes a new snapshot may be needed', repair)];
    }
    if (row !== undefined) return [retention({ check, seconds: Number(row[0]) * hour, repair })];
    return [
      warn(
        check,
        'a managed server has a retention of its own, which the user may not see',
        `CALL mysql.rds_show_configuration; ${repair}`,
      ),
    ];
  }
  const seconds = variable('binlog_expire_logs_seconds');
  const days = Number(variable('expire_logs_days') ?? 0);
  const automatic = variable('binlog_expire_logs_auto_purge') !== 'OFF';
  const effective = Number(seconds ?? 0) > 0 ? Number(seconds) : days * day;
  const repair = seconds === undefined ? set(scope, 'expire_logs_days = 7') : set(scope, 'binlog_expire_logs_seconds = 604800');
  if (!automatic || effective === 0) results.push(ok(check, 'binlogs are kept until somebody removes them'));
  else results.push(retention({ check, seconds: effective, repair }));
  for (const name of ['max_binlog_total_size', 'binlog_space_limit']) {
    const bytes = Number(variable(name) ?? 0);
    if (bytes > 0) {
      const text = `binlogs are removed beyond ${Math.round(bytes / 1048576)} MiB, however new: under load that may be a short time`;
      results.push(warn(name, text, set(scope, `${name} = 0`)));
    }
  }
  return results;
}

interface Retention {
  readonly check: string;
  readonly seconds: number;
  readonly repair: string;
}

function retention({ check, seconds, repair }: Retention): PreflightResult {
  const kept = seconds >= 2 * day ? `${Math.round(seconds / day)} days` : `${Math.round((seconds / hour) * 10) / 10} hours`;
  if (seconds >= 3 * day) return ok(check, `binlogs are kept for ${kept}`);
  return warn(check, `binlogs are kept for ${kept}: a longer pause needs a new snapshot`, repair);
}

function isRds(variable: PreflightScope['variable']): boolean {
  return (variable('basedir') ?? '').startsWith('/rdsdbbin') || variable('aurora_version') !== undefined;
}

function checkGtids({ variable, connection: { version } }: PreflightScope): PreflightResult[] {
  if (version.flavor === 'mariadb') return [ok('gtid', 'MariaDB always has GTIDs')];
  const mode = variable('gtid_mode') ?? 'OFF';
  if (mode === 'ON') return [ok('gtid_mode', 'ON')];
  const steps = ['enforce_gtid_consistency = ON', 'gtid_mode = OFF_PERMISSIVE', 'gtid_mode = ON_PERMISSIVE', 'gtid_mode = ON'];
  const order = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];
  const consistent = variable('enforce_gtid_consistency') === 'ON';
  const left = steps.filter((step) => (step.startsWith('enforce') ? !consistent : order.indexOf(step.slice(12)) > order.indexOf(mode)));
  const repair = left.map((step) => `SET PERSIST ${step}`).join('; ');
  return [
    warn(
      'gtid_mode',
      `${mode}: works by file and position; after a fail-over to another server a new snapshot is needed, and snapshots need a lock`,
      repair,
    ),
  ];
}

/** A server that is a replica itself must write what it gets from its own source. */
async function checkReplica(scope: PreflightScope): Promise<PreflightResult[]> {
  const { ask, variable, connection } = scope;
  const { version } = connection;
  const name = variable('log_replica_updates') === undefined ? 'log_slave_updates' : 'log_replica_updates';
  if (variable(name) !== 'OFF') return [];
  const modern = version.flavor === 'mysql' && isAtLeast(version, 8, 0, 22);
  const sources = await ask(version.flavor === 'mariadb' ? 'SHOW ALL SLAVES STATUS' : modern ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS');
  // Whoever may not ask that sees at least how many sources are being followed now.
  const running = sources === undefined ? (await ask("SHOW GLOBAL STATUS LIKE 'Slaves_running'"))?.[0]?.[1] : undefined;
  if (sources?.length === 0 || running === '0') return [];
  return [
    (sources === undefined ? warn : fail)(
      name,
      'OFF: what this server replicates from another one is not in its binlog',
      `${name} = ON  -- in the server's option file, then restart it`,
    ),
  ];
}

/** binlog_do_db and binlog_ignore_db keep whole databases out of the binlog. */
async function checkFilters({ ask, connection: { version } }: PreflightScope): Promise<PreflightResult[]> {
  const modern = version.flavor === 'mysql' && isAtLeast(version, 8, 2);
  const row = (await ask(modern ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS'))?.[0];
  const [only, ignored] = [row?.[2] ?? '', row?.[3] ?? ''];
  if (only === '' && ignored === '') return [];
  const text = only === '' ? `the databases ${ignored} are not in the binlog` : `only the databases ${only} are in the binlog`;
  return [
    warn(
      'binlog filters',
      `${text}: changes of captured tables may be missing`,
      "remove binlog_do_db and binlog_ignore_db from the server's option file, then restart it",
    ),
  ];
}

async function checkTimeZones({ ask }: PreflightScope): Promise<PreflightResult[]> {
  const check = 'time zone tables';
  const row = (await ask("SELECT CONVERT_TZ('2020-07-01 12:00:00', 'UTC', 'Europe/Berlin')"))?.[0];
  if (row?.[0] !== null && row?.[0] !== undefined) return [ok(check, 'loaded')];
  const text = 'not loaded: Millrace itself uses UTC only, but statements that name a zone fail';
  return [warn(check, text, 'mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql -u root mysql')];
}
