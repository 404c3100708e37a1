import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { tryRun } from './run.mjs';

/**
 * Brings node_modules to what package-lock.json says, and with it the Node that the project runs on.
 *
 * @param {{ root: string, offline: boolean, say: (line: string) => void }} options
 * @returns {string} the version of that Node
 */
export function ensureDependencies({ root, offline, say }) {
  if (!isInstalled(root)) {
    say('installing dependencies');
    // Not `npm ci`: it begins by removing node_modules, which would break whatever runs from it, and it refuses a lock
    // file without the packages of platforms for which a dependency has none yet. This follows the lock file as well.
    const flags = ['--no-save', '--include=dev', '--include=optional', ...(offline ? ['--offline'] : [])];
    npm(root, ['install', ...flags], 'the dependencies');
  }
  return ensureNode(root, offline, say);
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
 * Sees to node_modules/.bin/node. The package `node` fetches the binary in an install script, as a package named
 * after the platform; where npm does not run install scripts, this does the same.
 *
 * @param {string} root
 * @param {boolean} offline
 * @param {(line: string) => void} say
 */
function ensureNode(root, offline, say) {
  const binary = join(root, 'node_modules', 'node', 'bin', 'node');
  const link = join(root, 'node_modules', '.bin', 'node');
  const version = readPackages(join(root, 'package-lock.json'))['node_modules/node']?.version ?? '';
  if (tryRun(binary, ['--version']).stdout.trim() !== `v${version}`) {
    say(`fetching Node ${version}`);
    const name = `node${process.platform === 'darwin' && process.arch === 'arm64' ? '-bin' : ''}-${process.platform}-${process.arch}`;
    const prefix = join(root, 'node_modules', 'node');
    const source = join(prefix, 'node_modules', name, 'bin', 'node');
    if (!existsSync(source)) {
      const flags = ['--no-save', '--ignore-scripts', '--no-package-lock', ...(offline ? ['--offline'] : [])];
      npm(prefix, ['install', ...flags, `${name}@${version}`], `Node ${version}`);
    }
    mkdirSync(dirname(binary), { recursive: true });
    rmSync(binary, { force: true });
    symlinkSync(relative(dirname(binary), source), binary);
  }
  if (!existsSync(link)) {
    mkdirSync(dirname(link), { recursive: true });
    rmSync(link, { force: true });
    symlinkSync('../node/bin/node', link);
  }
  return version;
}

/**
 * @param {string} cwd
 * @param {readonly string[]} args
 * @param {string} what for the message
 */
function npm(cwd, args, what) {
  const { status, output } = tryRun('npm', [...args, '--no-fund', '--no-audit', '--loglevel=error'], { cwd });
  if (status === 0) return;
  throw new Error(
    `${what} could not be installed; npm ${args[0] ?? ''} said:\n${output}\nCheck the network and npm's registry setting, then run it again.`,
  );
}
