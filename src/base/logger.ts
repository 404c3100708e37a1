import type { Logger as PinoLogger } from 'pino';

/** Structured logger, passed down as `log.child({ connector, task })`; constant message, data in fields. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'> & { child(bindings: Record<string, unknown>): Logger };

/** A logger that drops everything, for tests and for parts used as a library. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
