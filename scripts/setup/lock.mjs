import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process does under the same name; waits for the one that does.
 *
 * The lock is a socket in Linux's abstract name space: the system drops it when its process ends, however that
 * ends, so that there is no stale lock to judge and take over, as there would be with a file.
 *
 * @param {string} name
 * @param {(line: string) => void} say
 * @param {() => void | Promise<void>} work
 */
export async function withLock(name, say, work) {
  const lock = createServer();
  for (let tries = 0; !(await take(lock, name)); tries++) {
    if (tries === 0) say('waiting for another setup of this checkout');
    await sleep(200);
  }
  try {
    await work();
  } finally {
    lock.close();
  }
}

/**
 * @param {import('node:net').Server} lock
 * @param {string} name
 */
async function take(lock, name) {
  // A name may have 107 bytes.
  lock.listen(`\0millrace-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`);
  try {
    await once(lock, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}
