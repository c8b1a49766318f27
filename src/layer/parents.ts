import { type ByteString, ownCopy } from "../tar/byte-string.ts";
import type { BackEndTypes, Directory } from "./directory.ts";

/** How many parents are remembered of each kind, and how much text that may be: with it they take less than 8 MiB. */
const rememberedAtMost = 10_000;
const textBytesAtMost = 2 * 1024 * 1024;

/**
 * The longest text that is remembered: what Linux takes as one path. A map would compare texts of more than 16,383
 * characters one by one: of those, V8 makes its hash of the length alone.
 */
const prefixBytesAtMost = 4096;

/**
 * Where the parents of recent entries are, by the text before an entry's last slash.
 *
 * Names that are added never change where a path leads that led to a directory before. What is removed can: a directory
 * or a symlink. Whoever removes one says so.
 */
export class Parents<Types extends BackEndTypes> {
  readonly #plain = new Prefixes<Types>();
  readonly #throughLinks = new Prefixes<Types>();

  get(prefix: ByteString): Directory<Types> | undefined {
    if (prefix.length > prefixBytesAtMost) return undefined;
    return this.#plain.get(prefix) ?? this.#throughLinks.get(prefix);
  }

  set(prefix: ByteString, directory: Directory<Types>, links: number): void {
    if (prefix.length <= prefixBytesAtMost) (links > 0 ? this.#throughLinks : this.#plain).set(prefix, directory);
  }

  /** To be called when a directory is removed: nothing remembers it, and what was in it, any longer. */
  directoryIsGone(): void {
    this.#plain.clear();
    this.linkMayBeGone();
  }

  /** To be called when something is removed that could be a symlink. */
  linkMayBeGone(): void {
    this.#throughLinks.clear();
  }
}

/** Directories by text, as many as may be remembered. */
class Prefixes<Types extends BackEndTypes> {
  readonly #directories = new Map<ByteString, Directory<Types>>();
  #textBytes = 0;

  get(prefix: ByteString): Directory<Types> | undefined {
    return this.#directories.get(prefix);
  }

  set(prefix: ByteString, directory: Directory<Types>): void {
    if (this.#directories.size >= rememberedAtMost || this.#textBytes >= textBytesAtMost) this.clear();
    this.#directories.set(ownCopy(prefix), directory);
    this.#textBytes += prefix.length;
  }

  clear(): void {
    if (this.#directories.size === 0) return;
    this.#directories.clear();
    this.#textBytes = 0;
  }
}
