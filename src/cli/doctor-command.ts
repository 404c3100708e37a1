import { readConnectorFiles } from './connector-files.ts';
import { checkConnectors } from './connectors.ts';
import { readEnd } from './caught-up.ts';
import { writeOut } from './terminal.ts';

export interface DoctorOptions {
  readonly json?: boolean;
}

/** `millrace doctor`: is each source's server ready to be replicated? */
export async function doctorCommand(files: readonly string[], _options: DoctorOptions): Promise<void> {
  const { sources } = checkConnectors(readConnectorFiles(files));
  for (const source of sources) {
    const { file, pos } = await readEnd(source, new AbortController().signal);
    writeOut(`${source.connector.name}: the server answers; its binlog ends at ${file}:${pos}\n`);
  }
}
