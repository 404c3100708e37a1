import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MillraceError } from '../../base/errors.ts';
import type { ConnectorConfig } from '../../connect/connector.ts';

export type DemoTarget = 'duckdb' | 'snowflake';

/** The sink of the demo, and what it needs to run. */
export interface DemoSink extends AsyncDisposable {
  readonly connector: ConnectorConfig;
  /** Said before the demo begins. */
  readonly note: string | undefined;
  /** What it leaves in the folder. */
  readonly leaves: string;
  /** Whether `millrace query` can look into the replica afterwards. */
  readonly stays: boolean;
  /** A query of what came of the orders, as the replica spells it. */
  readonly orders: string;
}

export interface DemoSinkOptions {
  readonly target: DemoTarget;
  /** Of the demo's server. */
  readonly folder: string;
  /** Database of the shop. */
  readonly database: string;
}

/** @throws CONFIG_UNSUPPORTED when there is no emulator */
export async function openDemoSink({ target, folder, database }: DemoSinkOptions): Promise<DemoSink> {
  return target === 'duckdb' ? duckDbSink(folder, database) : snowflakeSink(folder, database);
}

function duckDbSink(folder: string, database: string): DemoSink {
  return {
    connector: {
      name: 'shop-replica',
      config: {
        'connector.class': 'io.millrace.DuckDbSinkConnector',
        'topics.regex': 'demo\\..*',
        'duckdb.file': join(folder, 'shop.duckdb'),
      },
    },
    note: undefined,
    leaves: 'shop.duckdb',
    stays: true,
    orders: `SELECT status, count(*), sum(total) FROM ${database}.orders GROUP BY ALL`,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function snowflakeSink(folder: string, database: string): Promise<DemoSink> {
  const emulator = await startEmulator(join(folder, 'snowflake'));
  return {
    connector: {
      name: 'shop-snowflake',
      config: {
        'connector.class': 'io.millrace.SnowflakeSinkConnector',
        'topics.regex': 'demo\\..*',
        'snowflake.url.name': emulator.url,
        'snowflake.user.name': 'MILLRACE',
        'snowflake.authenticator': 'snowflake',
        'snowflake.password': 'secret',
        'snowflake.database.name': 'millrace',
        'flush.interval.ms': '1000',
      },
    },
    note: `an emulator of Snowflake's service at ${emulator.url}, no account: it proves statements and values, no speed and no cost; changes are applied each second, not each minute as by default`,
    leaves: 'snowflake (the emulator’s data)',
    stays: false,
    orders: `SELECT STATUS, COUNT(*) AS ORDERS, SUM(TOTAL) AS TOTAL FROM ${database.toUpperCase()}.ORDERS GROUP BY 1 ORDER BY 1`,
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  };
}

/** It is a program of the tests: the package does not have it. */
const emulatorFile = join(import.meta.dirname, '../../../test/snowflake-emulator/serve.ts');

async function startEmulator(folder: string): Promise<AsyncDisposable & { readonly url: string }> {
  if (!existsSync(emulatorFile)) {
    throw new MillraceError('CONFIG_UNSUPPORTED', 'The Snowflake emulator is part of a checkout of Millrace, not of the package.', {
      nextStep: 'Run the demo in a checkout, or replicate to an account with `millrace run`.',
    });
  }
  // it ends with this process, too: then its standard input does
  const child = spawn(process.execPath, [emulatorFile, JSON.stringify({ folder, port: 0 })], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const first = once(createInterface({ input: child.stdout }), 'line').then(([line]) => urlIn(String(line)));
  const url = await Promise.race([first, ended.then(() => undefined)]);
  if (url === undefined) throw new MillraceError('INTERNAL', 'The Snowflake emulator did not start; its messages are above.');
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function urlIn(line: string): string | undefined {
  const told: unknown = JSON.parse(line);
  return typeof told === 'object' && told !== null && 'url' in told && typeof told.url === 'string' ? told.url : undefined;
}
