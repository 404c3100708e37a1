import { MillraceError, messageOf } from '../../base/errors.ts';

// Source: sqlite.org/rescode.html; an extended code holds its primary one in the low 8 bits.
const busy = 5;
const corrupt = 11;
const full = 13;
const notADatabase = 26;
const ioError = 10;
/** I/O errors that a full disk causes: a failed write, fsync, truncate, or the growth of the WAL's index. */
const ioErrorsOfFullDisk = [778, 1034, 1546, 4618, 4874];

/** SQLite's (extended) error code of something thrown. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

export function isBusy(error: unknown): boolean {
  return ((sqliteCode(error) ?? 0) & 0xff) === busy;
}

/** Whether the file system of the log has no room for another group. */
export type DiskIsFull = () => boolean;

/** What the caller can act on; anything that is not SQLite's or the file system's comes back as it is. */
export function translateError(cause: unknown, file: string, diskIsFull: DiskIsFull): unknown {
  const code = sqliteCode(cause);
  if (code === undefined) return translateFileError(cause, file);
  const context = { file, sqlite: code };
  const text = messageOf(cause);
  switch (code & 0xff) {
    case full:
      return new MillraceError('DISK_FULL', `No room to write ${file}: ${text}`, { cause, context, retriable: true });
    case corrupt:
    case notADatabase:
      return new MillraceError('LOG_CORRUPT', `${file} is damaged: ${text}`, { cause, context });
    case busy:
      return new MillraceError('LOG_IO', `${file} is held by another process: ${text}`, { cause, context, retriable: true });
    case ioError:
      if (ioErrorsOfFullDisk.includes(code) && diskIsFull()) {
        return new MillraceError('DISK_FULL', `No room to write ${file}: ${text}`, { cause, context, retriable: true });
      }
      return new MillraceError('LOG_IO', `${file}: ${text} (SQLite ${code})`, { cause, context, retriable: true });
    default:
      return new MillraceError('LOG_IO', `${file}: ${text} (SQLite ${code})`, { cause, context });
  }
}

function translateFileError(cause: unknown, file: string): unknown {
  if (!(cause instanceof Error) || !('errno' in cause) || !('code' in cause)) return cause;
  if (cause.code === 'ENOSPC') return new MillraceError('DISK_FULL', `No room to make ${file}`, { cause, retriable: true });
  return new MillraceError('LOG_IO', `${file}: ${cause.message}`, { cause });
}
