/**
 * Holds the import table of ARCHITECTURE.md as data: imports point one way only, a package is used where it
 * belongs, and the worker file of a thread counts as an import. The last column of the table is `alone` here.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const src = import.meta.dirname;

/** Which folders each folder may import besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  event: ['base'],
  config: ['base'],
  binlog: ['base'],
  connect: ['event', 'config', 'base'],
  codec: ['connect', 'event', 'config', 'base'],
  log: ['event', 'connect', 'config', 'base'],
  mysql: ['binlog', 'connect', 'event', 'config', 'base'],
  warehouse: ['connect', 'event', 'config', 'base'],
  verify: ['connect', 'event', 'warehouse', 'base'],
  transform: ['connect', 'event', 'config', 'base'],
  file: ['connect', 'event', 'config', 'base'],
  worker: ['connect', 'log', 'codec', 'transform', 'event', 'config', 'base'],
  rest: ['worker', 'connect', 'config', 'base'],
  cli: [
    'base',
    'event',
    'config',
    'binlog',
    'connect',
    'codec',
    'log',
    'mysql',
    'warehouse',
    'verify',
    'transform',
    'file',
    'worker',
    'rest',
  ],
  console: [],
};

/** Which folders alone may import a package, all of it or a part of a folder. `types` says that only its types may be. */
const alone: Readonly<Record<string, { readonly folders: readonly string[]; readonly types?: true }>> = {
  pino: { folders: ['base'], types: true },
  mysql2: { folders: ['binlog', 'mysql', 'verify'] },
  'node:sqlite': { folders: ['log/embedded'] },
  '@platformatic/kafka': { folders: ['log/kafka'] },
  '@duckdb/node-api': { folders: ['warehouse/duckdb'] },
  '@duckdb/node-bindings': { folders: ['warehouse/duckdb'] },
  'snowflake-sdk': { folders: ['warehouse/snowflake'] },
  fastify: { folders: ['rest'] },
  commander: { folders: ['cli'] },
};

/** The composition root may use every package. */
const everything = ['cli'];

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** What only tests may import: a package, and beyond the table the servers for tests. */
const testPackages = ['fast-check'];
const testServers = /^\.\.\/test\/|^cli\/private-server\.ts$/;

const files = globSync('**/*.ts', { cwd: src }).toSorted();

/**
 * The imports of a file: static, re-exporting, dynamic, of a type, and a thread's `new URL('./x.ts', import.meta.url)`.
 * Comments are removed first; a string that looks like an import would be taken for one, which is a small price.
 */
function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(src, file), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const found = [
    ...text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s*'([^']+)'/gm),
    ...text.matchAll(/^\s*import()\s*'([^']+)'/gm),
    ...text.matchAll(/\bimport()\(\s*'([^']+)'/g),
    ...text.matchAll(/\bnew URL()\(\s*'(\.[^']+)'\s*,\s*import\.meta\.url/g),
  ];
  return found.map(([, type, specifier = '']) => ({ file, specifier, typeOnly: type !== undefined && type !== '' }));
}

const imports = files.flatMap(importsOf);

/** What is wrong with an import; undefined when it is as the table says. */
function faultOf(found: Import): string | undefined {
  const { file, specifier, typeOnly } = found;
  const folder = folderOf(file);
  if (folder === '') return undefined;
  if (specifier.startsWith('.')) {
    const target = targetOf(found);
    if (testServers.test(target) && (isTest(file) || isTestSupport(file))) return undefined;
    const to = folderOf(target);
    if (to !== folder && !mayImport[folder]?.includes(to)) return `${folder}/ may not import ${to === '' ? target : `${to}/`}`;
    return isTest(target) && !isTest(file) ? 'a test is imported' : undefined;
  }
  const name = packageOf(specifier);
  if (testPackages.includes(name)) return isTest(file) || isTestSupport(file) ? undefined : `${name} is for tests`;
  const rule = alone[name];
  if (rule === undefined) {
    const free = isBuiltin(name) || isTest(file) || everything.includes(folder);
    return free ? undefined : `the table of src/architecture.test.ts does not know the package ${name}`;
  }
  if (isTest(file) || everything.includes(folder)) return undefined;
  if (!rule.folders.some((owner) => file.startsWith(`${owner}/`))) return `${name} belongs to ${rule.folders.join(', ')}`;
  return rule.types && !typeOnly ? `only the types of ${name} may be imported` : undefined;
}

/** A file that tests alone import: samples, fixtures, contracts. */
function isTestSupport(file: string): boolean {
  const importers = imports.filter((found) => found.specifier.startsWith('.') && targetOf(found) === file);
  return importers.length > 0 && importers.every((found) => isTest(found.file) || isTestSupport(found.file));
}

const targetOf = ({ file, specifier }: Import): string => relative(src, resolve(src, dirname(file), specifier));
const folderOf = (path: string): string => (path.startsWith('..') || !path.includes('/') ? '' : (path.split('/')[0] ?? ''));
const isTest = (file: string): boolean => /\.(test|contract)\.ts$/.test(file);
const isBuiltin = (name: string): boolean => builtinModules.includes(name.replace(/^node:/, ''));
const packageOf = (specifier: string): string =>
  specifier.startsWith('node:') ? specifier : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

test('every folder of src has a row in the import table', () => {
  const unknown = new Set(files.map(folderOf).filter((folder) => folder !== '' && mayImport[folder] === undefined));
  assert.deepEqual([...unknown], []);
});

test('every import goes where the import table lets it', () => {
  const faults = imports.flatMap((found) => {
    const fault = faultOf(found);
    return fault === undefined ? [] : [`src/${found.file} imports '${found.specifier}': ${fault}`];
  });
  assert.deepEqual(faults, []);
});

test('the import table refuses what it should', () => {
  const fault = (file: string, specifier: string, typeOnly = false): string | undefined => faultOf({ file, specifier, typeOnly });
  assert.match(fault('warehouse/fold.ts', '../mysql/source.ts') ?? '', /warehouse\/ may not import mysql\//);
  assert.match(fault('worker/herder.ts', 'mysql2/promise') ?? '', /mysql2 belongs to/);
  assert.match(fault('log/log.ts', 'node:sqlite') ?? '', /node:sqlite belongs to log\/embedded/);
  assert.match(fault('base/logger.ts', 'pino') ?? '', /only the types/);
  assert.match(fault('mysql/parser.ts', 'node-sql-parser') ?? '', /does not know the package/);
  assert.match(fault('binlog/reader.ts', '../../test/servers/proxy.ts') ?? '', /may not import/);
  assert.equal(fault('base/logger.ts', 'pino', true), undefined);
  assert.equal(fault('binlog/reader.mysql.test.ts', '../../test/servers/proxy.ts'), undefined);
  assert.equal(fault('binlog/reader.mysql.test.ts', '../cli/private-server.ts'), undefined);
  assert.match(fault('binlog/reader.ts', '../cli/private-server.ts') ?? '', /may not import cli/);
  assert.equal(fault('cli/worker.ts', '../warehouse/duckdb/open.ts'), undefined);
});
