import { messageOf, MillraceError } from '../../base/errors.ts';

/** What a driver's error says, whatever its form. */
interface DriverFault {
  readonly code: number;
  readonly message: string;
}

function faultOf(error: unknown): DriverFault {
  const code = typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : NaN;
  return { code, message: messageOf(error) };
}

/** The session is gone, or what it logged in with is too old. */
const sessionGone = new Set([390111, 390112, 390113, 390114, 390115, 390195, 390318]);
/** Account, user, password, key or token are not accepted. */
const refusedLogin = new Set([
  390100, 390101, 390102, 390103, 390104, 390105, 390106, 390107, 390108, 390127, 390128, 390144, 390186, 390189, 390190, 390191, 390303,
  390400, 394300, 394301, 394302, 394303, 394304, 394500,
]);
/** Of the driver itself: no answer, a broken answer, a connection that was closed. */
const networkCodes = new Set([401001, 401002, 402001, 402002, 405501, 405502, 405503, 407001, 407002, 408001, 408002, 408003]);
/** Another transaction holds a lock; a statement was stopped; the service is busy. */
const passingCodes = new Set([603, 604, 625, 630, 635, 636, 637, 638, 300, 300002, 300005, 90082, 90109]);
const missingCodes = new Set([2003, 2043, 2141]);
const forbiddenCodes = new Set([3001, 3540, 3541]);
const warehouseCodes = new Set([606, 90073, 90064]);

/** Whether the outcome of a statement is not known: it may have run. */
export function isUnknownOutcome(error: unknown): boolean {
  const cause = error instanceof MillraceError ? error.cause : error;
  return isNetworkFault(cause) || sessionGone.has(faultOf(cause).code);
}

/** Codes of sockets are words; a fault of the driver's own code is none of the network. */
function isNetworkFault(error: unknown): boolean {
  const { code } = faultOf(error);
  return networkCodes.has(code) || (Number.isNaN(code) && !(error instanceof TypeError || error instanceof RangeError));
}

/** Whether an object of a statement does not exist, or is hidden from the role. */
export function isMissing(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'WAREHOUSE_FAILED' && missingCodes.has(faultOf(error.cause).code);
}

/**
 * The driver's errors by their numbers; `statement` is without values, which may be secret.
 * Source: Snowflake documentation, error codes of its drivers; snowflake-connector-nodejs, lib/constants/error_messages
 */
export function translateDriverError(error: unknown, statement: string): MillraceError {
  if (error instanceof MillraceError) return error;
  const { code, message } = faultOf(error);
  const shown = statement.length > 300 ? `${statement.slice(0, 300)} …` : statement;
  const told = { cause: error, context: { statement: shown, ...(Number.isNaN(code) ? {} : { number: code }) } };
  if (refusedLogin.has(code)) {
    return new MillraceError('WAREHOUSE_ACCESS_DENIED', `Snowflake refuses the login: ${message}`, told);
  }
  if (sessionGone.has(code)) {
    return new MillraceError('WAREHOUSE_UNREACHABLE', `The session ended: ${message}`, { ...told, retriable: true });
  }
  if (isNetworkFault(error)) {
    return new MillraceError('WAREHOUSE_UNREACHABLE', `Snowflake does not answer: ${message}`, { ...told, retriable: true });
  }
  if (passingCodes.has(code)) return new MillraceError('WAREHOUSE_FAILED', message, { ...told, retriable: true });
  if (forbiddenCodes.has(code)) {
    return new MillraceError('WAREHOUSE_ACCESS_DENIED', message, { ...told, nextStep: `Grant the sink's role what this needs: ${shown}` });
  }
  if (missingCodes.has(code)) {
    return new MillraceError('WAREHOUSE_FAILED', message, {
      ...told,
      nextStep: "Create the object, or grant the sink's role the right to see it.",
    });
  }
  if (warehouseCodes.has(code)) {
    return new MillraceError('WAREHOUSE_FAILED', message, {
      ...told,
      retriable: true,
      nextStep: 'Set snowflake.warehouse to a warehouse that the role may use, or look at its resource monitor.',
    });
  }
  return new MillraceError('WAREHOUSE_FAILED', message, told);
}
