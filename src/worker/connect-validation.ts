import { invalidConfig, noConnectorClass } from './connect-errors.ts';
import { withoutNulls } from './connect-service.ts';
import type { ConnectorPlugin, GivenConfig, PluginCatalog } from './connect-service.ts';

export interface CheckedConfig {
  /** As given, without what has no value. */
  readonly config: Readonly<Record<string, string>>;
  readonly plugin: ConnectorPlugin;
}

export interface ConfigChecks {
  readonly plugins: PluginCatalog;
  readonly resolve: (config: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** What of a sound configuration other connectors do not let be. */
  readonly clashes: (resolved: Readonly<Record<string, string>>) => readonly string[];
}

/**
 * Checks a configuration as a whole, before anything of it is stored.
 *
 * @throws REQUEST_INVALID with the list of errors; CONFIG_UNREADABLE
 */
export async function validateConfig(config: GivenConfig, checks: ConfigChecks, signal: AbortSignal): Promise<CheckedConfig> {
  if ((config['connector.class'] ?? '') === '') throw noConnectorClass(config);
  const nulls = Object.values(config).filter((value) => value === null);
  const given = withoutNulls(config);
  const resolved = checks.resolve(given);
  const plugin = checks.plugins.find(resolved['connector.class'] ?? '');
  const errors = [
    ...(await plugin.validate(resolved, signal)),
    ...nulls.map(() => 'Null value can not be supplied as the configuration value.'),
  ];
  if (errors.length === 0) errors.push(...checks.clashes(resolved));
  if (errors.length > 0) throw invalidConfig(errors);
  return { config: given, plugin };
}
