import { type Flavor, type PrivateServer, type PrivateServerOptions } from '../../src/cli/private-server.ts';

/** Servers by flavor and options, each started once, by the first who asks. */
export interface ServerPool extends AsyncDisposable {
  get(flavor: Flavor, options: Readonly<Record<string, string>>): Promise<PrivateServer>;
}

export function createServerPool(start: (options: PrivateServerOptions) => Promise<PrivateServer>): ServerPool {
  const servers = new Map<string, Promise<PrivateServer>>();
  return {
    get(flavor, options) {
      const key = JSON.stringify([flavor, Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
      const known = servers.get(key);
      if (known !== undefined) return known;
      const started = start({ flavor, options });
      servers.set(key, started);
      return started;
    },
    async [Symbol.asyncDispose]() {
      for (const result of await Promise.allSettled(servers.values())) {
        if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]();
      }
    },
  };
}
