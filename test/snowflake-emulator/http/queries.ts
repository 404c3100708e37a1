import { randomUUID } from 'node:crypto';
import { addAbortListener } from 'node:events';
import { sleep } from '../../../src/base/abort.ts';
import { SnowflakeError } from '../snowflake-error.ts';
import { execute } from '../engine/execute.ts';
import type { Result } from '../engine/result.ts';
import type { Bind, Session } from '../engine/session.ts';
import type { Faults } from '../faults.ts';
import { splitStatements } from '../sql/parse-statement.ts';
import { drop, type Exchange, failure, readJson, sendEmpty, sendJson, success } from './exchange.ts';
import type { Logins } from './login.ts';
import { rowType } from './row-type.ts';
import { stageInfo, type UploadPoint } from './uploads.ts';

/** A statement as the log keeps it. */
export interface LoggedStatement {
  readonly queryId: string;
  readonly sessionId: number;
  readonly sql: string;
  readonly queryTag: string;
  readonly startedMs: number;
  endedMs: number | undefined;
  /** Of a statement that was refused. */
  code: string | undefined;
  rows: number;
}

interface Running {
  readonly queryId: string;
  readonly session: Session;
  readonly sql: string;
  readonly abort: AbortController;
  /** The body of the answer; it never rejects. */
  readonly answer: Promise<unknown>;
  done: boolean;
}

export interface QueryOptions {
  readonly uploads: UploadPoint;
  readonly faults: Faults;
  /** After how long a request is answered by 333333 and a URL to ask at; 45 s on Snowflake. */
  readonly answerWithinMs: number;
}

/** Of one text, binds not counted. */
const maxSqlBytes = 1_048_576;
/** Answers that are kept for requests that are sent again, and for `/queries/{id}/result`. */
const keptAnswers = 2000;

/** Statements: each request is run once, however often it is sent. */
export class Queries {
  readonly #logins: Logins;
  readonly #options: QueryOptions;
  readonly #byRequest = new Map<string, Running>();
  readonly #byId = new Map<string, Running>();
  readonly log: LoggedStatement[] = [];

  constructor(logins: Logins, options: QueryOptions) {
    this.#logins = logins;
    this.#options = options;
  }

  async query(exchange: Exchange): Promise<void> {
    const { faults } = this.#options;
    const body = await readJson(exchange.request);
    const sql = typeof body['sqlText'] === 'string' ? body['sqlText'] : '';
    if (faults.atStatement('unavailable', sql) !== undefined) {
      sendEmpty(exchange, 503);
      return;
    }
    if (faults.atStatement('drop', sql, 'beforeExecution') !== undefined) {
      drop(exchange);
      return;
    }
    const session = this.#logins.sessionOf(exchange);
    if (faults.atStatement('tokenExpired', sql) !== undefined) {
      this.#logins.expire('session', session.sessionId);
      this.#logins.sessionOf(exchange);
    }
    const requestId = exchange.url.searchParams.get('requestId') ?? randomUUID();
    const key = `${session.sessionId} ${requestId}`;
    const slow = faults.atStatement('slow', sql);
    const running = this.#byRequest.get(key) ?? this.#start(session, sql, body, slow?.delayMs ?? 0);
    this.#byRequest.set(key, running);
    forgetOldest(this.#byRequest);
    forgetOldest(this.#byId);
    if (body['asyncExec'] === true || slow !== undefined) {
      sendJson(exchange, inProgress(running, '333334'));
      return;
    }
    await this.#answer(exchange, running);
  }

  /** `GET /queries/{id}/result` */
  async result(exchange: Exchange, queryId: string): Promise<void> {
    this.#logins.sessionOf(exchange);
    const running = this.#byId.get(queryId);
    if (running === undefined) throw new SnowflakeError('000709', '02000', `Statement ${queryId} not found`);
    await this.#answer(exchange, running);
  }

  /** `GET /monitoring/queries/{id}` */
  status(exchange: Exchange, queryId: string): void {
    this.#logins.sessionOf(exchange);
    const running = this.#byId.get(queryId);
    const logged = this.log.findLast((statement) => statement.queryId === queryId);
    const status = running?.done === false ? 'RUNNING' : logged?.code === undefined ? 'SUCCESS' : 'FAILED_WITH_ERROR';
    const queries =
      running === undefined ? [] : [{ id: queryId, status, state: status, errorCode: logged?.code ?? null, errorMessage: null }];
    sendJson(exchange, success({ queries }));
  }

  async abort(exchange: Exchange, queryId: string | undefined): Promise<void> {
    const session = this.#logins.sessionOf(exchange);
    const body = await readJson(exchange.request);
    const requestId = typeof body['requestId'] === 'string' ? body['requestId'] : '';
    const running = queryId === undefined ? this.#byRequest.get(`${session.sessionId} ${requestId}`) : this.#byId.get(queryId);
    running?.abort.abort();
    sendJson(exchange, success(null));
  }

  async #answer(exchange: Exchange, running: Running): Promise<void> {
    const late = Symbol('late');
    let timer: NodeJS.Timeout | undefined;
    const wait = new Promise<typeof late>((resolve) => {
      timer = setTimeout(() => resolve(late), this.#options.answerWithinMs);
    });
    const answer = await Promise.race([running.answer, wait]);
    clearTimeout(timer);
    if (answer === late) {
      sendJson(exchange, inProgress(running, '333333'));
      return;
    }
    if (this.#options.faults.atStatement('drop', running.sql, 'afterExecution') !== undefined) {
      drop(exchange);
      return;
    }
    sendJson(exchange, answer);
  }

  #start(session: Session, sql: string, body: Readonly<Record<string, unknown>>, delayMs: number): Running {
    const queryId = randomUUID();
    const abort = new AbortController();
    const parameters = (body['parameters'] ?? {}) as Readonly<Record<string, unknown>>;
    const running: Running = {
      queryId,
      session,
      sql,
      abort,
      done: false,
      answer: session
        .inTurn(async () =>
          this.#run(session, {
            queryId,
            sql,
            binds: bindsOf(body),
            describeOnly: body['describeOnly'] === true,
            delayMs,
            parameters,
            abort,
          }),
        )
        .then((answer) => {
          running.done = true;
          return answer;
        }),
    };
    this.#byId.set(queryId, running);
    return running;
  }

  async #run(session: Session, request: Request): Promise<unknown> {
    try {
      return await this.#runStatements(session, request);
    } catch (error) {
      const refused =
        error instanceof SnowflakeError ? error : new SnowflakeError('000603', 'XX000', `error of the emulator: ${String(error)}`);
      return failure(refused, request.queryId);
    }
  }

  async #runStatements(session: Session, request: Request): Promise<unknown> {
    const expected = Number(request.parameters['MULTI_STATEMENT_COUNT'] ?? session.parameter('MULTI_STATEMENT_COUNT'));
    const statements = /^\s*(PUT|CREATE\s+(OR\s+REPLACE\s+)?TASK)\b/i.test(request.sql) ? [request.sql] : splitStatements(request.sql);
    if (Buffer.byteLength(request.sql) > maxSqlBytes) {
      throw new SnowflakeError('000900', '42601', `SQL compilation error:\nthe text of a statement has at most ${maxSqlBytes} bytes`);
    }
    if (statements.length === 0) throw new SnowflakeError('000900', '42601', 'SQL compilation error:\nempty statement');
    if (expected !== 0 && statements.length !== expected) {
      throw new SnowflakeError(
        '000008',
        '0A000',
        `Actual statement count ${statements.length} did not match the desired statement count ${expected}.`,
      );
    }
    const [only] = statements;
    if (statements.length === 1 && only !== undefined) return success(await this.#runOne(session, { ...request, sql: only }));
    const ids: string[] = [];
    for (const sql of statements) {
      const queryId = randomUUID();
      const child = success(await this.#runOne(session, { ...request, queryId, sql }));
      ids.push(queryId);
      this.#byId.set(queryId, { queryId, session, sql, abort: new AbortController(), answer: Promise.resolve(child), done: true });
    }
    const multi = {
      columns: [{ name: 'multiple statement execution', type: { kind: 'text', length: 16_777_216 }, nullable: false }],
      rows: [['Multiple statements executed successfully.']],
    } as const;
    const types = statements.map(() => '4096').join(',');
    return success({
      ...this.#data(session, request.queryId, { ...multi, statementTypeId: 0xa000 }),
      resultIds: ids.join(','),
      resultTypes: types,
    });
  }

  async #runOne(session: Session, request: Request): Promise<Readonly<Record<string, unknown>>> {
    const { queryId, sql } = request;
    const { faults } = this.#options;
    const logged: LoggedStatement = {
      queryId,
      sessionId: session.sessionId,
      sql,
      queryTag: tagOf(request.parameters['QUERY_TAG'], session),
      startedMs: Date.now(),
      endedMs: undefined,
      code: undefined,
      rows: 0,
    };
    this.log.push(logged);
    session.queryId = queryId;
    session.running = request.abort;
    const { signal } = request.abort;
    const timer = limitTime(session, request);
    using _interrupt = addAbortListener(signal, () => session.connection.interrupt());
    try {
      const delayMs = request.delayMs + (faults.atStatement('hang', sql)?.delayMs ?? 0);
      if (delayMs > 0) await sleep(delayMs, signal);
      const error = faults.atStatement('error', sql);
      if (error !== undefined) {
        throw new SnowflakeError(error.code, error.sqlState ?? '42000', error.message ?? 'a fault that was asked for');
      }
      if (request.describeOnly) {
        throw new SnowflakeError('001003', '42000', 'SQL compilation error:\nthe emulator does not know describeOnly');
      }
      const copyFault = (path: string): SnowflakeError | undefined =>
        faults.atPath('copy', path) === undefined
          ? undefined
          : new SnowflakeError('100038', '22018', `a fault that was asked for, at file ${path}`);
      const result = await execute({ session, ...request.binds, signal, copyFault }, sql);
      session.account.statements.set(queryId, session.account.statements.get(queryId) ?? here(session));
      session.lastQueryIds = [...session.lastQueryIds.slice(-99), queryId];
      logged.rows = changedRows(result);
      return this.#data(session, queryId, result);
    } catch (error) {
      const ended = signal.aborted ? (signal.reason instanceof SnowflakeError ? signal.reason : canceled()) : error;
      if (ended instanceof SnowflakeError) logged.code = ended.code;
      throw ended;
    } finally {
      clearTimeout(timer);
      logged.endedMs = Date.now();
    }
  }

  #data(session: Session, queryId: string, result: Result): Readonly<Record<string, unknown>> {
    return {
      parameters: session.parameters(),
      rowtype: result.columns.map(rowType),
      rowset: result.rows,
      total: result.rows.length,
      returned: result.rows.length,
      queryId,
      databaseProvider: null,
      finalDatabaseName: session.database ?? null,
      finalSchemaName: session.schema ?? null,
      finalWarehouseName: session.warehouse ?? null,
      finalRoleName: session.role,
      numberOfBinds: 0,
      arrayBindSupported: true,
      statementTypeId: result.statementTypeId,
      version: 1,
      sendResultTime: Date.now(),
      queryResultFormat: 'json',
      ...(result.upload === undefined ? {} : stageInfo(this.#options.uploads, result.upload)),
    };
  }
}

interface Request {
  readonly queryId: string;
  readonly sql: string;
  readonly binds: { readonly binds: readonly Bind[]; readonly bindStage?: string };
  readonly describeOnly: boolean;
  readonly delayMs: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly abort: AbortController;
}

function forgetOldest(answers: Map<string, Running>): void {
  for (const [key, running] of answers) {
    if (answers.size <= keptAnswers || !running.done) return;
    answers.delete(key);
  }
}

function canceled(): SnowflakeError {
  return new SnowflakeError('000604', '57014', 'SQL execution canceled');
}

/** STATEMENT_TIMEOUT_IN_SECONDS, of the session or of the one statement; waiting for a lock counts. */
function limitTime(session: Session, request: Request): NodeJS.Timeout | undefined {
  const seconds = Number(request.parameters['STATEMENT_TIMEOUT_IN_SECONDS'] ?? session.parameter('STATEMENT_TIMEOUT_IN_SECONDS'));
  if (seconds === 0) return undefined;
  const message = `Statement reached its statement or warehouse timeout of ${seconds} second(s) and was canceled.`;
  const end = (): void => request.abort.abort(new SnowflakeError('000630', '57014', message));
  return setTimeout(end, Math.min(seconds * 1000, 2 ** 31 - 1));
}

function tagOf(given: unknown, session: Session): string {
  return typeof given === 'string' ? given : String(session.parameter('QUERY_TAG'));
}

function here(session: Session): { readonly before: number; readonly after: number; readonly ms: number } {
  const { version } = session.catalog.store;
  return { before: version, after: version, ms: Date.now() };
}

function inProgress(running: Running, code: '333333' | '333334'): unknown {
  const getResultUrl = `/queries/${running.queryId}/result`;
  return {
    data: { getResultUrl, queryId: running.queryId, queryAbortsAfterSecs: 172_800, progressDesc: null },
    message: 'Query execution in progress.',
    code,
    success: true,
  };
}

/** `{"1": {"type": "FIXED", "value": "1"}, …}` */
function bindsOf(body: Readonly<Record<string, unknown>>): Request['binds'] {
  const { bindings, bindStage } = body;
  if (typeof bindStage === 'string') return { binds: [], bindStage };
  if (typeof bindings !== 'object' || bindings === null) return { binds: [] };
  const binds = Object.entries(bindings as Readonly<Record<string, Bind>>)
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, bind]) => bind);
  return { binds };
}

/** What a DML statement changed, or a COPY loaded. */
function changedRows(result: Result): number {
  const counted = result.columns.flatMap((column, index) => (/^number of rows |^rows_loaded$/.test(column.name) ? [index] : []));
  return result.rows.reduce((sum, row) => sum + counted.reduce((inner, index) => inner + Number(row[index] ?? 0), 0), 0);
}
