/** Four bytes of a key mixed into a running hash. */
export function mix(hash: number, word: number): number {
  let h = hash ^ Math.imul(word, 0xcc9e2d51);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

/** Spreads a hash over all of its bits (murmur3's last step). */
export function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hash of `bytes[start, end)`. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = mix(hash, (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24));
  }
  let rest = 0;
  for (; at < end; at++) rest = (rest << 8) | (bytes[at] ?? 0);
  return finish(mix(hash, rest));
}

/** Whether two byte ranges of one length are the same. */
export function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/**
 * Open addressing over typed arrays: from a hash to the numbers of entries that the owner keeps in arrays of its own.
 * The owner compares keys; a search is
 *
 *   for (let slot = index.first(hash); ; slot = index.next(slot)) {
 *     const entry = index.entryAt(slot);
 *     if (entry < 0) { index.insert(slot, hash); break; }
 *     if (index.hashes[entry] === hash && same key) break;
 *   }
 */
export class HashIndex {
  count = 0;
  /** Hash of each entry. */
  hashes = new Int32Array(1024);
  /** Entry + 1; 0 is free. */
  #slots = new Int32Array(2048);
  #mask = 2047;

  first(hash: number): number {
    return hash & this.#mask;
  }

  next(slot: number): number {
    return (slot + 1) & this.#mask;
  }

  entryAt(slot: number): number {
    return (this.#slots[slot] ?? 0) - 1;
  }

  /** Takes the free slot for a new entry and returns its number: the count before. */
  insert(slot: number, hash: number): number {
    const entry = this.count++;
    this.#slots[slot] = entry + 1;
    if (entry === this.hashes.length) {
      const hashes = new Int32Array(entry * 2);
      hashes.set(this.hashes);
      this.hashes = hashes;
    }
    this.hashes[entry] = hash;
    if (this.count * 2 > this.#slots.length) this.#grow();
    return entry;
  }

  #grow(): void {
    const size = this.#slots.length * 2;
    const mask = size - 1;
    const slots = new Int32Array(size);
    for (let entry = 0; entry < this.count; entry++) {
      let slot = (this.hashes[entry] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.#slots = slots;
    this.#mask = mask;
  }
}
