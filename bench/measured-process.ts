import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a process has used: CPU of all its threads and its greatest resident memory, read from /proc. */
export interface Usage {
  readonly cpuMs: number;
  /** Resident memory now. */
  readonly rssMb: number;
  readonly peakRssMb: number;
}

const clockTicksPerSecond = 100;

export function readUsage(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; utime and stime are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024;
    return { cpuMs: (ticks * 1000) / clockTicksPerSecond, rssMb: megabytes('VmRSS'), peakRssMb: megabytes('VmHWM') };
  } catch {
    return undefined;
  }
}

export interface MeasuredRun extends Usage {
  readonly wallMs: number;
}

const mainFile = join(import.meta.dirname, '../src/cli/main.ts');

/** A `millrace` command of this checkout as a process of its own. */
export function startMillrace(args: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, [mainFile, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command to its end; wall time from spawn to exit, usage as of the last look, 20 ms before the end at most. */
export async function measureMillrace(args: readonly string[], cwd: string): Promise<MeasuredRun> {
  const begun = performance.now();
  const child = startMillrace(args, cwd);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  let usage: Usage = { cpuMs: 0, rssMb: 0, peakRssMb: 0 };
  const timer = setInterval(() => {
    const now = readUsage(child.pid ?? 0);
    // Of a process that is about to end the memory is gone already.
    if (now !== undefined) usage = { ...now, cpuMs: Math.max(usage.cpuMs, now.cpuMs), peakRssMb: Math.max(usage.peakRssMb, now.peakRssMb) };
  }, 20);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (status !== 0) throw new Error(`millrace ${args.join(' ')} ended with ${status}:\n${said}`);
  return { ...usage, wallMs: performance.now() - begun };
}
