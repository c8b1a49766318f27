import { isOfUnknownAuthority } from "./network-failure.ts";
import type { TlsMaterial } from "./options.ts";

/**
 * Authorities that count beside those that Node trusts. They are asked for when a certificate comes from none that is
 * known, so that whoever needs none of them pays for none.
 */
export class FurtherAuthorities {
  readonly #find: (() => Promise<readonly string[]>) | undefined;
  #found: Promise<readonly string[]> | undefined;
  #known: readonly string[] = [];
  /** The same object for the same material: connections are shared by it. */
  readonly #extended = new Map<TlsMaterial | undefined, TlsMaterial>();

  constructor(find: (() => Promise<readonly string[]>) | undefined) {
    this.#find = find;
  }

  /** What to make a connection with: what was asked for, and the further authorities once they are known. */
  addedTo(tls: TlsMaterial | undefined): TlsMaterial | undefined {
    if (this.#known.length === 0) return tls;
    const extended = this.#extended.get(tls) ?? { ...tls, ca: [...(tls?.ca ?? []), ...this.#known] };
    this.#extended.set(tls, extended);
    return extended;
  }

  /** Whether, after an error, a connection with this material may succeed with authorities that it did not have. */
  async mayHelp(error: unknown, tls: TlsMaterial | undefined): Promise<boolean> {
    if (this.#find === undefined || !isOfUnknownAuthority(error)) return false;
    this.#found ??= this.#find();
    this.#known = await this.#found;
    return this.#known.length > 0 && !this.#known.every((authority) => tls?.ca?.includes(authority));
  }
}
