import { MillraceError } from '../base/errors.ts';
import { definitionOf } from '../config/config-key.ts';
import type { ConfigKey } from '../config/config-key.ts';
import { sinkGroups, sourceGroups } from '../config/connector-keys.ts';
import type { ConnectService, ConnectorPlugin } from '../worker/connect-service.ts';
import { readConfigBody } from './request-body.ts';
import { ok } from './route.ts';
import type { Route } from './route.ts';

const isNamed = ({ className, aliases }: ConnectorPlugin, name: string): boolean => className === name || aliases.includes(name);

function findPlugin(service: ConnectService, name: string): ConnectorPlugin {
  const plugin = service.plugins.all().find((each) => isNamed(each, name));
  if (plugin === undefined) throw new MillraceError('CONNECTOR_NOT_FOUND', `Unknown plugin ${name}.`);
  return plugin;
}

const commonGroups = new Set<string | null>([...sourceGroups, ...sinkGroups]);
const isCommon = ({ facts }: ConfigKey): boolean => commonGroups.has(facts[4]);

/** `/connector-plugins` and everything under it. */
export function pluginRoutes(service: ConnectService): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/connector-plugins',
      answer: () => ok(service.plugins.all().map(({ className, type, version }) => ({ class: className, type, version }))),
    },
    {
      method: 'GET',
      path: '/connector-plugins/:plugin/config',
      answer(request) {
        const plugin = findPlugin(service, request.param('plugin'));
        const version = request.query('version')[0];
        if (version !== undefined && version !== plugin.version) {
          const message = `Plugin ${plugin.className} not found that matches the version range [${version},${version}], available versions: [${plugin.version}]`;
          throw new MillraceError('REQUEST_INVALID', message);
        }
        // Connect's own keys come last here, and first in a validation.
        return ok([...plugin.keys].sort((a, b) => Number(isCommon(a)) - Number(isCommon(b))).map(definitionOf));
      },
    },
    {
      method: 'PUT',
      path: '/connector-plugins/:plugin/config/validate',
      async answer(request) {
        const config = readConfigBody(request.json());
        const name = request.param('plugin');
        const given = config['connector.class'] ?? '';
        if (given === '')
          throw new MillraceError('REQUEST_INVALID', 'The configuration contains no connector type: connector.class is missing.');
        const plugin = service.plugins.all().find((each) => isNamed(each, name));
        // An alias in the path takes the full name in the body, not the other way round.
        if (given !== name && !(plugin !== undefined && given === plugin.className)) {
          throw new MillraceError('REQUEST_INVALID', `Included connector type ${given} does not match request type ${name}`);
        }
        return ok(await service.plugins.find(given).describe(config, request.signal));
      },
    },
  ];
}
