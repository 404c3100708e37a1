import { MillraceError } from '../base/errors.ts';
import type { LoggingOptions } from '../worker/thread-messages.ts';

/** Levels of log4j, from silent to all. */
const levels = ['OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'] as const;
type Level = (typeof levels)[number];

const ownLevels: Readonly<Record<Level, LoggingOptions['level']>> = {
  OFF: 'silent',
  FATAL: 'error',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'debug',
  ALL: 'debug',
};

/** Each is kept until the worker ends. */
const mostOfClients = 1000;

export interface LoggerState {
  readonly level: Level;
  /** Milliseconds since the epoch; null: since the start. */
  readonly last_modified: number | null;
}

/** The loggers that `/admin/loggers` shows, by the names that Connect's users know. */
export interface Loggers {
  all(): Readonly<Record<string, LoggerState>>;
  /** @throws CONNECTOR_NOT_FOUND */
  get(name: string): LoggerState;
  /**
   * Sets a logger and those below it; makes it if there is none. Gives those whose level it was not, sorted.
   * @throws CONNECTOR_NOT_FOUND for a level that there is not, REQUEST_INVALID when clients have made too many
   */
  set(name: string, level: string): readonly string[];
}

/**
 * Millrace has one level for all it says: the most talkative one of all loggers. Who asks for DEBUG of one class gets it,
 * and more.
 */
export function createLoggers(names: readonly string[], setLogLevel: (level: LoggingOptions['level']) => void): Loggers {
  const loggers = new Map<string, LoggerState>(['root', ...names].map((name) => [name, { level: 'INFO', last_modified: null }]));
  const canonical = (name: string): string => (name.toLowerCase() === 'root' ? 'root' : name);
  return {
    all: () => Object.fromEntries([...loggers].sort(([a], [b]) => (a < b ? -1 : 1))),
    get(name) {
      const state = loggers.get(canonical(name));
      if (state === undefined) throw new MillraceError('CONNECTOR_NOT_FOUND', `Logger ${name} not found.`);
      return state;
    },
    set(given, text) {
      const level = levels.find((each) => each === text.toUpperCase());
      if (level === undefined) throw new MillraceError('CONNECTOR_NOT_FOUND', `invalid log level '${text}'.`);
      const name = canonical(given);
      if (!loggers.has(name) && loggers.size > names.length + mostOfClients) {
        throw new MillraceError('REQUEST_INVALID', `There are ${mostOfClients} loggers already that clients have made.`);
      }
      if (!loggers.has(name)) loggers.set(name, { level: loggers.get('root')?.level ?? 'INFO', last_modified: null });
      const changed = [...loggers].filter(
        ([each, state]) => (name === 'root' || each === name || each.startsWith(`${name}.`)) && state.level !== level,
      );
      const now = Date.now();
      for (const [each] of changed) loggers.set(each, { level, last_modified: now });
      const most = Math.max(...[...loggers.values()].map((state) => levels.indexOf(state.level)));
      setLogLevel(ownLevels[levels[most] ?? 'INFO']);
      return changed.map(([each]) => each).sort();
    },
  };
}
