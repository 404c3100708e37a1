import type { ConnectService, ConnectorStatus } from '../worker/connect-service.ts';
import { connectMetrics } from './connect-metrics.ts';
import { debeziumMetrics } from './debezium-metrics.ts';
import type { DebeziumSource } from './debezium-metrics.ts';
import { ownMetrics } from './own-metrics.ts';
import { prometheusText, prometheusType } from './prometheus-text.ts';
import type { Route } from './route.ts';

/** `/metrics` for Prometheus. */
export function metricsRoutes(service: ConnectService): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      accepts: 'anything',
      answer: () => ({ status: 200, text: { type: prometheusType, content: metricsText(service) } }),
    },
  ];
}

function metricsText(service: ConnectService): string {
  const { sources, sinks } = service.metrics();
  const connectors = service.connectors().flatMap((name): ConnectorStatus[] => {
    try {
      return [service.status(name)];
    } catch {
      // Between its creation and its first state, or deleted in between.
      return [];
    }
  });
  const debezium = sources.flatMap((metrics): DebeziumSource[] => {
    const config = configOf(service, metrics.connector);
    const plugin = service.plugins
      .all()
      .find(({ className, aliases }) => [className, ...aliases].includes(config['connector.class'] ?? ''));
    const [, flavor] = /^io\.debezium\.connector\.(\w+)\./.exec(plugin?.className ?? '') ?? [];
    return flavor === undefined ? [] : [{ plugin: flavor, config, metrics }];
  });
  return prometheusText([
    ...debeziumMetrics(debezium),
    ...connectMetrics({ connectors, sources, sinks }),
    ...ownMetrics(service, sources, sinks),
  ]);
}

function configOf(service: ConnectService, name: string): Readonly<Record<string, string>> {
  try {
    return service.config(name);
  } catch {
    return {};
  }
}
