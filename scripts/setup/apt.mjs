import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, tryRun } from './run.mjs';

/**
 * Unpacks packages of the distribution, with all that they depend on, into a folder: nothing is installed, and
 * no root is needed. It is the distribution's own client that downloads and checks signatures, only with folders of
 * ours for its lists, its cache and its idea of what is installed (nothing), so that the whole closure comes,
 * the C library included, and runs beside whatever the machine has.
 *
 * On Debian the packages come from the unstable suite of the machine's own mirror, since the released suites
 * have no MySQL server; elsewhere from the machine's own sources.
 *
 * @param {readonly string[]} candidates package names; the first that exists is taken
 * @param {string} target the folder to unpack into
 * @param {string} work a folder for lists and downloads; removed by the caller
 */
export function unpackPackage(candidates, target, work) {
  const apt = openPrivateApt(work);
  const name = candidates.find((candidate) => apt('show', candidate).status === 0);
  if (name === undefined) throw new Error(`the package sources of this machine have no ${candidates.join(' or ')}`);
  const download = apt('install', '--yes', '--download-only', name);
  if (download.status !== 0) throw new Error(`downloading ${name} failed: ${download.output}`);
  mkdirSync(target, { recursive: true });
  const archives = join(work, 'cache', 'archives');
  for (const file of readdirSync(archives).filter((entry) => entry.endsWith('.deb'))) {
    run('dpkg-deb', ['--extract', join(archives, file), target]);
  }
  return name;
}

export const hasApt = () => ['apt-get', 'dpkg-deb'].every((tool) => tryRun(tool, ['--version']).status === 0);

/**
 * @param {string} work
 * @returns {(command: string, ...args: string[]) => { status: number | null, output: string }}
 */
function openPrivateApt(work) {
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'log']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  const source = debianSource();
  writeFileSync(join(work, 'apt.conf'), configuration(work, source !== undefined));
  if (source !== undefined) writeFileSync(join(work, 'sources.list'), `${source}\n`);
  writeFileSync(join(work, 'status'), pretendedPackages());
  /** @type {(command: string, ...args: string[]) => { status: number | null, output: string }} */
  const apt = (command, ...args) =>
    tryRun(command === 'show' ? 'apt-cache' : 'apt-get', ['-qq', '-c', join(work, 'apt.conf'), command, ...args]);
  const update = apt('update');
  if (update.status !== 0) throw new Error(`reading the package lists failed: ${update.output}`);
  return apt;
}

/** A line for sources.list with the unstable suite of the machine's Debian mirror; undefined on other distributions. */
function debianSource() {
  const targets = run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const mirror = targets.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (mirror === undefined) return undefined;
  const keyring = ['gpg', 'pgp'].map((type) => `/usr/share/keyrings/debian-archive-keyring.${type}`).find((file) => existsSync(file));
  return `deb [${keyring === undefined ? '' : `signed-by=${keyring} `}target=Packages] ${mirror} sid main`;
}

/**
 * The machine's own apt settings stay in force (a proxy, for example), except for what follows: its hooks must
 * not run, for they expect root and the machine's own cache.
 *
 * @param {string} work
 * @param {boolean} ownSources
 */
const configuration = (work, ownSources) => `
Dir::State "${work}/state";
Dir::State::status "${work}/status";
Dir::Cache "${work}/cache";
Dir::Log "${work}/log";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
${ownSources ? `Dir::Etc::SourceList "${work}/sources.list";\nDir::Etc::SourceParts "/dev/null";` : ''}
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
`;

/** Perl serves only scripts that nobody calls here: said to be installed, it is not downloaded. */
function pretendedPackages() {
  const architecture = run('dpkg', ['--print-architecture']).trim();
  return ['perl', 'perl-base']
    .map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 999\nArchitecture: ${architecture}\nMulti-Arch: allowed\n`)
    .join('\n');
}
