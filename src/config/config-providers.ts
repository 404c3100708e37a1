import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '../base/errors.ts';
import { parseJavaProperties } from './java-properties.ts';

export interface ResolvedProperties {
  readonly properties: Readonly<Record<string, string>>;
  /** References of known providers that name nothing, as `property: ${env:X}`; they stay in the text as they are. */
  readonly unresolved: readonly string[];
}

/**
 * Replaces `${env:NAME}`, `${file:/path/x.properties:key}` and `${dir:/path:file}` in the values of a configuration,
 * as Kafka's EnvVar-, File- and DirectoryConfigProvider do. What came in is not looked through again; other
 * `${…}` stay.
 *
 * @throws CONFIG_UNREADABLE when a properties file cannot be read
 */
export function resolveProviders(
  properties: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedProperties {
  const unresolved: string[] = [];
  const files = new Map<string, ReadonlyMap<string, string>>();
  const lookUp = (provider: string, path: string, key: string): string | undefined => {
    if (provider === 'env') return path === '' ? env[key] : undefined;
    if (provider === 'dir') return readKeyFile(path, key);
    let file = files.get(path);
    if (file === undefined) files.set(path, (file = readPropertiesFile(path)));
    return file.get(key);
  };
  const resolved: Record<string, string> = {};
  for (const [name, text] of Object.entries(properties)) {
    resolved[name] = text.replace(
      /\$\{(env|file|dir):(?:([^}]*):)?([^:}]*)\}/g,
      (all, provider: string, path: string | undefined, key: string) => {
        const value = lookUp(provider, path ?? '', key);
        if (value === undefined) unresolved.push(`${name}: ${all}`);
        return value ?? all;
      },
    );
  }
  return { properties: resolved, unresolved };
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
