import { SnowflakeError } from '../snowflake-error.ts';
import type { Account } from '../engine/session.ts';
import type { Faults } from '../faults.ts';
import { type Exchange, failure, readBytes, sendEmpty, sendJson, success } from './exchange.ts';
import type { Logins } from './login.ts';
import type { Queries } from './queries.ts';
import type { Streaming } from './streaming.ts';
import { serveObject, type UploadPoint } from './uploads.ts';

export interface Services {
  readonly account: Account;
  readonly logins: Logins;
  readonly queries: Queries;
  readonly uploads: UploadPoint;
  readonly faults: Faults;
  readonly streaming: Streaming;
}

/** The driver's routes. What is refused is HTTP 200 with a code; a route that is not there is 404. */
export async function route(exchange: Exchange, services: Services): Promise<void> {
  try {
    await dispatch(exchange, services);
  } catch (error) {
    if (!(error instanceof SnowflakeError)) throw error;
    sendJson(exchange, failure(error));
  }
}

async function dispatch(exchange: Exchange, services: Services): Promise<void> {
  const { pathname, searchParams } = exchange.url;
  const { logins, queries } = services;
  const byId = /^\/queries\/([0-9a-f-]{36})\/(result|abort-request)$/.exec(pathname);
  const monitored = /^\/monitoring\/queries\/([0-9a-f-]{36})$/.exec(pathname);
  if (pathname.startsWith('/obj/')) await serveObject(exchange, services.uploads, services.account.files, services.faults);
  else if (services.streaming.serves(pathname)) await services.streaming.route(exchange);
  else if (pathname === '/queries/v1/query-request') await queries.query(exchange);
  else if (pathname === '/session/v1/login-request') await logins.login(exchange);
  else if (pathname === '/session/token-request') logins.renew(exchange);
  else if (pathname === '/session/heartbeat') {
    logins.sessionOf(exchange);
    sendJson(exchange, success(null));
  } else if (pathname === '/session' && searchParams.get('delete') === 'true') {
    const session = logins.sessionOf(exchange);
    logins.forget(session);
    await session.close();
    sendJson(exchange, success(null));
  } else if (pathname === '/telemetry/send') {
    await readBytes(exchange.request);
    sendJson(exchange, success('Log Received'));
  } else if (pathname === '/queries/v1/abort-request') await queries.abort(exchange, undefined);
  else if (byId !== null) await (byId[2] === 'result' ? queries.result(exchange, byId[1] ?? '') : queries.abort(exchange, byId[1]));
  else if (monitored !== null) queries.status(exchange, monitored[1] ?? '');
  else sendEmpty(exchange, 404);
}
