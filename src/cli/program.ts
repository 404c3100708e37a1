/** The command line: what there is, what it takes. Each command's file is loaded when it runs. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { createConnectorsProgram } from './connectors-program.ts';
import type { DemoOptions } from './demo/demo-command.ts';
import type { DoctorOptions } from './doctor-command.ts';
import type { ImportOptions } from './import-command.ts';
import type { QueryOptions } from './query-command.ts';
import type { ResyncOptions } from './resync-command.ts';
import type { SignalOptions } from './signal-command.ts';
import type { RunOptions } from './run-command.ts';
import type { SnowflakeSqlOptions } from './snowflake-sql-command.ts';
import type { StatusOptions } from './status-command.ts';
import type { TailOptions } from './tail-command.ts';
import type { VerifyOptions } from './verify-command.ts';
import { readVersion } from './version.ts';
import type { WorkerCommandOptions } from './worker-command.ts';

const exitCodeHelp = `
Exit codes: 0 done, equal, sound; 1 failed, different; 2 could not tell or could not begin (usage, configuration, no worker).`;

export function createProgram(): Command {
  const program = new Command('millrace')
    .description('Replicates MySQL and MariaDB into DuckDB in real time, transaction by transaction, and proves that both are equal.')
    .version(readVersion(), '-V, --version')
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      `${examples(
        ['millrace demo', 'a private server, a shop, a workload, a proof'],
        ['millrace run source.json sink.json', 'replicate until Ctrl-C'],
        ['millrace verify', 'compare source and replica of the running worker'],
        ['millrace query "SELECT count(*) FROM shop.orders"', 'look into the replica while it is fed'],
        ['millrace doctor source.json', 'is the server ready? what repairs it?'],
      )}${exitCodeHelp}`,
    );
  addDemo(program);
  addRun(program);
  addWorker(program);
  addVerify(program);
  addQuery(program);
  addTail(program);
  addImport(program);
  addDoctor(program);
  addResync(program);
  addSignal(program);
  addSnowflakeSql(program);
  addStatus(program);
  program.addCommand(createConnectorsProgram(examples));
  // Errors of usage end in main.ts, which knows the exit code.
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program;
}

function addDemo(program: Command): void {
  program
    .command('demo')
    .summary('show it all on a private server')
    .description(
      'Starts a private MySQL or MariaDB server (or takes the one at MILLRACE_MYSQL_URL), fills a shop, replicates it into DuckDB\nwhile a workload runs, and verifies that both are equal. All that it makes is in one folder; it can be run on it again.',
    )
    .option('--data <folder>', 'where everything goes', 'millrace-demo')
    .option('--seconds <n>', 'how long the workload runs', wholeNumber(1), 30)
    .option('--rows <n>', 'rows that the shop is filled with, about', wholeNumber(1000), 200_000)
    .option('--flavor <name>', 'mysql or mariadb; the private server', oneOf('mysql', 'mariadb'))
    .option('--to <warehouse>', 'duckdb, or snowflake: an emulator of it, in a checkout', oneOf('duckdb', 'snowflake'), 'duckdb')
    .addHelpText(
      'after',
      examples(
        ['millrace demo'],
        ['millrace demo --seconds 300 --rows 2000000'],
        ['millrace demo --to snowflake'],
        ['MILLRACE_MYSQL_URL=mysql://root:pw@127.0.0.1:3306 millrace demo'],
      ),
    )
    .action(async (options: DemoOptions) => (await import('./demo/demo-command.ts')).demoCommand(options));
}

function addRun(program: Command): void {
  const command = withData(program.command('run'))
    .argument('<config...>', 'connector files in Kafka Connect form: {"name", "config"}')
    .summary('replicate')
    .description(
      'Runs sources and sinks until SIGTERM or Ctrl-C: then the sources stop, the sinks commit what the log holds, exit code 0.\nStarted again, it goes on where the data says.',
    )
    .option('--until-caught-up', 'end when all that the servers had written at the start is committed in the replica')
    .option('--log-max-bytes <bytes>', 'most that the log holds; sources wait beyond it', byteCount, 20e9)
    .option('--log-retention-bytes <bytes>', 'what the log keeps though all sinks have committed it, per source', byteCount, 2e9)
    .option('--log-retention-hours <n>', 'how long it keeps it', wholeNumber(0), 168)
    .addOption(
      new Option('--log-level <level>', 'what is told on standard error').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .addOption(new Option('--log-format <format>', 'how').choices(['text', 'json']).default('text'));
  command
    .addHelpText(
      'after',
      `${examples(
        ['millrace run source.json sink.json'],
        ['millrace run --data /var/lib/millrace conf/*.json', 'a folder of its own'],
        ['millrace run --until-caught-up source.json sink.json', 'for scripts: ends by itself'],
      )}
A source: {"name": "shop", "config": {"connector.class": "io.debezium.connector.mysql.MySqlConnector", "database.hostname": "db",
  "database.user": "millrace", "database.password": "\${env:DB_PASSWORD}", "topic.prefix": "shop", "database.include.list": "shop"}}
A sink:   {"name": "duck", "config": {"connector.class": "io.millrace.DuckDbSinkConnector", "topics.regex": "shop\\\\..*",
  "duckdb.file": "shop.duckdb"}}`,
    )
    .action(async (files: string[], options: RunOptions) => (await import('./run-command.ts')).runCommand(files, options));
}

function addWorker(program: Command): void {
  program
    .command('worker')
    .argument('[files...]', 'worker.properties, then connector files (.json, .properties), as connect-standalone takes them')
    .summary('the service, with the REST API of Kafka Connect')
    .description(
      'Runs connectors that come and go over REST (listeners, http://127.0.0.1:8083 by default), and those of the files given, until\nSIGTERM: then the sources stop, the sinks commit what the log holds, exit code 0. Started again, all are there as they were.\nA connector that fails ends alone.',
    )
    .option('--data <folder>', 'folder of the worker: log, configurations, offsets, lock (millrace.data, else millrace-data)')
    .addOption(new Option('--log-level <level>', 'what is told on standard error').choices(['debug', 'info', 'warn', 'error']))
    .addOption(new Option('--log-format <format>', 'how').choices(['text', 'json']))
    .addHelpText(
      'after',
      examples(
        ['millrace worker'],
        ['millrace worker worker.properties --data /var/lib/millrace'],
        ['millrace worker worker.properties shop.json duck.properties', 'with connectors to begin with'],
      ),
    )
    .action(async (files: string[], options: WorkerCommandOptions) => (await import('./worker-command.ts')).workerCommand(files, options));
}

function addVerify(program: Command): void {
  withData(program.command('verify'))
    .argument('[config...]', 'connector files, when no worker runs')
    .summary('compare source and replica')
    .description(
      'Compares every replicated table, row by row and value by value, at one and the same source position, while both stay live.\nExit code 0 equal, 1 different, 2 could not tell.',
    )
    .option('--table <database.table...>', 'only these tables')
    .option('--one-position', 'all tables at the same position; holds one read view on the server for as long as it takes')
    .option('--max-differences <n>', 'rows named per table', wholeNumber(0), 20)
    .option('--json', 'the report as JSON: {"position", "tables": [{"table", "rows", "equal", "differences"}]}')
    .addHelpText(
      'after',
      examples(
        ['millrace verify'],
        ['millrace verify source.json sink.json', 'no worker needed'],
        ['millrace verify --table shop.orders --json'],
      ),
    )
    .action(async (files: string[], options: VerifyOptions) => (await import('./verify-command.ts')).verifyCommand(files, options));
}

function addQuery(program: Command): void {
  withData(program.command('query'))
    .argument('<sql>', "a statement of DuckDB's SQL that reads; of Snowflake's, a SELECT")
    .summary('SQL on the replica')
    .description('Asks the replica: through the running worker, which holds the file, or the file itself when none runs.')
    .option('--file <file>', 'the DuckDB file, where there are several or no worker')
    .option('--sink <connector>', 'the replica of this sink, where there are several; needs the worker')
    .option('--limit <n>', 'rows shown at most', wholeNumber(1), 1000)
    .option('--json', 'a JSON object per row and line')
    .addHelpText(
      'after',
      examples(
        ['millrace query "SELECT status, count(*) FROM shop.orders GROUP BY ALL"'],
        ['millrace query --json "FROM shop.customers LIMIT 3"'],
        ['millrace query "SHOW ALL TABLES"'],
      ),
    )
    .action(async (sql: string, options: QueryOptions) => (await import('./query-command.ts')).queryCommand(sql, options));
}

function addTail(program: Command): void {
  withData(program.command('tail'))
    .argument('[topic...]', 'names of topics: prefix.database.table')
    .summary("the log's records, as Debezium writes them")
    .description(
      'Prints the records of topics from the first that the log still has to its end, and on with --follow. A worker may run or not.',
    )
    .option('--all', 'all topics')
    .option('--follow', 'go on as records come')
    .option('--json', 'a line per record: {"topic", "partition", "offset", "key", "value", "headers"}')
    .addHelpText('after', examples(['millrace tail --all --follow'], ['millrace tail shop.shop.orders --json | jq .value.payload.after']))
    .action(async (topics: string[], options: TailOptions) => (await import('./tail-command.ts')).tailCommand(topics, options));
}

function addImport(program: Command): void {
  withData(program.command('import'))
    .argument('<events.jsonl...>', 'files of records, a line each')
    .requiredOption('--prefix <prefix>', 'topic.prefix of the connector that wrote them')
    .option('--config <connector.json>', 'the configuration of that connector, which says how it wrote values')
    .summary('records that a Debezium wrote into the log')
    .description(
      'Takes lines as `millrace tail --json` prints them, of tables and of the schema-change topic or the schema history, and appends them to the log for sinks. No worker may run on the data folder. It can be repeated: records that are there are passed over.',
    )
    .addHelpText('after', examples(['millrace import events.jsonl --prefix shop', 'millrace run sink.json']))
    .action(async (files: string[], options: ImportOptions) => (await import('./import-command.ts')).importCommand(files, options));
}

function addSnowflakeSql(program: Command): void {
  withData(program.command('snowflake-sql'))
    .argument('<connector.json...>', "connectors of Snowflake's Kafka connector's classes")
    .option('--records <events.jsonl...>', 'files of records, a line each, in place of the log')
    .summary('what a landing connector does in Snowflake')
    .description(
      "Prints all statements that a connector of com.snowflake.kafka.connector's classes makes landing tables and replicas with, for review. It connects to nothing: columns are those of records in the data folder's log, or in files as `millrace tail --json` prints them.",
    )
    .addHelpText('after', examples(['millrace snowflake-sql sink.json'], ['millrace snowflake-sql sink.json --records events.jsonl']))
    .action(async (files: string[], options: SnowflakeSqlOptions) =>
      (await import('./snowflake-sql-command.ts')).snowflakeSqlCommand(files, options),
    );
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .argument('<config...>', 'connector files')
    .summary('is the server ready?')
    .description(
      'Checks version, binlog, privileges, server ids, time zones and keys of the sources’ servers, and says for each failure the statement that repairs it.',
    )
    .option('--json', 'as JSON')
    .addHelpText('after', examples(['millrace doctor source.json']))
    .action(async (files: string[], options: DoctorOptions) => (await import('./doctor-command.ts')).doctorCommand(files, options));
}

function addResync(program: Command): void {
  withData(program.command('resync'))
    .argument('[table...]', 'tables as database.table')
    .summary('copy tables again')
    .description(
      'Asks the running worker to copy tables again from the source while the stream goes on; the new copy takes the place of the old at once when it is whole.',
    )
    .option('--all', 'all tables')
    .addHelpText('after', examples(['millrace resync shop.orders'], ['millrace resync --all']))
    .action(async (tables: string[], options: ResyncOptions) => (await import('./resync-command.ts')).resyncCommand(tables, options));
}

function addSignal(program: Command): void {
  withData(program.command('signal'))
    .argument('<connector>', 'name of a source')
    .argument('<type>', 'execute-snapshot, stop-snapshot, pause-snapshot, resume-snapshot, log, set-binlog-position')
    .argument('[data]', 'JSON')
    .addOption(
      new Option('--channel <channel>', "api: from here; kafka: as a record of the source's signal topic")
        .choices(['api', 'kafka'])
        .default('api'),
    )
    .option('--key <key>', 'of that record; topic.prefix when absent')
    .summary("give a source one of Debezium's signals")
    .description('Asks a running source for an incremental or a blocking snapshot, or what else the signals of Debezium ask for.')
    .addHelpText('after', examples(['millrace signal shop execute-snapshot \'{"type":"incremental","data-collections":["shop.orders"]}\'']))
    .action(async (connector: string, type: string, json: string | undefined, options: SignalOptions) =>
      (await import('./signal-command.ts')).signalCommand(connector, type, json, options),
    );
}

function addStatus(program: Command): void {
  withData(program.command('status'))
    .summary('what the worker does')
    .description('Shows the tasks of the running worker: state, position, how far behind, and rows in the replica.')
    .option('--json', 'as JSON')
    .addHelpText('after', examples(['millrace status'], ['millrace status --json | jq .sinks']))
    .action(async (options: StatusOptions) => (await import('./status-command.ts')).statusCommand(options));
}

function withData(command: Command): Command {
  return command.option('--data <folder>', 'folder of the worker: log, offsets, lock, control address', 'millrace-data');
}

function examples(...lines: readonly (readonly [command: string, why?: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, why]) => (why === undefined ? `  $ ${command}` : `  $ ${command.padEnd(width)}   ${why}`)).join('\n')}\n`;
}

function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} on.`);
  };
}

/** `500MB`, `20GB`, `1000000`. */
function byteCount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(|B|KB|MB|GB|TB)$/i.exec(text.trim());
  if (match === null) throw new InvalidArgumentError('It must be a number of bytes, such as 500MB or 20GB.');
  const power = ['', 'KB', 'MB', 'GB', 'TB'].indexOf((match[2] ?? '').toUpperCase().replace(/^B$/, ''));
  return Math.round(Number(match[1]) * 1000 ** power);
}

function oneOf(...allowed: readonly string[]): (text: string) => string {
  return (text) => {
    if (allowed.includes(text)) return text;
    throw new InvalidArgumentError(`It must be one of: ${allowed.join(', ')}.`);
  };
}
