import type { Logger } from '../base/logger.ts';
import { openConnection } from '../binlog/connection.ts';
import type { SourceState, SourceTask } from '../connect/tasks.ts';
import { connectionSettings } from './connection-settings.ts';
import { loadCharsets } from './charset.ts';
import { checkGuardrail } from './guardrail.ts';
import type { SourceConfig } from './source-config.ts';
import { openSourceModels, otherTableTopic, tableTopic } from './source-models.ts';
import { checkStart } from './start-checks.ts';
import { MysqlSourceTask } from './mysql-source-task.ts';

export interface SourceTaskOptions {
  readonly config: SourceConfig;
  readonly state: SourceState;
  readonly log: Logger;
  /** As of `TaskContext`; absent: true. */
  readonly keepsTables?: () => boolean;
  /** As of `TaskContext`. */
  readonly run?: string;
}

/**
 * A MySQL or MariaDB source: a snapshot first, if there is none yet, then the stream of its binlog.
 *
 * @throws MYSQL_UNREACHABLE (retriable), MYSQL_ACCESS_DENIED, MYSQL_SETTING, MYSQL_PRIVILEGE_MISSING, BINLOG_PURGED
 */
export async function openSourceTask(options: SourceTaskOptions, signal: AbortSignal): Promise<SourceTask> {
  const { config, state } = options;
  const settings = connectionSettings(config.server);
  const control = await openConnection(settings, signal);
  try {
    const snapshots = config.snapshotMode === 'always' || (state.offset === undefined && config.snapshotMode !== 'no_data');
    const keepsTables = options.keepsTables?.() ?? true;
    await checkStart(control, config, { log: options.log, snapshots, keepsTables }, signal);
    await checkGuardrail(control, config, options.log, signal);
    const charsets = await loadCharsets(control, signal);
    const models = await openSourceModels(
      { config, connection: control, state: state.state(tableTopic), others: state.state(otherTableTopic), log: options.log },
      signal,
    );
    const task = new MysqlSourceTask({ ...options, settings, control, charsets, models });
    await task.start(signal);
    return task;
  } catch (error) {
    control.destroy();
    throw error;
  }
}
