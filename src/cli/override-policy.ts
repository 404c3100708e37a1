import type { ConnectorPlugin, GivenConfig, PluginCatalog } from '../worker/connect-service.ts';

/** Of `connector.client.config.override.policy`: by its short name or its class. */
const allowedBy: Readonly<Record<string, (setting: string) => boolean>> = {
  None: () => false,
  Principal: (setting) => ['security.protocol', 'sasl.jaas.config', 'sasl.mechanism'].includes(setting),
};

/**
 * Plugins whose connectors may set `producer.override.*`, `consumer.override.*` and `admin.override.*` only as the worker's
 * policy lets them. The settings have no effect here; who relies on the refusal gets it.
 */
export function withOverridePolicy(catalog: PluginCatalog, policy: string): PluginCatalog {
  const name = policy.slice(policy.lastIndexOf('.') + 1).replace(/ConnectorClientConfigOverridePolicy$/, '');
  const allows = allowedBy[name];
  if (allows === undefined) return catalog;
  const errorsOf = (config: GivenConfig): readonly string[] =>
    Object.keys(config).flatMap((key) => {
      const [, setting] = /^(?:producer|consumer|admin)\.override\.(.+)$/.exec(key) ?? [];
      if (setting === undefined || allows(setting)) return [];
      return [`The '${name}' policy does not allow '${setting}' to be overridden in the connector configuration.`];
    });
  const judged = (plugin: ConnectorPlugin): ConnectorPlugin => ({
    ...plugin,
    validate: async (config, signal) => [...(await plugin.validate(config, signal)), ...errorsOf(config)],
  });
  return { find: (className) => judged(catalog.find(className)), all: () => catalog.all() };
}
