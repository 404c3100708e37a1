import type { ErrorData } from '../base/errors.ts';

/** Class that stands in a trace before our own errors. */
const errorClass = 'io.millrace.MillraceException';

/**
 * A failure as Kafka Connect's status shows it, in the form of a Java stack trace: class and message, frames, causes. The
 * next step stands before the frames, where alerts cut the text off last.
 */
export function traceOf({ code, message, nextStep, stack }: ErrorData): string {
  const frames: string[] = [];
  for (const line of stack.split('\n')) {
    const trimmed = line.trim();
    if (trimmed.startsWith('at ')) frames.push(`\t${trimmed}`);
    else if (trimmed.startsWith('Caused by: ')) frames.push(trimmed);
  }
  return `${[`${errorClass}: ${code}: ${message}`, `\tnext: ${nextStep}`, ...frames].join('\n')}\n`;
}
