import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages of PyPI for tests, in a folder of their own under `.millrace`, kept for later runs. */
export interface PythonPackages {
  /** Why they cannot be had offline; false when a test is to run, and to fail if they cannot be had. */
  missing(): string | false;
  install(): void;
  /** The path of a program that they bring; `python`, too. */
  program(name: string): string;
}

export function pythonPackages(name: string, packages: readonly string[]): PythonPackages {
  const folder = join(import.meta.dirname, '../../.millrace', name);
  const program = (file: string): string => join(folder, 'bin', file);
  return {
    program,
    missing() {
      const offline = (process.env['MILLRACE_OFFLINE'] ?? '0') !== '0';
      return offline && !existsSync(program('.complete')) ? `${packages.join(', ')} is not here, and MILLRACE_OFFLINE is set` : false;
    },
    /** A folder that is half made is never taken for a whole one. */
    install() {
      if (existsSync(program('.complete'))) return;
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(join(folder, '..'), { recursive: true });
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
      execFileSync(program('pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages], { stdio: 'pipe' });
      writeFileSync(program('.incomplete'), '');
      renameSync(program('.incomplete'), program('.complete'));
    },
  };
}
