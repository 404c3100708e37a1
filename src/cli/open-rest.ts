import type { Logger } from '../base/logger.ts';
import { readProviders, resolveProviders } from '../config/config-providers.ts';
import type { WorkerProperties } from '../config/worker-properties.ts';
import { adminRoutes } from '../rest/admin-routes.ts';
import { readAuthentication } from '../rest/basic-authentication.ts';
import { connectorRoutes } from '../rest/connector-routes.ts';
import { readListeners } from '../rest/listeners.ts';
import type { Listener } from '../rest/listeners.ts';
import { createLoggers } from '../rest/loggers.ts';
import { openRestServer } from '../rest/open-rest-server.ts';
import type { RestServer } from '../rest/open-rest-server.ts';
import { metricsRoutes } from '../rest/metrics-routes.ts';
import { pluginRoutes } from '../rest/plugin-routes.ts';
import { readHeaderRules } from '../rest/response-headers.ts';
import { rootRoutes } from '../rest/root-routes.ts';
import { readTlsSettings } from '../rest/tls-settings.ts';
import type { Route } from '../rest/route.ts';
import type { ConnectService } from '../worker/connect-service.ts';
import { componentPlugins } from './component-plugins.ts';

export interface RestOptions {
  readonly service: ConnectService;
  readonly properties: WorkerProperties;
  readonly log: Logger;
}

/**
 * Opens the worker's listeners.
 *
 * @throws LISTEN_FAILED, CONFIG_INVALID
 */
export async function openRest({
  service,
  properties: { values, all },
  log,
}: RestOptions): Promise<AsyncDisposable & { readonly urls: readonly string[] }> {
  const names = service.plugins.all().flatMap(({ className }) => [className, className.slice(0, className.lastIndexOf('.'))]);
  const loggers = createLoggers([...new Set(names), 'org.apache.kafka.connect'], (level) => service.setLogLevel(level));
  const admin = adminRoutes(loggers);
  const providers = readProviders(all);
  const resolve = (config: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    resolveProviders(config, process.env, providers).properties;
  const main = [
    ...rootRoutes(service),
    ...connectorRoutes(service),
    ...pluginRoutes({ service, components: componentPlugins, resolve }),
    ...metricsRoutes(service),
  ];
  const adminAddresses = values['admin.listeners'];
  const servers: { readonly listener: Listener; readonly routes: readonly Route[]; readonly isAdmin: boolean }[] = [
    ...readListeners('listeners', values.listeners).map((listener) => ({
      listener,
      routes: adminAddresses === undefined ? [...main, ...admin] : main,
      isAdmin: false,
    })),
    ...readListeners('admin.listeners', adminAddresses ?? []).map((listener) => ({ listener, routes: admin, isAdmin: true })),
  ];
  const authenticate = readAuthentication({
    extensions: values['rest.extension.classes'],
    usersFile: values['millrace.rest.users.file'],
    javaOptions: process.env['KAFKA_OPTS'],
  });
  await using opened = new AsyncDisposableStack();
  const urls: string[] = [];
  for (const { listener, routes, isAdmin } of servers) {
    const server: RestServer = await openRestServer({
      listener,
      routes,
      crossOrigin: {
        origins: isAdmin
          ? []
          : values['access.control.allow.origin']
              .split(',')
              .map((each) => each.trim())
              .filter((each) => each !== ''),
        methods: values['access.control.allow.methods'] === '' ? 'GET,POST,HEAD' : values['access.control.allow.methods'],
      },
      headers: isAdmin ? [] : readHeaderRules(values['response.http.headers.config']),
      ...(authenticate === undefined ? {} : { refuse: authenticate }),
      ...(listener.protocol === 'https' ? { tls: readTlsSettings(all, isAdmin ? 'admin.listeners.https.' : 'listeners.https.') } : {}),
      log,
    });
    opened.use(server);
    urls.push(server.url);
  }
  const owned = opened.move();
  return { urls, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}
