import { MillraceError } from '../base/errors.ts';
import { isComponentNamed } from '../config/component-plugin.ts';
import type { ComponentPlugin } from '../config/component-plugin.ts';
import { definitionOf } from '../config/config-key.ts';
import type { ConfigInfos, ConfigKey, KeyDefinition } from '../config/config-key.ts';
import { sinkGroups, sourceGroups } from '../config/connector-keys.ts';
import { withoutNulls } from '../worker/connect-service.ts';
import type { ConnectService, ConnectorPlugin, GivenConfig } from '../worker/connect-service.ts';
import { readConfigBody } from './request-body.ts';
import { ok } from './route.ts';
import type { RestRequest, Route } from './route.ts';

type Plugin = ConnectorPlugin | ComponentPlugin;

/** As Connect lists them: kind by kind, by name in each. */
const kinds: readonly Plugin['type'][] = ['sink', 'source', 'transformation', 'predicate', 'converter', 'header_converter'];
const connectorKinds = new Set<Plugin['type']>(['sink', 'source']);

/** Providers of configurations are no plugins that can be asked for. */
const providers = new Set(['FileConfigProvider', 'DirectoryConfigProvider', 'EnvVarConfigProvider']);

const commonGroups = new Set<string | null>([...sourceGroups, ...sinkGroups]);
const isCommon = ({ facts }: ConfigKey): boolean => commonGroups.has(facts[4]);

export interface PluginRoutesOptions {
  readonly service: ConnectService;
  readonly components: readonly ComponentPlugin[];
  /** Puts what config providers have in the place of references. */
  readonly resolve: (config: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
}

/** `/connector-plugins` and everything under it. */
export function pluginRoutes({ service, components, resolve }: PluginRoutesOptions): readonly Route[] {
  const all: readonly Plugin[] = [...service.plugins.all(), ...components].sort(
    (a, b) => kinds.indexOf(a.type) - kinds.indexOf(b.type) || (a.className < b.className ? -1 : 1),
  );
  return [
    {
      method: 'GET',
      path: '/connector-plugins',
      answer(request) {
        const [only = 'true'] = request.query('connectorsOnly');
        const shown = only === 'true' || only === '' ? all.filter(({ type }) => connectorKinds.has(type)) : all;
        return ok(shown.map(({ className, type, version }) => ({ class: className, type, version })));
      },
    },
    { method: 'GET', path: '/connector-plugins/:plugin/config', answer: (request) => ok(definitionsOf(findPlugin(all, request))) },
    {
      method: 'PUT',
      path: '/connector-plugins/:plugin/config/validate',
      async answer(request) {
        const config = readConfigBody(request.json());
        const name = request.param('plugin');
        const given = config['connector.class'] ?? '';
        if (given === '') {
          throw new MillraceError('REQUEST_INVALID', 'The configuration contains no connector type: connector.class is missing.');
        }
        const plugin = service.plugins.all().find((each) => isNamed(each, name));
        // An alias in the path takes the full name in the body, not the other way round.
        if (given !== name && given !== plugin?.className) {
          throw new MillraceError('REQUEST_INVALID', `Included connector type ${given} does not match request type ${name}`);
        }
        const resolved = { ...config, ...resolve(withoutNulls(config)) };
        return ok(hideResolved(await service.plugins.find(given).describe(resolved, request.signal), config, resolved));
      },
    },
  ];
}

/** Judged is what the references stand for, shown are the references. */
function hideResolved(infos: ConfigInfos, given: GivenConfig, resolved: GivenConfig): ConfigInfos {
  const configs = infos.configs.map((info) => {
    const { value } = info;
    const [before, after] = [given[value.name] ?? '', resolved[value.name] ?? ''];
    if (before === after || after === '') return info;
    const errors = value.errors.map((error) => error.replaceAll(after, () => before));
    return { ...info, value: { ...value, value: value.value === null || value.value === '[hidden]' ? value.value : before, errors } };
  });
  return { ...infos, configs };
}

function findPlugin(all: readonly Plugin[], request: RestRequest): Plugin {
  const name = request.param('plugin');
  const plugin = all.find((each) => isNamed(each, name));
  if (plugin === undefined) {
    if (providers.has(name.slice(name.lastIndexOf('.') + 1))) {
      const valid = 'sink, source, converter, header_converter, transformation, predicate';
      throw new MillraceError('REQUEST_INVALID', `Invalid plugin class ${name}. Valid types are ${valid}.`);
    }
    throw new MillraceError('CONNECTOR_NOT_FOUND', `Unknown plugin ${name}.`);
  }
  const version = request.query('version')[0];
  if (version !== undefined && version !== plugin.version) {
    const message = `Plugin ${plugin.className} not found that matches the version range [${version},${version}], available versions: [${plugin.version}]`;
    throw new MillraceError('REQUEST_INVALID', message);
  }
  return plugin;
}

function isNamed(plugin: Plugin, name: string): boolean {
  return 'aliases' in plugin ? plugin.className === name || plugin.aliases.includes(name) : isComponentNamed(plugin, name);
}

/** Connect's own keys come last here, and first in a validation. The worker's converters are not told as defaults. */
function definitionsOf(plugin: Plugin): readonly KeyDefinition[] {
  if (!connectorKinds.has(plugin.type)) return plugin.keys.map(definitionOf);
  return [...plugin.keys]
    .sort((a, b) => Number(isCommon(a)) - Number(isCommon(b)))
    .map((key) => {
      const definition = definitionOf(key);
      return /^(?:key|value|header)\.converter(?:\.plugin\.version)?$/.test(definition.name)
        ? { ...definition, default_value: null }
        : definition;
    });
}
