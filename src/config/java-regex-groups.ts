/** The groups of one of Java's regular expressions, as far as references to them need to know. */

interface OpenGroup {
  /** Undefined: it captures nothing. */
  readonly index: number | undefined;
  /** Captured inside of it so far. */
  readonly inside: number[];
  hasAlternatives: boolean;
  readonly kind: GroupKind;
  readonly flags: PatternFlags;
}

export type GroupKind = 'plain' | 'ahead' | 'behind' | 'negative';

export interface PatternFlags {
  readonly ignoresCase: boolean;
  readonly dotAll: boolean;
}

/**
 * Follows a pattern's groups. A reference to a group that took no part matches nothing in Java and everything in JavaScript, so
 * that only those are translated whose group certainly took part.
 */
export class PatternGroups {
  readonly #stack: OpenGroup[] = [];
  readonly #names = new Map<string, number>();
  readonly #sure = new Set<number>();
  readonly #whole: OpenGroup;
  #count = 0;

  constructor(flags: PatternFlags) {
    this.#whole = { index: undefined, inside: [], hasAlternatives: false, kind: 'plain', flags };
  }

  /** Capturing groups that were opened so far. */
  get count(): number {
    return this.#count;
  }

  /** Groups that are open. */
  get depth(): number {
    return this.#stack.length;
  }

  get isInLookbehind(): boolean {
    return this.#stack.some(({ kind }) => kind === 'behind');
  }

  /** @returns false: there is a group of this name already */
  open({ captures, name, kind, flags }: { captures: boolean; name?: string | undefined; kind: GroupKind; flags: PatternFlags }): boolean {
    const index = captures ? ++this.#count : undefined;
    this.#stack.push({ index, inside: [], hasAlternatives: false, kind, flags });
    if (name === undefined || index === undefined) return true;
    if (this.#names.has(name)) return false;
    this.#names.set(name, index);
    return true;
  }

  alternative(): void {
    const group = this.#stack.at(-1) ?? this.#whole;
    group.hasAlternatives = true;
    for (const index of group.inside) this.#sure.delete(index);
  }

  /** `isOptional`: it may be passed over. The flags are those from before it; undefined: none was open. */
  close(isOptional: boolean): PatternFlags | undefined {
    const group = this.#stack.pop();
    if (group === undefined) return undefined;
    const parent = this.#stack.at(-1) ?? this.#whole;
    parent.inside.push(...group.inside);
    const isSure = !isOptional && group.kind !== 'negative';
    if (!isSure || group.hasAlternatives) for (const index of group.inside) this.#sure.delete(index);
    if (group.index !== undefined) {
      parent.inside.push(group.index);
      if (isSure) this.#sure.add(group.index);
    }
    return group.flags;
  }

  numberOf(name: string): number | undefined {
    return this.#names.get(name);
  }

  certainlyTookPart(index: number): boolean {
    return this.#sure.has(index);
  }
}
