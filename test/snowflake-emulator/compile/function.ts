import { compilationError } from '../snowflake-error.ts';
import type { Typed } from './typed.ts';

/** An argument, with its text if it is a literal. */
export interface Argument extends Typed {
  readonly literal: string | undefined;
}

export type Build = (args: readonly Argument[], name: string) => Typed;

export const nothing: Argument = { sql: 'NULL', type: { kind: 'null' }, literal: undefined };

export function count(args: readonly Argument[], name: string, least: number, most = least): void {
  if (args.length >= least && args.length <= most) return;
  const word = args.length < least ? 'not enough' : 'too many';
  throw compilationError('000938', '22023', `${word} arguments for function [${name}(…)] expected ${least}, got ${args.length}`);
}
