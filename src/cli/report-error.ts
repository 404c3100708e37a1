import { MillraceError, isMillraceError, messageOf } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import { createPaint, hasColors } from './terminal.ts';

/** What every command exits with. */
export const exitCodes = {
  ok: 0,
  /** Different, or failed. */
  failed: 1,
  /** Could not tell, or could not begin: wrong usage, unusable configuration, no worker. */
  undecided: 2,
} as const;

const couldNotBegin: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_UNREADABLE',
  'CONFIG_INVALID',
  'CONFIG_UNSUPPORTED',
  'DATA_LOCKED',
  'WORKER_NOT_RUNNING',
  'VERIFY_UNDECIDED',
]);

function exitCodeOf(error: unknown): number {
  return isMillraceError(error) && couldNotBegin.has(error.code) ? exitCodes.undecided : exitCodes.failed;
}

/**
 * An error in the one form that all commands print: code and what, cause, next step. The stack is shown only for
 * faults of Millrace itself.
 */
function formatError(error: unknown, colored: boolean): string {
  const paint = createPaint(colored);
  const known = isMillraceError(error) ? error : new MillraceError('INTERNAL', messageOf(error), { cause: error });
  const lines = [`${paint('red', `error ${known.code}`)}: ${known.message}`];
  for (const cause of causesOf(known)) lines.push(`  cause: ${cause}`);
  lines.push(`  next:  ${known.nextStep}`);
  if (known.code === 'INTERNAL') lines.push(paint('dim', stackOf(error)));
  return lines.join('\n');
}

/** Prints it to standard error and sets the exit code. */
export function reportError(error: unknown): void {
  process.stderr.write(`${formatError(error, hasColors(process.stderr))}\n`);
  process.exitCode = exitCodeOf(error);
}

function causesOf(error: MillraceError): readonly string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < 5; cause = cause instanceof Error ? cause.cause : undefined) {
    const text = messageOf(cause);
    if (text !== '' && !error.message.includes(text)) causes.push(text);
  }
  return causes;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}
