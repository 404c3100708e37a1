import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '../base/errors.ts';

/** How to reach the worker of a data folder: a Unix socket, or where its path is too long, a port of the loopback. */
export type ControlAddress = { readonly pid: number; readonly token: string } & ({ readonly socket: string } | { readonly port: number });

const file = 'control.json';

/** Writes the address where only this user can read it: who knows the token may ask the worker for anything. */
export function writeControlAddress(folder: string, address: ControlAddress): void {
  const path = join(folder, file);
  writeFileSync(`${path}.new`, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeControlAddress(folder: string): void {
  rmSync(join(folder, file), { force: true });
}

/** @throws WORKER_NOT_RUNNING when no worker has written one */
export function readControlAddress(folder: string): ControlAddress {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  } catch (cause) {
    throw notRunning(folder, cause);
  }
  if (typeof json === 'object' && json !== null && 'pid' in json && 'token' in json) {
    const { pid, token } = json;
    if (typeof pid === 'number' && typeof token === 'string') {
      if ('socket' in json && typeof json.socket === 'string') return { pid, token, socket: json.socket };
      if ('port' in json && typeof json.port === 'number') return { pid, token, port: json.port };
    }
  }
  throw notRunning(folder, new Error(`${join(folder, file)} holds no address`));
}

export function notRunning(folder: string, cause: unknown): MillraceError {
  return new MillraceError('WORKER_NOT_RUNNING', `No worker runs on the data folder ${folder}.`, {
    cause,
    nextStep: `Start one with \`millrace run --data ${folder} <config.json…>\`, or name its folder with --data.`,
  });
}
