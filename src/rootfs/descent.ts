import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { type Stat, statOf } from "../linux/stat.ts";
import { closeDescriptor, openDirectoryAt } from "../linux/syscalls.ts";
import { byteStringOf } from "../tar/byte-string.ts";

/** How many levels of a tree are held open. */
const heldLevels = 16;

const parent = byteStringOf("..");

/** A directory on the way down. */
interface Level {
  /** -1 while it is not held. */
  descriptor: number;
  /** What it must be when it is come back to; known when it was let go. */
  identity: Stat["identity"] | undefined;
}

/**
 * The way from a directory down to where a walk through a tree is.
 *
 * A tree may be deeper than handles may be open. The handles of far ancestors are closed then; the way back is `..`,
 * and whoever moved a directory meanwhile finds that it is not the one that was left.
 */
export class Descent implements Disposable {
  readonly #top: number;
  readonly #failed: (call: string, result: Result) => Error;
  readonly #levels: Level[] = [];

  /**
   * `top` is an open handle, the caller's to close. `failed` makes the error where a directory cannot be come back to.
   */
  constructor(top: number, failed: (call: string, result: Result) => Error) {
    this.#top = top;
    this.#failed = failed;
  }

  /** The handle of the directory where the walk is. */
  get descriptor(): number {
    return this.#levels.at(-1)?.descriptor ?? this.#top;
  }

  /** The handle of the directory above it, which is opened again if need be. */
  above(): number {
    const [above, here] = this.#levels.slice(-2);
    if (above === undefined || here === undefined) return this.#top;
    if (above.descriptor < 0) this.#reopen(above, here);
    return above.descriptor;
  }

  /** Goes down to a directory in the present one. Its open handle is closed here, sooner or later. */
  enter(descriptor: number): void {
    this.#levels.push({ descriptor, identity: undefined });
    const far = this.#levels.at(-1 - heldLevels);
    if (far === undefined || far.descriptor < 0) return;
    far.identity = this.#identityOf(far.descriptor);
    closeDescriptor(far.descriptor);
    far.descriptor = -1;
  }

  /** Goes back up to the directory above. */
  leave(): void {
    this.above();
    const left = this.#levels.pop();
    if (left !== undefined) closeDescriptor(left.descriptor);
  }

  [Symbol.dispose](): void {
    for (const { descriptor } of this.#levels) if (descriptor >= 0) closeDescriptor(descriptor);
    this.#levels.length = 0;
  }

  #reopen(level: Level, below: Level): void {
    const descriptor = openDirectoryAt(below.descriptor, parent);
    if (descriptor < 0) throw this.#failed('openat("..")', descriptor);
    level.descriptor = descriptor;
    if (this.#identityOf(descriptor) !== level.identity) throw this.#failed('openat("..")', -errnos.EXDEV);
  }

  #identityOf(descriptor: number): Stat["identity"] {
    const stat = statOf(descriptor);
    if (typeof stat === "number") throw this.#failed("statx", stat);
    return stat.identity;
  }
}
