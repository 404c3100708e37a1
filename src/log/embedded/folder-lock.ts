import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isMillraceError, MillraceError } from '../../base/errors.ts';
import { isBusy, translateError } from './sqlite-error.ts';

/**
 * Makes this process the only one that works on a data folder, until it is disposed or the process ends, however it ends.
 *
 * The lock is SQLite's lock on `worker.lock`, a file that is never removed: the kernel gives it to one of any number of
 * starters and takes it back when its holder dies. A file with a process id would outlive its holder, and its id come to
 * name another process. Who holds the lock is written beside it, for the message only: the lock's file must not be opened
 * in any other way, since closing it again would drop the lock.
 * @throws DATA_LOCKED with the holder's process id in its context
 */
export function lockFolder(folder: string): Disposable {
  const file = join(folder, 'worker.lock');
  const holder = join(folder, 'worker.pid');
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    db = new DatabaseSync(file, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    // whole or not at all, so that nobody reads half of it
    writeFileSync(`${holder}.new`, String(process.pid));
    renameSync(`${holder}.new`, holder);
  } catch (error) {
    if (db?.isOpen === true) db.close();
    if (isBusy(error)) throw lockedBy(folder, readHolder(holder));
    const translated = translateError(error, file, () => false);
    if (!isMillraceError(translated, 'LOG_CORRUPT')) throw translated;
    throw new MillraceError('LOG_IO', `${file} is no lock: something else has written to it`, {
      cause: error,
      nextStep: 'It holds no data: see that no worker runs on the folder, and remove it.',
    });
  }
  const lock = db;
  return {
    [Symbol.dispose]() {
      if (!lock.isOpen) return;
      rmSync(holder, { force: true });
      lock.close();
    },
  };
}

function lockedBy(folder: string, pid: number | undefined): MillraceError {
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new MillraceError('DATA_LOCKED', `${folder} is in use by ${who}`, { context: { folder, pid } });
}

/** Undefined when the holder has not written its id yet. */
function readHolder(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
