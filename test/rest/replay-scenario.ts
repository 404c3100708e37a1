import { rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { allowedDifferences } from './allowed-differences.ts';
import type { AllowedDifference } from './allowed-differences.ts';
import { comparableBodies } from './comparable-bodies.ts';
import { isJsonObject } from '../../src/base/json-object.ts';
import { brief, jsonDifferences } from './json-differences.ts';
import type { Difference } from './json-differences.ts';
import type { ThisMachine } from './this-machine.ts';
import type { Action, Answer, Exchange, Request, Scenario, Step, Wait, Watch } from './transcript.ts';

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: unknown;
}

const pollMs = 40;
/** What is read may come a little later than it did in the recording. */
const patienceMs = 20_000;
/** What has settled stays so for a moment. */
const holdMs = 250;

/** Sends a scenario to the worker and gives every answer that differs, for people. Empty: all are equal, or allowed. */
export async function replayScenario({ name, steps }: Scenario, machine: ThisMachine): Promise<readonly string[]> {
  const replay = new Replay(machine);
  for (const step of steps) await replay.step(step);
  await replay.cleanUp();
  return replay.faults.map((fault) => `${name}, ${fault}`);
}

class Replay {
  readonly faults: string[] = [];
  readonly #machine: ThisMachine;
  /** Connectors of this scenario, and where each was made. */
  readonly #made = new Map<string, string>();
  readonly #topics = new Map<string, number>();
  #justChanged = false;

  constructor(machine: ThisMachine) {
    this.#machine = machine;
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'exchange':
        await this.#exchange(step);
        this.#justChanged ||=
          ['POST', 'PUT', 'PATCH'].includes(step.method) &&
          step.status < 300 &&
          !(isJsonObject(step.requestBody) && Object.hasOwn(step.requestBody, 'initial_state')) &&
          !/\/(?:stop|pause)$/.test(step.path);
        break;
      case 'watch':
        this.#justChanged = false;
        await this.#watch(step);
        break;
      case 'wait':
        this.#justChanged = false;
        await this.#wait(step);
        break;
      case 'action':
        act(step, this.#machine);
        break;
      case 'cleanup':
    }
  }

  async cleanUp(): Promise<void> {
    for (const [name, host] of this.#made) {
      const got = await ask(host, { method: 'DELETE', path: `/connectors/${encodeURIComponent(name)}`, headers: {} });
      if (got.status !== 204 && got.status !== 404) this.faults.push(`clean up: DELETE of ${name} is ${got.status} ${got.text}`);
    }
  }

  async #exchange(step: Exchange): Promise<void> {
    // It is in the answer to the request, if not before.
    if (step.status === 201 && isJsonObject(step.body)) this.#made.set(String(step.body['name']), this.#host(step));
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const got = await this.#send(step);
      if (got.status === 201 && isJsonObject(got.json)) this.#made.set(String(got.json['name']), this.#host(step));
      const differences = this.#differences(step, step, got);
      const isRight = differences.length === 0 || findAllowed({ step, recorded: step, got, differences }) !== undefined;
      this.#noteTopics(step, got);
      if (isRight) return;
      if (step.method !== 'GET' || performance.now() > deadline) return this.#fault(step, differences);
      await pause(pollMs);
    }
  }

  /** It comes to the last recorded answer, and stays so. */
  async #watch(step: Watch): Promise<void> {
    const last = step.seen.at(-1);
    if (last === undefined) return;
    const deadline = performance.now() + 60_000;
    let since: number | undefined;
    for (;;) {
      const got = await this.#send(step);
      const differences = this.#differences(step, last, got);
      const isRight =
        differences.length === 0 ||
        findAllowed({ step, recorded: last, got, differences }) !== undefined ||
        this.#topicsCameBack(step, last, got);
      this.#noteTopics(step, got);
      since = isRight ? (since ?? performance.now()) : undefined;
      if (since !== undefined && performance.now() - since >= holdMs) return;
      if (performance.now() > deadline) return this.#fault(step, differences);
      await pause(pollMs);
    }
  }

  async #wait(step: Wait): Promise<void> {
    // Nothing came of it: a name that could not be asked for.
    if (step.status >= 400) return;
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline) {
      const got = await this.#send(step);
      if (got.status === step.status && hasStates(step.body, got.json)) return pause(100);
      await pause(pollMs);
    }
    this.faults.push(`step ${step.step}: it never came to the state that the recording waited for (${brief(step.body)})`);
  }

  async #send(step: Request): Promise<Got> {
    const body =
      step.requestText === undefined
        ? step.requestBody === undefined
          ? undefined
          : JSON.stringify(this.#machine.fill(step.requestBody))
        : this.#machine.fillText(step.requestText);
    const headers = Object.entries(step.requestHeaders ?? {}).map(([name, value]) => [name, this.#machine.fillText(value)] as const);
    return ask(this.#host(step), {
      method: step.method,
      path: this.#machine.fillText(step.path),
      headers: Object.fromEntries(headers),
      ...(body === undefined ? {} : { body }),
    }).catch((error: unknown) => ({ status: 0, headers: {}, text: String(error), json: undefined }));
  }

  #host(step: Request): string {
    return this.#machine.fillText(`<worker:${step.on}>`);
  }

  #differences(step: Exchange | Watch, recorded: Answer, got: Got): readonly Difference[] {
    const found: Difference[] = [];
    if (recorded.status !== got.status) found.push({ at: 'status', expected: String(recorded.status), got: String(got.status) });
    if (recorded.headers !== undefined) found.push(...this.#headerDifferences(recorded.headers, got.headers));
    const text = recorded.bodyText ?? (typeof recorded.body === 'string' ? recorded.body : undefined);
    if (text !== undefined) {
      const seen = this.#machine.maskText(got.text);
      const same = step.method === 'OPTIONS' ? words(text) === words(seen) : isSameText(text, seen);
      if (!same) found.push({ at: 'body', expected: brief(text), got: brief(seen) });
    } else if (got.json === undefined) found.push({ at: 'body', expected: brief(recorded.body), got: brief(got.text) });
    else {
      const moment = { step, made: new Set(this.#made.keys()), justChanged: this.#justChanged };
      const bodies = comparableBodies(moment, recorded, this.#machine.mask(got.json));
      found.push(...jsonDifferences(bodies.expected, bodies.got, recorded.varies));
    }
    return found;
  }

  #headerDifferences(recorded: Readonly<Record<string, string>>, got: Readonly<Record<string, string>>): readonly Difference[] {
    return Object.entries(headerForms).flatMap(([name, form]) => {
      if (!Object.hasOwn(recorded, name) && name !== 'content-type' && name !== 'location') return [];
      const [a, b] = [form(recorded[name] ?? ''), form(this.#machine.maskText(got[name] ?? ''))];
      return a === b ? [] : [{ at: `header ${name}`, expected: a, got: b }];
    });
  }

  #noteTopics(step: Request, got: Got): void {
    const topics = step.path.endsWith('/topics') ? topicsOf(got.json) : undefined;
    if (topics !== undefined) this.#topics.set(step.path, topics.length);
  }

  /** A running connector adds its topics again at once after a reset, and more than recorded at other times. */
  #topicsCameBack(step: Watch, recorded: Answer, got: Got): boolean {
    const [then, now] = [topicsOf(recorded.body), topicsOf(got.json)];
    if (!step.path.endsWith('/topics') || then === undefined || now === undefined) return false;
    return then.length > 0 ? then.every((topic) => now.includes(topic)) : now.length < (this.#topics.get(step.path) ?? 0);
  }

  #fault(step: Exchange | Watch, differences: readonly Difference[]): void {
    const shown = differences.slice(0, 6).map(({ at, expected, got }) => `\n  ${at}\n    recorded ${expected}\n    got      ${got}`);
    const more = differences.length > 6 ? `\n  … ${differences.length - 6} more` : '';
    this.faults.push(`step ${step.step} ${step.name}: ${step.method} ${step.path}${shown.join('')}${more}`);
  }
}

/** Headers that matter, in a form in which equal ones are the same. */
const headerForms: Readonly<Record<string, (value: string) => string>> = {
  'content-type': (value) => value.toLowerCase().replaceAll(/\s*;\s*/g, ';'),
  location: (value) => value,
  allow: words,
  'x-test': (value) => value,
  'access-control-allow-origin': (value) => value,
  'access-control-allow-methods': words,
};

interface Judged {
  readonly step: Request;
  readonly recorded: Answer;
  readonly got: Got;
  readonly differences: readonly Difference[];
}

function findAllowed({ step, recorded, got, differences }: Judged): AllowedDifference | undefined {
  const message = isJsonObject(recorded.body) ? recorded.body['message'] : undefined;
  const text = recorded.bodyText ?? (typeof message === 'string' ? message : '');
  const answer = isJsonObject(got.json) && typeof got.json['message'] === 'string' ? got.json['message'] : got.text;
  const hasErrorForm = isJsonObject(got.json) && got.json['error_code'] === got.status && typeof got.json['message'] === 'string';
  return allowedDifferences.find(
    (rule) =>
      (rule.group === undefined || rule.group === step.group) &&
      (rule.scenario?.test(step.scenario) ?? true) &&
      (rule.request?.test(`${step.method} ${step.path}`) ?? true) &&
      (rule.recorded.status === undefined || rule.recorded.status === recorded.status) &&
      (rule.recorded.text?.test(text) ?? true) &&
      differences.every(({ at }) => rule.at?.test(at) ?? true) &&
      rule.expected.status.includes(got.status) &&
      (rule.expected.text?.test(answer) ?? true) &&
      (got.status < 400 || step.method === 'HEAD' || hasErrorForm),
  );
}

function act({ what, detail }: Action, machine: ThisMachine): void {
  const [, verb, folder = '', file = ''] = /^(write|remove) (?:the file )?(<\w+>)\/([\w.-]+)$/.exec(what) ?? [];
  // Anything else is a remark about the worker.
  if (verb === undefined) return;
  const path = join(machine.fillText(folder), file);
  if (verb === 'remove') return rmSync(path, { force: true });
  const full: Readonly<Record<string, string>> = {
    StringConverter: 'org.apache.kafka.connect.storage.StringConverter',
    RegexRouter: 'org.apache.kafka.connect.transforms.RegexRouter',
  };
  const lines = (detail ?? '').split(/,\s*/).map((line) => line.replace(/…(\w+)/, (_, name: string) => full[name] ?? name));
  writeFileSync(path, `${lines.join('\n')}\n`);
}

interface Asking {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Paths go as they are: `fetch` would put them in order. */
export function ask(host: string, { method, path, headers, body }: Asking): Promise<Got> {
  const [hostname, port] = host.split(':');
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = httpRequest({ hostname, port, method, path, headers: { ...headers, ...length }, agent: false, timeout: 60_000 });
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        const all = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(all), text, json: parsed(text) });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer`)));
    request.on('error', reject);
    request.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hasStates(recorded: unknown, got: unknown): boolean {
  if (!isJsonObject(recorded) || !isJsonObject(recorded['connector'])) return true;
  if (!isJsonObject(got)) return false;
  const of = (status: unknown): string => (isJsonObject(status) ? String(status['state']) : '');
  const tasks = (body: unknown): readonly unknown[] => (isJsonObject(body) && Array.isArray(body['tasks']) ? body['tasks'] : []);
  if (of(recorded['connector']) !== of(got['connector'])) return false;
  // Running without tasks: it waited for the connector alone.
  if (of(recorded['connector']) === 'RUNNING' && tasks(recorded).length === 0) return true;
  return JSON.stringify(tasks(recorded).map(of)) === JSON.stringify(tasks(got).map(of));
}

function topicsOf(body: unknown): readonly unknown[] | undefined {
  const [first] = isJsonObject(body) ? Object.values(body) : [];
  return isJsonObject(first) && Array.isArray(first['topics']) ? first['topics'] : undefined;
}

function isSameText(recorded: string, got: string): boolean {
  return recorded.endsWith('<...>') ? got.startsWith(recorded.slice(0, -5)) : recorded === got;
}

function words(text: string): string {
  return text
    .split(/\s*,\s*/)
    .filter((word) => word !== '')
    .toSorted()
    .join(', ');
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
