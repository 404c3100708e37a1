import { MillraceError } from '../base/errors.ts';

/** `errors.*` of a sink: what becomes of records that cannot be converted, transformed or stored. */
export interface ErrorHandling {
  /** `errors.tolerance=all`: they are left out. */
  readonly tolerates: boolean;
  /** How long an operation that may succeed later is repeated; -1: without end. */
  readonly retryTimeoutMs: number;
  readonly retryDelayMaxMs: number;
  readonly logs: boolean;
  readonly logsRecords: boolean;
  /** Where they are kept; undefined: nowhere. */
  readonly deadLetterTopic: string | undefined;
  /** Their records tell in headers what went wrong. */
  readonly contextHeaders: boolean;
}

/** @throws CONFIG_INVALID */
export function readErrorHandling(properties: Readonly<Record<string, string>>): ErrorHandling {
  const text = (name: string): string => (properties[name] ?? '').trim();
  const number = (name: string, otherwise: number): number => {
    const value = text(name) === '' ? otherwise : Number(text(name));
    if (!Number.isInteger(value)) throw new MillraceError('CONFIG_INVALID', `${name} is "${text(name)}", which is no whole number`);
    return value;
  };
  const tolerance = text('errors.tolerance').toLowerCase() || 'none';
  if (tolerance !== 'none' && tolerance !== 'all') {
    throw new MillraceError('CONFIG_INVALID', `errors.tolerance is "${tolerance}"`, { nextStep: 'It is none or all.' });
  }
  const deadLetterTopic = text('errors.deadletterqueue.topic.name');
  return {
    tolerates: tolerance === 'all',
    retryTimeoutMs: number('errors.retry.timeout', 0),
    retryDelayMaxMs: number('errors.retry.delay.max.ms', 60_000),
    logs: text('errors.log.enable').toLowerCase() === 'true',
    logsRecords: text('errors.log.include.messages').toLowerCase() === 'true',
    deadLetterTopic: deadLetterTopic === '' ? undefined : deadLetterTopic,
    contextHeaders: text('errors.deadletterqueue.context.headers.enable').toLowerCase() === 'true',
  };
}
