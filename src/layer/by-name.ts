import type { ByteString } from "../tar/byte-string.ts";
import type { BackEndTypes, Directory } from "./directory.ts";

/** Things that belong to a name in a directory, whether anything stands there or not. */
export class ByName<Types extends BackEndTypes, Thing> {
  readonly #things = new Map<Directory<Types>, Map<ByteString, Thing[]>>();

  get isEmpty(): boolean {
    return this.#things.size === 0;
  }

  has(directory: Directory<Types>, name: ByteString): boolean {
    return this.#things.get(directory)?.has(name) === true;
  }

  add(directory: Directory<Types>, name: ByteString, thing: Thing): void {
    const names = this.#things.get(directory) ?? new Map<ByteString, Thing[]>();
    this.#things.set(directory, names);
    const things = names.get(name);
    if (things === undefined) names.set(name, [thing]);
    else things.push(thing);
  }

  /** Takes away what belongs to a name, and gives it. */
  take(directory: Directory<Types>, name: ByteString): readonly Thing[] {
    const names = this.#things.get(directory);
    const things = names?.get(name) ?? [];
    names?.delete(name);
    if (names?.size === 0) this.#things.delete(directory);
    return things;
  }

  *all(): Iterable<Thing> {
    for (const names of this.#things.values()) for (const things of names.values()) yield* things;
  }
}
