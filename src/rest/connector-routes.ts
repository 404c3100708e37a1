import { MillraceError } from '../base/errors.ts';
import type { ConnectService } from '../worker/connect-service.ts';
import { readConfigBody, readCreateBody, readOffsetsBody } from './request-body.ts';
import { readSignalBody } from './signal-body.ts';
import { flag, ok } from './route.ts';
import type { RestRequest, Route } from './route.ts';

/** `/connectors` and everything under it. */
export function connectorRoutes(service: ConnectService): readonly Route[] {
  const name = (request: RestRequest): string => request.param('name');
  return [
    { method: 'GET', path: '/connectors', answer: (request) => ok(list(service, request.query('expand'))) },
    {
      method: 'POST',
      path: '/connectors',
      async answer(request) {
        const info = await service.create(readCreateBody(request.json()), request.signal);
        return { status: 201, body: info, location: locationOf(request, info.name) };
      },
    },
    { method: 'GET', path: '/connectors/:name', answer: (request) => ok(service.connector(name(request))) },
    {
      method: 'DELETE',
      path: '/connectors/:name',
      async answer(request) {
        await service.delete(name(request));
        return { status: 204 };
      },
    },
    { method: 'GET', path: '/connectors/:name/config', answer: (request) => ok(service.config(name(request))) },
    {
      method: 'PUT',
      path: '/connectors/:name/config',
      async answer(request) {
        const { created, info } = await service.putConfig(name(request), readConfigBody(request.json()), request.signal);
        return created ? { status: 201, body: info, location: locationOf(request, info.name) } : ok(info);
      },
    },
    {
      method: 'PATCH',
      path: '/connectors/:name/config',
      async answer(request) {
        const patch = request.hasBody ? readConfigBody(request.json()) : undefined;
        service.connector(name(request));
        return ok(await service.patchConfig(name(request), patch ?? readConfigBody(request.json()), request.signal));
      },
    },
    { method: 'GET', path: '/connectors/:name/status', answer: (request) => ok(service.status(name(request))) },
    { method: 'GET', path: '/connectors/:name/tasks', answer: (request) => ok(service.tasks(name(request))) },
    { method: 'POST', path: '/connectors/:name/tasks', answer: refuseUnsigned },
    { method: 'PUT', path: '/connectors/:name/fence', answer: refuseUnsigned },
    {
      method: 'GET',
      path: '/connectors/:name/tasks/:task/status',
      answer: (request) => ok(service.taskStatus(name(request), taskOf(request))),
    },
    {
      method: 'POST',
      path: '/connectors/:name/tasks/:task/restart',
      async answer(request) {
        await service.restartTask(name(request), taskOf(request));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/connectors/:name/restart',
      async answer(request) {
        const plan = { includeTasks: flag(request, 'includeTasks'), onlyFailed: flag(request, 'onlyFailed') };
        const status = await service.restart(name(request), plan);
        return status === undefined ? { status: 204 } : { status: 202, body: status };
      },
    },
    ...targetRoutes(service),
    {
      method: 'GET',
      path: '/connectors/:name/topics',
      answer: (request) => ok({ [name(request)]: { topics: service.activeTopics(name(request)) } }),
    },
    {
      method: 'PUT',
      path: '/connectors/:name/topics/reset',
      async answer(request) {
        await service.resetActiveTopics(name(request));
        return { status: 202 };
      },
    },
    { method: 'GET', path: '/connectors/:name/offsets', answer: async (request) => ok(await service.offsets(name(request))) },
    {
      method: 'PATCH',
      path: '/connectors/:name/offsets',
      answer: async (request) => ok(await service.alterOffsets(name(request), readOffsetsBody(request.json()))),
    },
    {
      method: 'POST',
      path: '/connectors/:name/signals',
      answer: async (request) => ({
        status: 202,
        body: await service.signal(
          name(request),
          readSignalBody(request.json(), { channel: request.query('channel')[0], key: request.query('key')[0] }),
          request.signal,
        ),
      }),
    },
    { method: 'DELETE', path: '/connectors/:name/offsets', answer: async (request) => ok(await service.resetOffsets(name(request))) },
  ];
}

function targetRoutes(service: ConnectService): readonly Route[] {
  return [
    {
      method: 'PUT',
      path: '/connectors/:name/pause',
      async answer(request) {
        await service.pause(request.param('name'));
        return { status: 202 };
      },
    },
    {
      method: 'PUT',
      path: '/connectors/:name/resume',
      async answer(request) {
        await service.resume(request.param('name'));
        return { status: 202 };
      },
    },
    {
      method: 'PUT',
      path: '/connectors/:name/stop',
      async answer(request) {
        await service.stop(request.param('name'));
        return { status: 204 };
      },
    },
  ];
}

/** Names alone, or by name what `expand` asks for; a word that it does not know expands to nothing. */
function list(service: ConnectService, expand: readonly string[]): unknown {
  if (expand.length === 0) return service.connectors();
  const expanded = service.connectors().flatMap((name) => {
    try {
      return [
        [
          name,
          {
            ...(expand.includes('status') ? { status: service.status(name) } : {}),
            ...(expand.includes('info') ? { info: service.connector(name) } : {}),
          },
        ],
      ];
    } catch {
      // Between its creation and its first state, or deleted in between.
      return [];
    }
  });
  return Object.fromEntries(expanded);
}

/** Requests of workers to each other, which are signed; none come here. */
function refuseUnsigned(): never {
  throw new MillraceError('REQUEST_INVALID', 'Internal request missing required signature');
}

/** A Java int; what is none is a path that is not there. */
function taskOf(request: RestRequest): number {
  const text = request.param('task');
  if (/^[+-]?\d{1,10}$/.test(text) && Math.abs(Number(text)) < 2 ** 31) return Number(text);
  throw new MillraceError('CONNECTOR_NOT_FOUND', 'HTTP 404 Not Found');
}

/** Characters that a path may hold stay as they are (RFC 3986, pchar). */
function locationOf({ origin }: RestRequest, name: string): string {
  const encoded = encodeURIComponent(name).replaceAll(/%(?:3B|3A|40|26|3D|2B|24|2C)/g, (code) => decodeURIComponent(code));
  return `${origin}/connectors/${encoded}`;
}
