import type { SourceConnector } from '../connect/connector.ts';
import { parseSourceConfig, sourceConnectorClasses } from './connector-config.ts';
import { openSourceTask } from './source-task.ts';

/** Debezium's MySQL and MariaDB source connectors. */
export const mysqlSource: SourceConnector = {
  kind: 'source',
  classNames: sourceConnectorClasses,
  openTask({ connector, properties, state, log }, signal) {
    return openSourceTask({ config: parseSourceConfig({ name: connector, config: properties }), state, log }, signal);
  },
};
