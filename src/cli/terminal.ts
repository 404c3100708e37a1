/** What the outputs of this process can show, and how to write to them. */
import { writeSync } from 'node:fs';

interface Output {
  readonly isTTY?: boolean;
}

/** Whether to use colours: on a terminal only, unless NO_COLOR or TERM=dumb says no. FORCE_COLOR wins over both. */
export function hasColors(output: Output, env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0';
  const refused = env['NO_COLOR'];
  return output.isTTY === true && (refused === undefined || refused === '') && env['TERM'] !== 'dumb';
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export type Paint = (style: Style, text: string) => string;

/** Styles texts for an output, or leaves them as they are. */
export function createPaint(colored: boolean): Paint {
  return (style, text) => {
    const [on, off] = codes[style];
    return colored ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
}

export function writeOut(text: string): void {
  writeBytesOut(Buffer.from(text));
}

/** Writes all of it to standard output before it returns; a reader that has gone (`| head`) ends the process quietly. */
export function writeBytesOut(all: Uint8Array): void {
  let bytes = all;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        continue;
      }
      if (code === 'EPIPE') process.exit(0);
      throw error;
    }
  }
}
