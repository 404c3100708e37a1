/** What Snowflake answers to a refused statement: its code and SQLSTATE are what a client may branch on. */
export class SnowflakeError extends Error {
  readonly code: string;
  readonly sqlState: string;

  constructor(code: string, sqlState: string, message: string) {
    super(message);
    this.code = code;
    this.sqlState = sqlState;
  }
}

/** Of a form that Snowflake may know and this emulator does not: it refuses more, never less. */
export function unknownForm(form: string): SnowflakeError {
  return new SnowflakeError('001003', '42000', `SQL compilation error:\nthe emulator does not know this form: ${form}`);
}

export function compilationError(code: string, sqlState: string, message: string): SnowflakeError {
  return new SnowflakeError(code, sqlState, `SQL compilation error:\n${message}`);
}

export function doesNotExist(kind: string, name: string): SnowflakeError {
  const sqlState = kind === 'Table' || kind === 'Object' ? '42S02' : '02000';
  return compilationError('002003', sqlState, `${kind} '${name}' does not exist or not authorized.`);
}

export function alreadyExists(name: string): SnowflakeError {
  return compilationError('002002', '42710', `Object '${name}' already exists.`);
}
