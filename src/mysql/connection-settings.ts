import type { ConnectionSettings } from '../binlog/connection.ts';
import type { ServerConfig } from './source-config.ts';

/** How to connect to a configured server. */
export function connectionSettings({ host, port, user, password, tls, connectTimeoutMs }: ServerConfig): ConnectionSettings {
  return { host, port, user, password, ssl: tls, connectTimeoutMs };
}
