import type { SnowflakeEmulator } from '../snowflake-emulator/snowflake-emulator.ts';
import type { Connector } from './harness.ts';

/** A sink to the emulator's account that flushes soon. */
export function snowflakeSink(
  { url }: Pick<SnowflakeEmulator, 'url'>,
  name: string,
  { prefix, more = {} }: { readonly prefix: string; readonly more?: Readonly<Record<string, string>> },
): Connector {
  return {
    name,
    config: {
      'connector.class': 'io.millrace.SnowflakeSinkConnector',
      'topics.regex': `${prefix}\\..*`,
      'snowflake.url.name': url,
      'snowflake.user.name': 'MILLRACE',
      'snowflake.authenticator': 'snowflake',
      'snowflake.password': 'secret',
      'snowflake.database.name': 'millrace',
      'flush.interval.ms': '300',
      ...more,
    },
  };
}
