import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { hasApt, unpackPackage } from './apt.mjs';
import { run, tryRun } from './run.mjs';

/**
 * @typedef {'mysql' | 'mariadb'} Flavor
 *
 * @typedef {object} Recipe
 * @property {string} name for messages
 * @property {string} program
 * @property {readonly [number, number]} atLeast
 * @property {readonly string[]} packages names of the server's package, the wanted one first
 * @property {(data: string, server: Server) => void} initialise makes a data folder whose root@localhost has no password
 *
 * @typedef {object} Server
 * @property {readonly string[]} command what to run, before the server's own options; \${here} is the server's folder
 * @property {string} share the folder of the server's messages and SQL scripts
 */

/** Raised when a server that was made by an older setup has to be made again. */
const layout = 1;

/** @type {Record<Flavor, Recipe>} */
const recipes = {
  mysql: {
    name: 'MySQL',
    program: 'mysqld',
    atLeast: [9, 0],
    packages: ['mysql-server-core', 'mysql-server-core-9.0'],
    initialise: (data, { command }) => {
      const options = [`--datadir=${data}`, '--initialize-insecure', '--skip-log-bin', '--innodb-redo-log-capacity=8M', ...asRoot];
      runServer(command, options);
      // The server's identity: each copy of the folder gets its own at its first start.
      rmSync(join(data, 'auto.cnf'), { force: true });
    },
  },
  mariadb: {
    name: 'MariaDB',
    program: 'mariadbd',
    atLeast: [10, 11],
    packages: ['mariadb-server-core', 'mariadb-server-core-10.11'],
    initialise: (data, { command, share }) => {
      mkdirSync(join(data, 'mysql'), { recursive: true });
      const options = [`--datadir=${data}`, '--bootstrap', '--skip-log-bin', '--innodb-log-file-size=8M', '--log-warnings=0', ...asRoot];
      runServer(command, options, { input: mariadbTables(share) });
    },
  },
};

const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];

/**
 * Sees to it that `folder/<flavor>` holds a server that can be started:
 *
 *   server.json   what was found: {layout, flavor, version, command}
 *   data/         a fresh data folder, to be copied for each server that is started
 *   root/         the unpacked packages, when the server is not the machine's own
 *
 * @param {Flavor} flavor
 * @param {{ folder: string, offline: boolean, say: (line: string) => void, path?: readonly string[] }} options
 *   path: where to look for a server of the machine's own
 * @returns {string} name and version
 * @throws an Error that says what is missing and what to do
 */
export function ensureServer(flavor, { folder, offline, say, path = machinePath() }) {
  const here = join(folder, flavor);
  const { name, program, atLeast } = recipes[flavor];
  const known = readyVersion(here);
  if (known !== undefined) return `${name} ${known}`;
  // The name is this process's own, since the client of a setup that was killed may still be writing into its folder.
  const fresh = `${here}.new-${process.pid}`;
  /** @type {string[]} */
  const failures = [];
  const ways = [() => fromPath(flavor, path), () => fromPackages(flavor, fresh, say), () => fromInstallation(flavor, path, say)];
  for (const bring of offline ? ways.slice(0, 1) : ways) {
    removeUnfinished(here);
    mkdirSync(fresh, { recursive: true });
    try {
      const server = bring();
      if (server === undefined) continue;
      const version = prepare(flavor, fresh, server);
      rmSync(here, { recursive: true, force: true });
      renameSync(fresh, here);
      return `${name} ${version}`;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  removeUnfinished(here);
  const why = offline
    ? 'MILLRACE_OFFLINE is set, and none is on the PATH'
    : failures.join('; ') || 'none is on the PATH, and there is no apt';
  throw new Error(
    `no ${name} server: ${why}. Install ${name} ${atLeast.join('.')} or newer so that ${program} is on the PATH` +
      ' (for `npm start` alone, MILLRACE_MYSQL_URL can name a running server instead).',
  );
}

/**
 * Removes what this and earlier setups left half done.
 *
 * @param {string} here
 */
function removeUnfinished(here) {
  const folder = dirname(here);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(`${basename(here)}.new-`))) {
    rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * The version of the server that an earlier setup left, undefined when it has to be made.
 *
 * @param {string} here
 */
function readyVersion(here) {
  const file = join(here, 'server.json');
  if (!existsSync(file)) return undefined;
  /** @type {{ layout: number, version: string, command: string[] }} */
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const program = manifest.command[0]?.replace('${here}', here);
  return manifest.layout === layout && program !== undefined && existsSync(program) ? manifest.version : undefined;
}

/**
 * Proves that the server runs, by making the data folder, and writes server.json.
 *
 * @param {Flavor} flavor
 * @param {string} here
 * @param {Server} server
 */
function prepare(flavor, here, server) {
  const { name, atLeast, initialise } = recipes[flavor];
  const resolved = { ...server, command: server.command.map((word) => word.replaceAll('${here}', here)) };
  const version = versionOf(resolved.command, flavor);
  if (version === undefined || !isAtLeast(version, atLeast)) {
    throw new Error(`${name} ${version ?? 'of unknown version'} is older than ${atLeast.join('.')}`);
  }
  initialise(join(here, 'data'), resolved);
  writeFileSync(join(here, 'server.json'), `${JSON.stringify({ layout, flavor, version, command: server.command }, null, 2)}\n`);
  return version;
}

/** Where servers are installed: their folders are often not on the PATH of an ordinary user. */
function machinePath() {
  const usual = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/usr/local/mysql/bin'];
  return [...(process.env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== ''), ...usual];
}

/**
 * A good server of the machine's own, with its folders.
 *
 * @param {Flavor} flavor
 * @param {readonly string[]} path
 * @returns {Server | undefined}
 */
function fromPath(flavor, path) {
  const { program, atLeast } = recipes[flavor];
  for (const folder of path) {
    const file = join(folder, program);
    const version = isExecutable(file) ? versionOf([file], flavor) : undefined;
    if (version === undefined || !isAtLeast(version, atLeast)) continue;
    return { command: [file, '--no-defaults'], share: shareFolder(resolve(folder, '..')) };
  }
  return undefined;
}

/**
 * @param {Flavor} flavor
 * @param {string} here
 * @param {(line: string) => void} say
 * @returns {Server | undefined}
 */
function fromPackages(flavor, here, say) {
  if (!hasApt()) return undefined;
  const { name, program, packages } = recipes[flavor];
  say(`unpacking ${name} from the distribution's packages into a folder of the project`);
  const work = join(here, 'download');
  try {
    unpackPackage(packages, join(here, 'root'), work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return unpackedServer(here, program);
}

/**
 * @param {Flavor} flavor
 * @param {readonly string[]} path
 * @param {(line: string) => void} say
 * @returns {Server | undefined}
 */
function fromInstallation(flavor, path, say) {
  const { name, packages } = recipes[flavor];
  if (process.getuid?.() !== 0 || !hasApt()) return undefined;
  say(`installing ${name}'s package`);
  run('apt-get', ['-qq', 'update']);
  const installed = packages.some(
    (candidate) => tryRun('apt-get', ['-qq', '--yes', '--no-install-recommends', 'install', candidate]).status === 0,
  );
  return installed ? fromPath(flavor, path) : undefined;
}

/**
 * How to run a program out of a folder of unpacked packages: through their own loader and with their own
 * libraries, which need not be the machine's.
 *
 * @param {string} here
 * @param {string} program
 * @returns {Server}
 */
function unpackedServer(here, program) {
  const folders = ['usr/lib', 'lib'].flatMap((lib) => {
    const names = existsSync(join(here, 'root', lib)) ? readdirSync(join(here, 'root', lib)) : [];
    return names.filter((entry) => /-linux-gnu/.test(entry)).map((entry) => `root/${lib}/${entry}`);
  });
  const loader = folders
    .flatMap((folder) => readdirSync(join(here, folder)).map((entry) => `${folder}/${entry}`))
    .find((file) => /\/ld-linux[^/]*\.so\.\d+$/.test(file));
  if (loader === undefined) throw new Error('the unpacked packages hold no C library');
  const libraries = [...folders, ...folders.map((folder) => `${folder}/mysql/private`), 'root/usr/lib/mysql/private'];
  const share = shareFolder(join(here, 'root', 'usr'));
  const command = [
    `\${here}/${loader}`,
    '--library-path',
    libraries.map((folder) => `\${here}/${folder}`).join(':'),
    `\${here}/root/usr/sbin/${program}`,
    '--no-defaults',
    '--basedir=${here}/root/usr',
    `--lc-messages-dir=${share.replace(here, '${here}')}`,
    `--character-sets-dir=${share.replace(here, '${here}')}/charsets`,
    '--plugin-dir=${here}/root/usr/lib/mysql/plugin',
  ];
  return { command, share };
}

/** @param {string} usr */
function shareFolder(usr) {
  const folders = ['mariadb', 'mysql'].map((entry) => join(usr, 'share', entry));
  return folders.find((folder) => existsSync(join(folder, 'charsets'))) ?? join(usr, 'share');
}

/**
 * MariaDB's system tables as its own installer makes them, root@localhost without a password and nobody else.
 *
 * @param {string} share
 */
function mariadbTables(share) {
  const parts = ['system_tables', 'performance_tables', 'system_tables_data', 'add_gis_sp_bootstrap', 'sys_schema'];
  const names = parts.flatMap((part) => [
    `mariadb_${part}.sql`,
    `mysql_${part}.sql`,
    `${part.replace('add', 'maria_add')}.sql`,
    `${part}.sql`,
  ]);
  const files = names.map((entry) => join(share, entry)).filter((file) => existsSync(file));
  if (files.length < parts.length) throw new Error(`MariaDB's SQL scripts are not in ${share}`);
  return [
    'use mysql;',
    'set @auth_root_socket = NULL;',
    'set @skip_auth_anonymous = 1;',
    ...files.map((file) => readFileSync(file, 'utf8')),
    'use mysql;',
    "delete from global_priv where User = '' or Host <> 'localhost' and User = 'root';",
    '',
  ].join('\n');
}

/**
 * @param {readonly string[]} command
 * @param {readonly string[]} options
 * @param {{ input?: string }} [extra]
 */
function runServer(command, options, extra) {
  const [program = '', ...args] = command;
  return run(program, [...args, ...options], extra);
}

/**
 * The version that a server reports, undefined when it does not run or is of the other flavor.
 *
 * @param {readonly string[]} command
 * @param {Flavor} flavor
 */
function versionOf(command, flavor) {
  const [program = '', ...args] = command;
  const { status, stdout } = tryRun(program, [...args, '--version']);
  const version = / Ver (\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  if (status !== 0 || version === undefined) return undefined;
  return /mariadb/i.test(stdout) === (flavor === 'mariadb') ? version : undefined;
}

/** @param {string} version @param {readonly [number, number]} least */
export function isAtLeast(version, [leastMajor, leastMinor]) {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
