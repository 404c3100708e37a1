import { MillraceError } from '../base/errors.ts';

export function preparedRefused(place: string): MillraceError {
  return new MillraceError('BINLOG_UNSUPPORTED', `an XA transaction was prepared at ${place}`, {
    nextStep: 'This version does not follow XA transactions: exclude the tables that they change, or avoid XA.',
  });
}

export function eventsLost(place: string, message: string): MillraceError {
  return new MillraceError('BINLOG_CORRUPT', `the server lost events at ${place}: ${message}`, { nextStep: 'Resync: `millrace resync`.' });
}
