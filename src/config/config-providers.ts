import { readFileSync, statSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { MillraceError } from '../base/errors.ts';
import { parseJavaProperties } from './java-properties.ts';
import { compileJavaPattern } from './java-pattern.ts';
import type { JavaPattern } from './java-pattern.ts';

export interface ResolvedProperties {
  readonly properties: Readonly<Record<string, string>>;
  /** References of known providers that name nothing, as `property: ${env:X}`; they stay in the text as they are. */
  readonly unresolved: readonly string[];
}

/** One of Kafka's providers, as `config.providers.<name>.*` sets it up. */
export interface ProviderSettings {
  readonly kind: 'env' | 'file' | 'dir';
  /** Of files and folders: others are not looked into; absent: any. */
  readonly allowedPaths?: readonly string[];
  /** Of environment variables: whole names. */
  readonly allowlist?: JavaPattern;
}

/** By the name that references have. */
export type Providers = ReadonlyMap<string, ProviderSettings>;

/** What there is when nobody says otherwise. */
const defaultProviders: Providers = new Map([
  ['env', { kind: 'env' }],
  ['file', { kind: 'file' }],
  ['dir', { kind: 'dir' }],
]);

const classes: Readonly<Record<string, ProviderSettings['kind']>> = {
  'org.apache.kafka.common.config.provider.EnvVarConfigProvider': 'env',
  'org.apache.kafka.common.config.provider.FileConfigProvider': 'file',
  'org.apache.kafka.common.config.provider.DirectoryConfigProvider': 'dir',
};

/**
 * The providers of a worker's properties: `config.providers`, `config.providers.<name>.class` and
 * `config.providers.<name>.param.*`; the default ones when the first is not there.
 *
 * @throws CONFIG_UNSUPPORTED for a class that Millrace does not have
 */
export function readProviders(properties: Readonly<Record<string, string>>): Providers {
  const names = properties['config.providers'];
  if (names === undefined) return defaultProviders;
  const providers = new Map<string, ProviderSettings>();
  for (const name of names.split(',').map((each) => each.trim())) {
    if (name === '') continue;
    const className = properties[`config.providers.${name}.class`]?.trim() ?? '';
    const kind = classes[className];
    if (kind === undefined) {
      throw new MillraceError('CONFIG_UNSUPPORTED', `config.providers.${name}.class: "${className}" is not a provider that Millrace has`, {
        nextStep: `Use one of: ${Object.keys(classes).join(', ')}.`,
      });
    }
    const paths = properties[`config.providers.${name}.param.allowed.paths`];
    const pattern = properties[`config.providers.${name}.param.allowlist.pattern`];
    providers.set(name, {
      kind,
      ...(paths === undefined ? {} : { allowedPaths: paths.split(',').map((path) => resolvePath(path.trim())) }),
      ...(pattern === undefined ? {} : { allowlist: compileJavaPattern(pattern) }),
    });
  }
  return providers;
}

/**
 * Replaces `${env:NAME}`, `${file:/path/x.properties:key}` and `${dir:/path:file}` in the values of a configuration,
 * as Kafka's EnvVar-, File- and DirectoryConfigProvider do. What came in is not looked through again; other
 * `${…}` stay.
 *
 * @throws CONFIG_UNREADABLE when a properties file cannot be read; CONFIG_INVALID for an environment variable with a path
 */
export function resolveProviders(
  properties: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
  providers: Providers = defaultProviders,
): ResolvedProperties {
  const unresolved: string[] = [];
  const files = new Map<string, ReadonlyMap<string, string>>();
  const lookUp = ({ kind, allowedPaths, allowlist }: ProviderSettings, path: string, key: string): string | undefined => {
    if (kind === 'env') {
      if (path !== '') throw new MillraceError('CONFIG_INVALID', `Path is not supported for EnvVarConfigProvider, invalid value '${path}'`);
      return allowlist?.matches(key) === false ? undefined : env[key];
    }
    if (allowedPaths?.some((allowed) => isWithin(path, allowed)) === false) return undefined;
    if (kind === 'dir') return readKeyFile(path, key);
    if (path === '') return undefined;
    let file = files.get(path);
    if (file === undefined) files.set(path, (file = readPropertiesFile(path)));
    return file.get(key);
  };
  const resolved: Record<string, string> = {};
  for (const [name, text] of Object.entries(properties)) {
    resolved[name] = replaceReferences(text, ({ all, provider, path, key }) => {
      const settings = providers.get(provider);
      if (settings === undefined) return all;
      const value = lookUp(settings, path, key);
      if (value === undefined) unresolved.push(`${name}: ${all}`);
      return value ?? all;
    });
  }
  return { properties: resolved, unresolved };
}

interface Reference {
  readonly all: string;
  readonly provider: string;
  readonly path: string;
  readonly key: string;
}

/**
 * Each `${provider:[path:]key}`, as Kafka's ConfigTransformer tells its parts: the first two colons count. By hand, since a
 * text of nothing but beginnings would take a pattern a time that grows with its square.
 */
function replaceReferences(text: string, valueOf: (reference: Reference) => string): string {
  let replaced = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf('${', at);
    const end = start < 0 ? -1 : text.indexOf('}', start);
    if (end < 0) return replaced + text.slice(at);
    const [provider = '', ...rest] = text.slice(start + 2, end).split(':');
    const all = text.slice(start, end + 1);
    const [path, key] = rest.length < 2 ? ['', rest[0] ?? ''] : [rest[0] ?? '', rest.slice(1).join(':')];
    replaced += text.slice(at, start) + (rest.length === 0 ? all : valueOf({ all, provider, path, key }));
    at = end + 1;
  }
}

function isWithin(path: string, allowed: string): boolean {
  const resolved = resolvePath(path);
  return resolved === allowed || resolved.startsWith(`${allowed}/`);
}

function readPropertiesFile(path: string): ReadonlyMap<string, string> {
  try {
    return parseJavaProperties(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `Could not read properties from file ${path}`, { cause });
  }
}

function readKeyFile(folder: string, file: string): string | undefined {
  if (folder === '' || file === '' || file.includes('/') || file === '..') return undefined;
  const path = join(folder, file);
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
