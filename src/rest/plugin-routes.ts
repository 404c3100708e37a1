import { MillraceError } from '../base/errors.ts';
import type { ConnectService } from '../worker/connect-service.ts';
import { readConfigBody } from './request-body.ts';
import { ok } from './route.ts';
import type { Route } from './route.ts';

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
        const name = request.param('plugin');
        throw new MillraceError('CONNECTOR_NOT_FOUND', `Unknown plugin ${name}.`);
      },
    },
    {
      method: 'PUT',
      path: '/connector-plugins/:plugin/config/validate',
      answer(request) {
        readConfigBody(request.json());
        throw new MillraceError('CONNECTOR_NOT_FOUND', `Unknown plugin ${request.param('plugin')}.`);
      },
    },
  ];
}
