import type { ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** `millrace.task.restart.*`: failed tasks are started again, as no Connect does by itself. */
export interface RestartPolicy {
  readonly enabled: boolean;
  /** Wait before the first restart; each further wait is twice as long, up to the longest. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** So many in a row at most. */
  readonly attempts: number;
  /** Having run so long, a task begins to count anew. */
  readonly calmMs: number;
}

/** What no time mends. */
const lasting: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'CONFIG_UNSUPPORTED',
  'NAME_COLLISION',
  'LOG_IDENTITY',
  'LOG_START_GONE',
  'DATA_VERSION',
]);

/** Plans the restarts of one task. */
export interface TaskRestarts {
  running(): void;
  failed(code: ErrorCode): void;
  /** It was stopped, paused or restarted by someone: nothing is planned any more. */
  cancel(): void;
}

export function createTaskRestarts(policy: RestartPolicy, log: Logger, restart: () => void): TaskRestarts {
  let attempts = 0;
  let runningSinceMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    running() {
      runningSinceMs ??= performance.now();
    },
    failed(code) {
      const ranMs = runningSinceMs === undefined ? 0 : performance.now() - runningSinceMs;
      runningSinceMs = undefined;
      clearTimeout(timer);
      if (!policy.enabled) return;
      if (ranMs >= policy.calmMs) attempts = 0;
      if (lasting.has(code)) {
        log.error({ code }, 'the task has failed; no restart mends this');
        return;
      }
      if (attempts >= policy.attempts) {
        log.error({ code, attempts }, 'the task has failed again and is not restarted any more: restart it by hand when the cause is gone');
        return;
      }
      const waitMs = Math.min(policy.longestMs, policy.firstMs * 2 ** attempts);
      attempts++;
      log.warn({ code, attempt: attempts, of: policy.attempts, waitMs }, 'the task has failed, it will be restarted');
      timer = setTimeout(restart, waitMs);
    },
    cancel() {
      clearTimeout(timer);
      timer = undefined;
      attempts = 0;
      runningSinceMs = undefined;
    },
  };
}
