/** What a route is given and gives: HTTP without its library. */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RestRequest {
  /** A part of the path, decoded; empty when the route has none of this name. */
  param(name: string): string;
  /** All values of a query parameter, in their order. */
  query(name: string): readonly string[];
  readonly hasBody: boolean;
  /** The body's JSON; numbers are `JsonNumber`. @throws REQUEST_INVALID when there is none, or it is no JSON */
  json(): unknown;
  /** `http://host:port` as the client asked for it. */
  readonly origin: string;
  readonly signal: AbortSignal;
}

export interface RestAnswer {
  readonly status: number;
  /** JSON; absent: an empty body. */
  readonly body?: unknown;
  /** In place of JSON. */
  readonly text?: { readonly type: string; readonly content: string };
  readonly location?: string;
}

export interface Route {
  readonly method: Method;
  /** `/connectors/:name/config`. */
  readonly path: string;
  /** What it answers is no JSON: the request's Accept is not looked at. */
  readonly accepts?: 'anything';
  answer(request: RestRequest): RestAnswer | Promise<RestAnswer>;
}

export function ok(body: unknown): RestAnswer {
  return { status: 200, body };
}

/** Whether a flag of the query is set: anything but `true` is not. */
export function flag(request: RestRequest, name: string): boolean {
  return request.query(name)[0] === 'true';
}
