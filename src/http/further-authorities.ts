import type { TlsMaterial } from "./options.ts";
import { isOfUnknownAuthority } from "./request-failure.ts";

/**
 * Authorities that are trusted besides those that Node trusts. They are read only when a certificate comes from an
 * unknown authority, because reading them takes time.
 */
export class FurtherAuthorities {
  readonly #find: (() => Promise<readonly string[]>) | undefined;
  #found: Promise<readonly string[]> | undefined;
  #known: readonly string[] = [];
  /**
   * The extended material by the original: the same object for the same material, because connections are shared by it.
   */
  readonly #extended = new Map<TlsMaterial | undefined, TlsMaterial>();

  constructor(find: (() => Promise<readonly string[]>) | undefined) {
    this.#find = find;
  }

  /** The TLS material with the further authorities, once these have been read. */
  addedTo(tls: TlsMaterial | undefined): TlsMaterial | undefined {
    if (this.#known.length === 0) return tls;
    const extended = this.#extended.get(tls) ?? { ...tls, ca: [...(tls?.ca ?? []), ...this.#known] };
    this.#extended.set(tls, extended);
    return extended;
  }

  /** Whether a connection that failed with this error may succeed with authorities that it did not have. */
  async mayHelp(error: unknown, tls: TlsMaterial | undefined): Promise<boolean> {
    if (this.#find === undefined || !isOfUnknownAuthority(error)) return false;
    this.#found ??= this.#find();
    this.#known = await this.#found;
    return this.#known.length > 0 && !this.#known.every((authority) => tls?.ca?.includes(authority));
  }
}
