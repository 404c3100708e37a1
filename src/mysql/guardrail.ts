import { MillraceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import type { SourceConfig } from './source-config.ts';

/** `guardrail.collections.max`: whether so many tables may be captured. @throws CONFIG_INVALID */
export async function checkGuardrail(connection: ServerConnection, config: SourceConfig, log: Logger, signal: AbortSignal): Promise<void> {
  const { guardrail, name } = config;
  if (guardrail === undefined) return;
  const rows = await connection.query(
    "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.tables WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
    signal,
  );
  const tables = rows.filter(([database, table]) => config.captures({ database: database ?? '', table: table ?? '' })).length;
  if (tables <= guardrail.most) return;
  const text = `${name} captures ${tables} tables, more than guardrail.collections.max=${guardrail.most}`;
  if (guardrail.fails) throw new MillraceError('CONFIG_INVALID', text, { nextStep: 'Name fewer in table.include.list, or allow more.' });
  log.warn({ tables, most: guardrail.most }, text);
}
