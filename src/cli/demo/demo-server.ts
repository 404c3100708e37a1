import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { MillraceError } from '../../base/errors.ts';
import type { ConnectionSettings } from '../../binlog/connection.ts';
import { flavors, hasServer, startServer } from '../private-server.ts';
import type { Flavor } from '../private-server.ts';

/** The server that the demo works on. */
export interface DemoServer extends AsyncDisposable {
  readonly name: string;
  readonly flavor: Flavor;
  /** Ours, with its data in the folder. */
  readonly isPrivate: boolean;
  /** May create and write. */
  readonly admin: ConnectionSettings;
  /** Replicates. */
  readonly replicator: ConnectionSettings;
  readonly database: string;
  /** Where all that belongs to this server goes. */
  readonly folder: string;
}

export interface DemoServerOptions {
  readonly data: string;
  readonly flavor?: Flavor;
  /** MILLRACE_MYSQL_URL. */
  readonly url: string | undefined;
}

/**
 * The server at the URL, or a private one whose data stays in the folder.
 *
 * @throws MYSQL_UNREACHABLE, CONFIG_INVALID
 */
export async function openDemoServer({ data, flavor, url }: DemoServerOptions): Promise<DemoServer> {
  if (url !== undefined && url !== '') return foreignServer(data, url, flavor);
  const chosen = flavor ?? firstInstalled();
  const folder = join(data, chosen);
  const server = await startServer({ flavor: chosen, dataDir: join(folder, 'server') });
  const { host, port, root, user, password } = server;
  return {
    name: `${chosen === 'mysql' ? 'MySQL' : 'MariaDB'} ${server.version}, private, on port ${port}`,
    flavor: chosen,
    isPrivate: true,
    admin: { host, port, user: root.user, password: root.password },
    replicator: { host, port, user, password },
    database: 'shop',
    folder,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function firstInstalled(): Flavor {
  for (const each of flavors) if (hasServer(each)) return each;
  throw new MillraceError('MYSQL_UNREACHABLE', 'There is no private server in this checkout.', {
    nextStep: 'Run `npm run setup`, which brings one, or set MILLRACE_MYSQL_URL=mysql://user:password@host:port.',
  });
}

function foreignServer(data: string, text: string, flavor: Flavor | undefined): DemoServer {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', 'MILLRACE_MYSQL_URL is no URL.', {
      cause,
      nextStep: 'Write it as mysql://user:password@host:port.',
    });
  }
  if (!/^(?:mysql|mariadb):$/.test(url.protocol) || url.hostname === '') {
    throw new MillraceError('CONFIG_INVALID', `MILLRACE_MYSQL_URL has the form ${url.protocol}//…`, {
      nextStep: 'Write it as mysql://user:password@host:port.',
    });
  }
  const settings: ConnectionSettings = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  const id = createHash('sha256').update(`${settings.host}:${settings.port}`).digest('hex').slice(0, 8);
  return {
    name: `the server at ${settings.host}:${settings.port}`,
    flavor: flavor ?? (url.protocol === 'mariadb:' ? 'mariadb' : 'mysql'),
    isPrivate: false,
    admin: settings,
    replicator: settings,
    // Not "shop": the demo drops and makes its database, and there may be a real one of that name.
    database: 'millrace_demo_shop',
    folder: join(data, `server-${id}`),
    async [Symbol.asyncDispose]() {},
  };
}
