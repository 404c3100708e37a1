import { openConnection } from '../binlog/connection.ts';
import { connectionSettings } from '../mysql/connection-settings.ts';
import { runPreflight } from '../mysql/preflight.ts';
import type { PreflightResult } from '../mysql/preflight-result.ts';
import { readConnectorFiles } from './connector-files.ts';
import { checkConnectors } from './connectors.ts';
import type { CheckedSource } from './connectors.ts';
import { exitCodes } from './report-error.ts';
import { createPaint, hasColors, writeOut } from './terminal.ts';
import type { Paint } from './terminal.ts';

export interface DoctorOptions {
  readonly json?: boolean;
}

interface Diagnosis {
  readonly connector: string;
  readonly server: string;
  readonly checks: readonly PreflightResult[];
}

/** `millrace doctor`: 0 when all sources' servers can be replicated from, 1 when one cannot. */
export async function doctorCommand(files: readonly string[], { json }: DoctorOptions): Promise<void> {
  const { sources, notices } = checkConnectors(readConnectorFiles(files));
  const diagnoses: Diagnosis[] = [];
  for (const source of sources) diagnoses.push(await examine(source));
  const paint = createPaint(hasColors(process.stdout));
  if (json === true) writeOut(`${JSON.stringify({ notices, sources: diagnoses })}\n`);
  else {
    for (const { connector, level, text } of notices) {
      writeOut(`${paint(level === 'warning' ? 'yellow' : 'dim', level)}  ${connector}: ${text}\n`);
    }
    for (const diagnosis of diagnoses) writeOut(`${formatDiagnosis(diagnosis, paint)}\n`);
  }
  const sick = diagnoses.some(({ checks }) => checks.some((check) => check.status === 'fail'));
  process.exitCode = sick ? exitCodes.failed : exitCodes.ok;
}

async function examine({ connector, config }: CheckedSource): Promise<Diagnosis> {
  const { signal } = new AbortController();
  await using connection = await openConnection(connectionSettings(config.server), signal);
  const checks = await runPreflight(connection, config, signal);
  return { connector: connector.name, server: connection.address, checks };
}

function formatDiagnosis({ connector, server, checks }: Diagnosis, paint: Paint): string {
  const color = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
  const lines = checks.flatMap(({ check, status, message, repair }) => {
    const line = `  ${paint(color[status], status.padEnd(4))}  ${check}: ${message}`;
    return repair === undefined
      ? [line]
      : [line, ...repair.split('\n').map((text, at) => `        ${at === 0 ? 'repair' : '      '}  ${text}`)];
  });
  return [`${paint('bold', connector)} on ${server}`, ...lines].join('\n');
}
