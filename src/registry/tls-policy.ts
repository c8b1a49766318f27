import type { CallContext } from "../base/call-context.ts";
import type { TlsMaterial } from "../http/options.ts";
import { RequestFailure } from "../http/request-failure.ts";
import { withoutPort } from "../oci/reference.ts";
import type { RegistryOptions } from "./options.ts";
import { isLoopback } from "./registry-name.ts";

/** Decides for each host whether http or https is used, and with which certificates. */
export class TlsPolicy {
  readonly #plainHttp: RegistryOptions["plainHttp"];
  readonly #tls: RegistryOptions["tls"];
  readonly #byHost = new Map<string, Promise<TlsMaterial | undefined>>();
  readonly #forStrangers: TlsMaterial | undefined;

  constructor({ plainHttp, tls }: Pick<RegistryOptions, "plainHttp" | "tls">) {
    this.#plainHttp = plainHttp;
    this.#tls = tls;
    // A client certificate identifies the user, and skipping verification is a risk: both are for the registry alone.
    this.#forStrangers = typeof tls === "object" && tls.ca !== undefined ? { ca: tls.ca } : undefined;
  }

  /** The scheme for a registry. It is http only if the user says so, or the address is this machine's. */
  async scheme(host: string, context: CallContext): Promise<"http" | "https"> {
    if (this.#plainHttp !== undefined && this.#plainHttp !== false) {
      if (this.#plainHttp === true || this.#plainHttp.includes(host)) return "http";
    }
    if (this.#plainHttp === false || !isLoopback(withoutPort(host))) return "https";
    return (await this.tls(host, "registry", context)) === undefined ? "http" : "https";
  }

  /** The TLS material for `host[:port]`. A stranger is a host that a registry named and not the user. */
  tls(host: string, role: "registry" | "stranger", context: CallContext): Promise<TlsMaterial | undefined> {
    if (typeof this.#tls !== "function") return Promise.resolve(role === "registry" ? this.#tls : this.#forStrangers);
    const { onEvent } = context.fetchOptions;
    // Shared by all calls, so no signal aborts it.
    const known = this.#byHost.get(host) ?? Promise.resolve(this.#tls(host, onEvent && { onEvent }));
    this.#byHost.set(host, known);
    known.catch(() => this.#byHost.delete(host));
    return known;
  }

  /** Throws if `from` leads to an http URL, unless `from` is http itself and http is allowed for the target, too. */
  admitScheme(target: URL, from: URL): void {
    if (target.protocol === "https:") return;
    const isDowngrade = from.protocol === "https:";
    const isAllowed = target.hostname === from.hostname || isLoopback(target.hostname) || this.#isPlain(target);
    if (!isDowngrade && isAllowed) return;
    const found = `${from.host} leads to ${target.host} over http${isDowngrade ? ", away from https" : ""}`;
    const hint = isDowngrade
      ? "nothing allows that: tell the registry's operator"
      : `if nobody can listen in, allow http for "${target.host}" with \`plainHttp\``;
    throw new RequestFailure("POLICY_DENIED", found, { host: from.host, hint });
  }

  #isPlain({ host }: URL): boolean {
    return this.#plainHttp === true || (Array.isArray(this.#plainHttp) && this.#plainHttp.includes(host));
  }
}
