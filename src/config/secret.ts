import { inspect } from 'node:util';

const hidden = '[hidden]';

/** A text that hides itself wherever it is printed, logged or turned into JSON; `reveal` alone gives it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
