import { openSync, writeSync } from 'node:fs';
import { pino } from 'pino';
import type { Logger } from '../base/logger.ts';
import type { LoggingOptions } from '../worker/thread-messages.ts';

const names: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };
const colors: Readonly<Record<string, string>> = { debug: '90', info: '32', warn: '33', error: '31' };

/**
 * A logger that writes whole lines at once, so that those of several threads do not mix: for people, or as JSON.
 * Secrets hide themselves, see `Secret`.
 */
export function openLogger(options: LoggingOptions): Logger {
  const fd = options.file === undefined ? 2 : openSync(options.file, 'a');
  const destination = {
    write(line: string): void {
      const text = options.format === 'json' ? line : `${lineForPeople(line, options.color)}\n`;
      try {
        writeSync(fd, text);
      } catch {
        // A closed pipe or a full disk must not stop replication.
      }
    },
  };
  const logger = pino({ level: options.level, base: null, onChild: (child) => void loggers.add(new WeakRef(child)) }, destination);
  loggers.add(new WeakRef(logger));
  return logger;
}

/** Of this thread; a child has a level of its own. */
const loggers = new Set<WeakRef<{ level: string }>>();

/** Changes the level of all loggers of this thread. */
export function setLogLevel(level: LoggingOptions['level']): void {
  for (const each of loggers) {
    const logger = each.deref();
    if (logger === undefined) loggers.delete(each);
    else logger.level = level;
  }
}

/** `06:12:01.123 warn  [shop-source] message  attempt=2 waitMs=400`, and the stack of an error below it. */
function lineForPeople(json: string, color: boolean): string {
  const record: unknown = JSON.parse(json);
  if (typeof record !== 'object' || record === null) return json;
  const { time, level, msg, connector, err, ...fields }: Record<string, unknown> = { ...record };
  const at = new Date(Number(time)).toISOString().slice(11, 23);
  const name = names[Number(level)] ?? 'info';
  const shown = color ? `\u001b[${colors[name]}m${name}\u001b[0m` : name;
  const padding = ' '.repeat(Math.max(0, 6 - name.length));
  const whose = typeof connector === 'string' ? `[${connector}] ` : '';
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  return `${at} ${shown}${padding}${whose}${String(msg)}${rest.length === 0 ? '' : `  ${rest.join(' ')}`}${stack}`;
}
