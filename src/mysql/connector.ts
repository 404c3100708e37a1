import type { SourceConnector } from '../connect/connector.ts';
import type { SourceState } from '../connect/tasks.ts';
import { parseSourceConfig, sourceConnectorClasses } from './connector-config.ts';
import { openSourceTask } from './source-task.ts';

/** Debezium's MySQL and MariaDB source connectors. */
export const mysqlSource: SourceConnector = {
  kind: 'source',
  classNames: sourceConnectorClasses,
  openTask({ connector, properties, state, log, keepsTables, run }, signal) {
    const config = parseSourceConfig({ name: connector, config: properties });
    return openSourceTask(
      {
        config,
        state: ofPrefix(state, config.topicPrefix),
        log,
        ...(keepsTables === undefined ? {} : { keepsTables }),
        ...(run === undefined ? {} : { run }),
      },
      signal,
    );
  },
};

/** A source of another prefix than before begins anew, as Debezium's does. */
function ofPrefix(state: SourceState, prefix: string): SourceState {
  if (state.offsets === undefined) return state;
  return { ...state, offset: state.offsets.find(({ partition }) => partition?.['server'] === prefix)?.offset };
}
