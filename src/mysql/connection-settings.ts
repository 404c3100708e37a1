import type { ConnectionSettings } from '../binlog/connection.ts';
import type { ServerConfig } from './source-config.ts';

/** How to connect to a configured server. */
export function connectionSettings({
  host,
  port,
  user,
  password,
  tls,
  connectTimeoutMs,
  initialStatements,
}: ServerConfig): ConnectionSettings {
  const settings = { host, port, user, password, ssl: tls, connectTimeoutMs };
  return initialStatements === undefined ? settings : { ...settings, initialStatements };
}
