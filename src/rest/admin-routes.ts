import { MillraceError } from '../base/errors.ts';
import type { Loggers } from './loggers.ts';
import { readLevelBody } from './request-body.ts';
import { ok } from './route.ts';
import type { Route } from './route.ts';

/** `/admin/loggers`. */
export function adminRoutes(loggers: Loggers): readonly Route[] {
  return [
    { method: 'GET', path: '/admin/loggers', answer: () => ok(loggers.all()) },
    { method: 'GET', path: '/admin/loggers/:logger', answer: (request) => ok(loggers.get(request.param('logger'))) },
    {
      method: 'PUT',
      path: '/admin/loggers/:logger',
      answer(request) {
        const level = readLevelBody(request.json());
        if (level === undefined) throw new MillraceError('REQUEST_INVALID', "Desired 'level' parameter was not specified in request.");
        const changed = loggers.set(request.param('logger'), level);
        // This worker is the whole cluster.
        return request.query('scope')[0]?.toLowerCase() === 'cluster' ? { status: 204 } : ok(changed);
      },
    },
  ];
}
