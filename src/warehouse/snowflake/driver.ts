import type * as Snowflake from 'snowflake-sdk';
import { messageOf, MillraceError } from '../../base/errors.ts';

/** What of the driver is used. */
export type Driver = Pick<typeof Snowflake, 'createConnection' | 'configure'>;

/**
 * The driver, which is loaded where it is used and nowhere else: it is large, and not everybody has it.
 * @throws DRIVER_MISSING
 */
export async function loadDriver(): Promise<Driver> {
  // A native addon of it, for telemetry alone.
  process.env['SNOWFLAKE_DISABLE_MINICORE'] ??= 'true';
  let loaded: { readonly default: Driver };
  try {
    loaded = await import('snowflake-sdk');
  } catch (error) {
    throw new MillraceError('DRIVER_MISSING', `Snowflake's driver cannot be loaded: ${messageOf(error)}`, {
      cause: error,
      nextStep: 'Install it beside millrace: npm install snowflake-sdk@3',
    });
  }
  // It would write a file snowflake.log where the process runs.
  loaded.default.configure({ logLevel: 'OFF', additionalLogToConsole: false, useEnvProxy: true });
  return loaded.default;
}
