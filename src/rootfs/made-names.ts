import type { ByteString } from "../tar/byte-string.ts";
import type { Directory } from "./directory.ts";

/**
 * The names that one layer gave to what is no directory: those that its own whiteouts leave alone.
 *
 * Everything that is there while the first layer is applied is the first layer's, so nothing is remembered for it.
 */
export class MadeNames {
  readonly #isFirstLayer: boolean;
  readonly #names = new Map<Directory, Set<ByteString>>();

  constructor(layer: number) {
    this.#isFirstLayer = layer === 0;
  }

  add(directory: Directory, name: ByteString): void {
    if (this.#isFirstLayer) return;
    const names = this.#names.get(directory);
    if (names === undefined) this.#names.set(directory, new Set([name]));
    else names.add(name);
  }

  delete(directory: Directory, name: ByteString): void {
    this.#names.get(directory)?.delete(name);
  }

  /** Whether what stands at a name, if anything does, is this layer's. */
  has(directory: Directory, name: ByteString): boolean {
    return this.#isFirstLayer || this.#names.get(directory)?.has(name) === true;
  }
}
