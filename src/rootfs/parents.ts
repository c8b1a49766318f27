import type { ByteString } from "../tar/byte-string.ts";
import type { Directory } from "./directory.ts";

/** How many parents are remembered of each kind. */
const rememberedAtMost = 10_000;

/**
 * Where the parents of recent entries are, by the text before an entry's last slash.
 *
 * Names that are added never change where a way leads that led to a directory before. What is removed can: a directory,
 * which says so itself, or a symlink, which does not.
 */
export class Parents {
  readonly #plain = new Map<ByteString, Directory>();
  readonly #throughLinks = new Map<ByteString, Directory>();

  get(prefix: ByteString): Directory | undefined {
    const found = this.#plain.get(prefix) ?? this.#throughLinks.get(prefix);
    return found?.isRemoved === false ? found : undefined;
  }

  set(prefix: ByteString, directory: Directory, links: number): void {
    const known = links > 0 ? this.#throughLinks : this.#plain;
    if (known.size >= rememberedAtMost) known.clear();
    known.set(prefix, directory);
  }

  /** To be called when something is removed that could be a symlink. */
  linkMayBeGone(): void {
    if (this.#throughLinks.size > 0) this.#throughLinks.clear();
  }
}
