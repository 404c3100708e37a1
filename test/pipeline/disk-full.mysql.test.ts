/** A disk that is full: the worker waits and says so, keeps what it has, and goes on when there is room again. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline, until } from './harness.ts';

/** A small disk of the worker's own, in a mount namespace, which needs no root where the system allows user namespaces. */
const namespace = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'] as const;
const mount = 'mount -t tmpfs -o size=24m none "$0" && mkdir "$0/log" && exec "$@"';

function withoutNamespaces(): string | false {
  const [program, ...words] = namespace;
  const probe = spawnSync(program, [...words, 'mount -t tmpfs none /mnt']);
  return probe.status === 0 ? false : 'this system lets no user mount a disk of its own (unshare --user --mount)';
}

/** Takes all the room that is left. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (const block of [Buffer.alloc(65_536), Buffer.alloc(512)]) {
      try {
        for (;;) writeSync(descriptor, block);
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

for (const flavor of flavors) {
  const skip = withoutServer(flavor) || withoutNamespaces();

  for (const what of ['log', 'replica'] as const) {
    test(`on a full disk of the ${what} the worker waits, says DISK_FULL, loses nothing and goes on, on ${flavor}`, { skip }, async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      const { root, name } = database;
      await root.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, filler VARBINARY(1000) NOT NULL)');
      const insert = async (rows: number): Promise<void> => {
        await root.query(`INSERT INTO t (filler) VALUES ${Array.from({ length: rows }, () => '(RANDOM_BYTES(1000))').join(',')}`);
      };
      await insert(100);
      await using pipeline = await openPipeline({ server, databases: [name], connectors: [] });
      const disk = join(pipeline.folder, 'disk');
      mkdirSync(disk);
      mkdirSync(pipeline.dataFolder);
      // The rest of the data folder stays where this process can see it.
      if (what === 'log') symlinkSync(join(disk, 'log'), join(pipeline.dataFolder, 'log'));
      await pipeline.configureUsual(what === 'log' ? {} : { 'duckdb.file': join(disk, 'replica.duckdb') });
      const worker = await pipeline.start({ under: [...namespace, mount, disk] });
      await pipeline.caughtUp(root);
      await pipeline.assertEqual();
      const filler = join('/proc', String(worker.pid), 'root', disk, 'filler');
      fill(filler);
      for (let i = 0; i < 10; i++) await insert(200);
      const isFull = async (): Promise<boolean> => {
        const { sources, sinks } = await pipeline.status();
        return (what === 'log' ? sources : sinks).some(({ error, state }) => error?.code === 'DISK_FULL' && state === 'RESTARTING');
      };
      await until('a task says that the disk is full', isFull, { deadlineMs: 30_000, describe: () => worker.stderr });
      assert.match(worker.stderr, /interrupted, it is tried again .*code=DISK_FULL/);
      assert.equal(worker.hasEnded, false, worker.stderr);
      rmSync(filler);
      await pipeline.caughtUp(root);
      await pipeline.assertEqual();
      assert.equal((await worker.stop()).code, 0);
    });
  }
}
