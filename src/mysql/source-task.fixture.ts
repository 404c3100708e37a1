import type { SharedServer } from '../../test/servers/shared.ts';
import { parseSourceConfig } from './connector-config.ts';
import type { SourceConfig } from './source-config.ts';

/** A source of one database, with a server id of its own. */
export function configOf(server: SharedServer, database: string, extra: Readonly<Record<string, string>> = {}): SourceConfig {
  const connectorClass = server.flavor === 'mysql' ? 'mysql.MySqlConnector' : 'mariadb.MariaDbConnector';
  return parseSourceConfig({
    name: `source-${database}`,
    config: {
      'connector.class': `io.debezium.connector.${connectorClass}`,
      'database.hostname': server.host,
      'database.port': String(server.port),
      'database.user': server.root.user,
      'database.password': server.root.password,
      'database.server.id': String(1_000_000 + Math.floor(Math.random() * 1e9)),
      'topic.prefix': 'p',
      'database.include.list': database,
      ...extra,
    },
  });
}
