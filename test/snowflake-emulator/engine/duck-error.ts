import { SnowflakeError } from '../snowflake-error.ts';

/** DuckDB's error as Snowflake's: those that the emulator raises itself carry their code, the others have a likely one. */
export function errorOfDuck(error: unknown): SnowflakeError {
  if (error instanceof SnowflakeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const marked = /SF\|(\d+)\|(\w+)\|([^|]*)\|/s.exec(message);
  if (marked !== null) return new SnowflakeError(marked[1] ?? '', marked[2] ?? '', marked[3] ?? '');
  if (/^(Conversion|Out of Range) Error/i.test(message)) {
    return new SnowflakeError('100039', '22003', `Numeric value is out of range (${first(message)})`);
  }
  if (/must appear in the GROUP BY|aggregate/i.test(message)) {
    return new SnowflakeError('000979', '42601', `SQL compilation error:\nnot a valid group by expression (${first(message)})`);
  }
  if (message.startsWith('INTERRUPT')) return new SnowflakeError('000604', '57014', 'SQL execution canceled');
  // What is left is a mistake of the emulator's: the message says so, and says enough to mend it.
  return new SnowflakeError('000603', 'XX000', `SQL execution internal error of the emulator: ${message}`);
}

function first(message: string): string {
  return message.split('\n')[0] ?? '';
}
