import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { exitCodes, reportError } from './report-error.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  // Commander has printed what is wrong with the command line; help and version are no errors.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.undecided;
  else reportError(error);
}
