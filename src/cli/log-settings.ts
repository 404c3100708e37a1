import { join } from 'node:path';
import type { EmbeddedLogOptions } from '../log/embedded/open-embedded-log.ts';
import type { LogSettings } from '../worker/thread-messages.ts';

export const defaultLogSettings: LogSettings = {
  maxBytes: 20e9,
  // What every sink has committed stays for `tail` and for sinks that are added later.
  retentionMs: 7 * 24 * 3600 * 1000,
  retentionBytes: 2e9,
};

/** The embedded log of a data folder, as every thread and `tail` open it. */
export function embeddedLogOptions(dataFolder: string, settings: LogSettings, onFull?: EmbeddedLogOptions['onFull']): EmbeddedLogOptions {
  return { folder: join(dataFolder, 'log'), ...settings, ...(onFull === undefined ? {} : { onFull }) };
}
