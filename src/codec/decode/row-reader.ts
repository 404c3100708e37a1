import { jsonLabel, type JsonReader } from './json-reader.ts';

/** Where a member's value begins; these say that there is none, or that it is null. */
export const noValue = { missing: -1, null: -2 } as const;

/** A member of an object: its name, and the place of its value among `starts`; -1: it is passed over. */
export interface MemberPlace {
  readonly name: string;
  readonly place: number;
}

/** Finds the values of an object's members. Members that come in the expected order are compared as bytes alone. */
export class MemberFinder {
  /** Per place where the value begins in the reader's bytes, or `noValue`. */
  readonly starts: Int32Array;
  /** The first member of the last object that nobody expects. */
  unexpected: string | undefined;
  readonly #labels: readonly Uint8Array[];
  readonly #places: Int32Array;
  readonly #order: ReadonlyMap<string, number>;

  constructor(members: readonly MemberPlace[], places: number) {
    this.starts = new Int32Array(places);
    this.#labels = members.map(({ name }) => jsonLabel(name));
    this.#places = Int32Array.from(members, ({ place }) => place);
    this.#order = new Map(members.map(({ name }, index) => [name, index]));
  }

  /** Finds the members of the object at the cursor, which then stands behind it. */
  find(reader: JsonReader): void {
    const { starts } = this;
    const labels = this.#labels;
    const places = this.#places;
    starts.fill(noValue.missing);
    this.unexpected = undefined;
    let expected = 0;
    for (let more = reader.enterObject(); more; more = reader.next()) {
      const label = labels[expected];
      let place: number;
      if (label !== undefined && reader.takeLabel(label)) {
        place = places[expected++] ?? -1;
      } else {
        const name = reader.name();
        const known = this.#order.get(name);
        if (known === undefined) {
          this.unexpected ??= name;
          reader.skip();
          continue;
        }
        expected = known + 1;
        place = places[known] ?? -1;
      }
      if (reader.takeNull()) {
        if (place >= 0) starts[place] = noValue.null;
      } else {
        const start = reader.at;
        reader.skip();
        if (place >= 0) starts[place] = start;
      }
    }
  }

  reset(): void {
    this.starts.fill(noValue.missing);
  }
}
