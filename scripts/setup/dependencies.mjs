import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { tryRun } from './run.mjs';

/**
 * Brings node_modules to what package-lock.json says, and the Node that the project runs on to node_modules/.bin/node.
 *
 * The package `node` fetches its binary in an install script, as a package named after the platform. Setup does that
 * itself, first of all: then npm runs on that Node, and leaves no platform's package out because the machine's own
 * Node is older than the package asks for; and it does not matter whether npm may run install scripts.
 *
 * @param {Options} options
 * @returns {string} the version of that Node
 *
 * @typedef {{ root: string, offline: boolean, say: (line: string) => void }} Options
 */
export function ensureDependencies(options) {
  const { root, say } = options;
  const version = readPackages(join(root, 'package-lock.json'))['node_modules/node']?.version ?? '';
  const binary = join(root, 'node_modules', 'node', 'bin', 'node');
  if (!isInstalled(root)) {
    const node = isNode(binary, version) ? binary : fetchNode(version, options);
    say('installing dependencies');
    // `npm ci` begins by removing node_modules, which would break whatever runs from it: only where there is none.
    const command = existsSync(join(root, 'node_modules')) ? 'install' : 'ci';
    npm([command, '--include=dev', '--include=optional'], { ...options, cwd: root, what: 'the dependencies', node });
  }
  if (!isNode(binary, version)) placeNode(fetchNode(version, options), root);
  return version;
}

/**
 * Whether every package of the lock file is there in its version. npm notes what it installed in
 * node_modules/.package-lock.json, so no stamp of our own is needed.
 *
 * @param {string} root
 */
function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional === true || installed[path]?.version === entry.version,
  );
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function readPackages(file) {
  if (!existsSync(file)) return {};
  /** @type {{ packages?: Record<string, { version?: string, optional?: boolean }> }} */
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  return lock.packages ?? {};
}

/**
 * @param {string} binary
 * @param {string} version
 */
const isNode = (binary, version) => tryRun(binary, ['--version']).stdout.trim() === `v${version}`;

/**
 * Fetches Node into a folder of the project.
 *
 * @param {string} version
 * @param {Options} options
 * @returns {string} the binary
 */
function fetchNode(version, options) {
  const prefix = join(options.root, '.millrace', 'node');
  const name = `node${process.platform === 'darwin' && process.arch === 'arm64' ? '-bin' : ''}-${process.platform}-${process.arch}`;
  const binary = join(prefix, 'node_modules', name, 'bin', 'node');
  if (isNode(binary, version)) return binary;
  options.say(`fetching Node ${version}`);
  rmSync(prefix, { recursive: true, force: true });
  mkdirSync(prefix, { recursive: true });
  npm(['install', '--no-package-lock', `${name}@${version}`], { ...options, cwd: prefix, what: `Node ${version}` });
  return binary;
}

/**
 * Puts a fetched Node where the package's own script would have put it.
 *
 * @param {string} fetched
 * @param {string} root
 */
function placeNode(fetched, root) {
  const place = join(root, 'node_modules', 'node', 'bin', 'node');
  const link = join(root, 'node_modules', '.bin', 'node');
  for (const file of [place, link]) {
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { force: true });
  }
  renameSync(fetched, place);
  symlinkSync(relative(dirname(link), place), link);
  rmSync(join(root, '.millrace', 'node'), { recursive: true });
}

/**
 * Runs npm; `node` is the Node to run it on, the machine's own when it is left out.
 *
 * @param {readonly string[]} args
 * @param {{ cwd: string, what: string, offline: boolean, node?: string }} options
 */
function npm(args, { cwd, what, offline, node }) {
  // Without --prefix npm would walk up from a folder that has no package.json.
  const flags = [
    `--prefix=${cwd}`,
    '--no-save',
    '--ignore-scripts',
    '--no-fund',
    '--no-audit',
    '--loglevel=error',
    ...(offline ? ['--offline'] : []),
  ];
  const path = process.env['PATH'] ?? '';
  const env = { ...process.env, PATH: node === undefined ? path : `${dirname(node)}${delimiter}${path}` };
  const { status, output } = tryRun('npm', [...args, ...flags], { cwd, env });
  if (status === 0) return;
  throw new Error(
    `${what} could not be installed; npm ${args[0] ?? ''} said:\n${output}\nCheck the network and npm's registry setting, then run it again.`,
  );
}
