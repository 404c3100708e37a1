import { accessSync, constants, mkdirSync } from 'node:fs';
import { messageOf, MillraceError } from '../base/errors.ts';

/**
 * Makes a folder that we are going to write to; the data folder is its owner's alone.
 *
 * @throws FOLDER_UNUSABLE, DISK_FULL
 */
export function makeFolder(path: string, what: 'the data folder' | 'the folder of the replica'): void {
  try {
    mkdirSync(path, { recursive: true, mode: what === 'the data folder' ? 0o700 : 0o777 });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const isFull = error instanceof Error && ['ENOSPC', 'EDQUOT'].includes(String(Reflect.get(error, 'code')));
    throw new MillraceError(isFull ? 'DISK_FULL' : 'FOLDER_UNUSABLE', `${path}, ${what}, cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
