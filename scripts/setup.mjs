#!/usr/bin/env node
/**
 * Prepares a checkout: dependencies, Node 24, and private database servers. Plain JavaScript without
 * dependencies, for Node 20 and newer, because it runs before anything is there.
 *
 *   node scripts/setup.mjs [--for=test|start|check]
 *
 *   --for=test    MySQL and MariaDB (the default)
 *   --for=start   one of them, and none when MILLRACE_MYSQL_URL names a server
 *   --for=check   no server
 *
 *   MILLRACE_OFFLINE=1   download nothing; what is missing is named, and the tests that need it are skipped
 *
 * It can be repeated, killed and run twice at once: what is there is kept, and nothing is left half done.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './setup/dependencies.mjs';
import { withLock } from './setup/lock.mjs';
import { ensureServer } from './setup/servers.mjs';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const offline = (process.env['MILLRACE_OFFLINE'] ?? '0') !== '0';

/** @param {string} line */
const say = (line) => console.log(`setup: ${line}`);

/**
 * Which servers a purpose needs: every list is tried in order until one of it is there.
 *
 * @param {string} purpose
 * @returns {import('./setup/servers.mjs').Flavor[][]}
 */
function serversFor(purpose) {
  switch (purpose) {
    case 'test':
      return [['mysql'], ['mariadb']];
    case 'start':
      return process.env['MILLRACE_MYSQL_URL'] ? [] : [['mysql', 'mariadb']];
    case 'check':
      return [];
    default:
      throw new Error(`--for=${purpose} is unknown. Give --for=test, --for=start or --for=check.`);
  }
}

/**
 * The first server of the list that is there or can be had.
 *
 * @param {import('./setup/servers.mjs').Flavor[]} flavors
 */
function ensureOneOf(flavors) {
  /** @type {string[]} */
  const failures = [];
  const folder = join(root, '.millrace', 'servers');
  const ordered = [...flavors].sort((a, b) => Number(existsSync(join(folder, b))) - Number(existsSync(join(folder, a))));
  for (const flavor of ordered) {
    try {
      return ensureServer(flavor, { folder, offline, say });
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new Error(failures.join('\n'));
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {string[]} args */
async function main(args) {
  const purpose = args.find((arg) => arg.startsWith('--for='))?.slice('--for='.length) ?? 'test';
  const needed = serversFor(purpose);
  /** @type {string[]} */
  const failures = [];
  /** @type {string[]} */
  const ready = [];
  await withLock(root, say, () => {
    ready.push(`Node ${ensureDependencies({ root, offline, say })}`);
    for (const flavors of needed) {
      try {
        ready.push(ensureOneOf(flavors));
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
  });
  say(`ready: ${ready.join(', ')}`);
  for (const failure of failures) console.error(`setup: ${failure}`);
  if (failures.length > 0 && offline && purpose === 'test') say('MILLRACE_OFFLINE is set: the tests that need it are skipped');
  else if (failures.length > 0) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`setup: ${messageOf(error)}`);
  process.exitCode = 1;
}
