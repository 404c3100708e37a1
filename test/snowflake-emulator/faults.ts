/** Where in a statement's life a fault strikes. */
export type FaultPhase = 'beforeExecution' | 'afterExecution';

/**
 * What goes wrong, once or `times` times, at the statements that `match` says.
 *
 *   unavailable   HTTP 503, and nothing was done
 *   drop          the connection breaks before or after the statement was done: after a COMMIT its outcome is unknown
 *   error         the statement is refused with a code
 *   tokenExpired  390112: the session's token must be renewed
 *   slow          the answer is 333334 first, and the result must be asked for
 *   hang          the statement waits for so long before it runs
 *   upload        an upload to a stage is refused with a status, or breaks off
 *   copy          a COPY fails at a file whose path matches
 *   streaming     a request of Snowpipe Streaming, `METHOD /path`, is refused with a status, or its connection breaks
 */
export type Fault =
  | { readonly kind: 'unavailable'; readonly match: StatementMatch; readonly times?: number }
  | { readonly kind: 'drop'; readonly match: StatementMatch; readonly phase: FaultPhase; readonly times?: number }
  | {
      readonly kind: 'error';
      readonly match: StatementMatch;
      readonly code: string;
      readonly sqlState?: string;
      readonly message?: string;
      readonly times?: number;
    }
  | { readonly kind: 'tokenExpired'; readonly match: StatementMatch; readonly times?: number }
  | { readonly kind: 'slow'; readonly match: StatementMatch; readonly delayMs: number; readonly times?: number }
  | { readonly kind: 'hang'; readonly match: StatementMatch; readonly delayMs: number; readonly times?: number }
  | { readonly kind: 'upload'; readonly path: RegExp; readonly status?: number; readonly times?: number }
  | { readonly kind: 'copy'; readonly path: RegExp; readonly times?: number }
  | { readonly kind: 'streaming'; readonly path: RegExp; readonly phase: FaultPhase; readonly status?: number; readonly times?: number };

/** A text that the statement matches, and which of those that do: the first is 1. */
export interface StatementMatch {
  readonly sql: RegExp;
  readonly nth?: number;
}

interface Armed {
  readonly fault: Fault;
  seen: number;
  left: number;
}

export type FaultOf<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

/** Faults that wait for their statement. */
export class Faults {
  readonly #armed: Armed[] = [];
  readonly #struck: Fault[] = [];

  add(...faults: readonly Fault[]): void {
    for (const fault of faults) this.#armed.push({ fault, seen: 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#armed.length = 0;
  }

  /** Those that have happened, in their order. */
  get struck(): readonly Fault[] {
    return this.#struck;
  }

  /** The fault of a kind that strikes this statement, if there is one. Each look counts the statement once. */
  atStatement<K extends Fault['kind']>(kind: K, sql: string, phase?: FaultPhase): FaultOf<K> | undefined {
    return this.#strike(
      kind,
      (fault) => 'match' in fault && matches(fault.match.sql, sql) && (!('phase' in fault) || fault.phase === phase),
    );
  }

  atPath<K extends 'upload' | 'copy' | 'streaming'>(kind: K, path: string, phase?: FaultPhase): FaultOf<K> | undefined {
    return this.#strike(kind, (fault) => 'path' in fault && matches(fault.path, path) && (!('phase' in fault) || fault.phase === phase));
  }

  #strike<K extends Fault['kind']>(kind: K, applies: (fault: Fault) => boolean): FaultOf<K> | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (!isKind(fault, kind) || armed.left === 0 || !applies(fault)) continue;
      armed.seen += 1;
      const nth = 'match' in fault ? (fault.match.nth ?? 1) : 1;
      if (armed.seen < nth) continue;
      armed.left -= 1;
      this.#struck.push(fault);
      return fault;
    }
    return undefined;
  }
}

function isKind<K extends Fault['kind']>(fault: Fault, kind: K): fault is FaultOf<K> {
  return fault.kind === kind;
}

function matches(pattern: RegExp, text: string): boolean {
  return new RegExp(pattern.source, pattern.flags.replace('g', '')).test(text);
}
