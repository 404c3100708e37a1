import type { ConnectService } from '../worker/connect-service.ts';
import { ok } from './route.ts';
import type { Route } from './route.ts';

const healthStatus = { healthy: 200, starting: 503, unhealthy: 500 } as const;

/** `/` and `/health`. */
export function rootRoutes(service: ConnectService): readonly Route[] {
  return [
    { method: 'GET', path: '/', answer: () => ok(service.info()) },
    {
      method: 'GET',
      path: '/health',
      answer() {
        const health = service.health();
        return { status: healthStatus[health.status], body: health };
      },
    },
  ];
}
