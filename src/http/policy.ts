import type { LookupAddress, LookupAllOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { OciUnpackError } from "../base/errors.ts";
import { withoutPort } from "../oci/reference.ts";
import {
  addressIn,
  contains,
  farthestZoneOf,
  isNetwork,
  type Networks,
  networkList,
  type Zone,
  zoneOf,
} from "./address.ts";
import type { NetworkPolicy } from "./options.ts";
import { registrableDomain } from "./registrable-domain.ts";
import { RequestFailure } from "./request-failure.ts";

/** Which addresses a request may connect to. */
export interface Reach {
  /** Connections are only shared between requests of the same reach. */
  readonly key: string;
  /** Throws `POLICY_DENIED` for an address that is out of reach. `host` is `name[:port]`. */
  admit(host: string, address: string): void;
}

/** Registries whose token server has another domain, and is theirs all the same. */
const pairs: readonly (readonly [registry: RegExp, realm: RegExp])[] = [
  [/^registry-1\.docker\.io$/, /^auth\.docker\.io$/],
  [/^lscr\.io$/, /^ghcr\.io$/],
  [/^registry\.([a-z0-9-]+)\.aliyuncs\.com$/, /^dockerauth\.[a-z0-9-]+\.aliyuncs\.com$/],
];

/** Who may be reached from where. A registry sends its clients to other hosts, and need not mean well. */
export class Policy {
  readonly #denyPrivate: boolean;
  readonly #hosts: readonly string[];
  readonly #networks: Networks;

  constructor({ allowHosts = [], denyPrivate = false }: NetworkPolicy = {}) {
    this.#denyPrivate = denyPrivate;
    this.#hosts = allowHosts.filter((host) => !host.includes("/")).map((host) => host.toLowerCase());
    const networks = allowHosts.filter((host) => host.includes("/"));
    for (const host of this.#hosts) if (!isHost(host)) throw notAllowed(host, "it is not a host");
    for (const network of networks) if (!isNetwork(network)) throw notAllowed(network, "it is not a network");
    this.#networks = networkList(networks);
  }

  /** For what the user named: the registry, a configured mirror. */
  named(): Reach {
    return this.#reach("named", this.#denyPrivate ? ["public"] : ["public", "private", "link-local", "loopback"]);
  }

  /**
   * For what a registry named: a token server, the target of a redirect, a foreign layer.
   *
   * Such a host may be no nearer to this process than the registry itself is; nobody's registry needs a cloud's metadata.
   */
  referred(registryAddress: string | undefined): Reach {
    const registryZone = registryAddress === undefined ? "public" : farthestZoneOf(registryAddress);
    return this.#reach(`referred by ${registryZone}`, this.#denyPrivate ? ["public"] : within(registryZone));
  }

  /** Whether a registry's credentials may be shown to its token server. */
  async trusts(realm: URL, registry: URL): Promise<boolean> {
    if (realm.protocol !== "https:" && registry.protocol === "https:") return false;
    if (realm.hostname === registry.hostname || this.#listsHost(realm.host)) return true;
    if (pairs.some(([from, to]) => from.test(registry.hostname) && to.test(realm.hostname))) return true;
    const ownDomain = await registrableDomain(registry.hostname);
    return ownDomain !== undefined && ownDomain === (await registrableDomain(realm.hostname));
  }

  #reach(key: string, zones: readonly Zone[]): Reach {
    return {
      key,
      admit: (host, address) => {
        const zone = zoneOf(address);
        if (zones.includes(zone) || this.#listsHost(host) || contains(this.#networks, address)) return;
        const where =
          addressIn(withoutPort(host)) === undefined ? `is at ${address}, a ${zone} address` : `is a ${zone} address`;
        throw new RequestFailure("POLICY_DENIED", `${host} ${where}`, {
          hint: `allow "${host}" with \`network.allowHosts\`, if it is to be trusted`,
          host,
        });
      },
    };
  }

  #listsHost(host: string): boolean {
    const name = withoutPort(host);
    return this.#hosts.some(
      (one) => one === host || one === name || (one.startsWith("*.") && name.endsWith(one.slice(1))),
    );
  }
}

/** Whether a text can be the host of a URL, or the end of one: `host`, `host:port`, `*.suffix`, `[::1]`. */
function isHost(text: string): boolean {
  // Linear: the part that is repeated begins at one place and ends where a colon or a bracket is.
  return /^(?:(?:\*\.)?[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(text);
}

function notAllowed(text: string, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_OPTION", `cannot allow "${text}": ${found}`, {
    hint: "write HOST, HOST:PORT, *.SUFFIX, [ADDRESS], or a network such as 10.20.0.0/16 or ::1/128",
  });
}

function within(registryZone: Zone): readonly Zone[] {
  if (registryZone === "loopback") return ["public", "private", "loopback"];
  return registryZone === "public" ? ["public"] : ["public", registryZone];
}

/** What this asks of `dns.lookup`. */
type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves names with `resolve`, and gives a socket only addresses that are within reach.
 *
 * A socket connects to what its lookup gave it and to nothing else, so what is judged here is what is connected to: a
 * name that changes its address between a check and the connection changes nothing.
 */
export function admittedLookup(reach: Reach, host: string, resolve: ResolveAll): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const { admitted, refusal } = judged(addresses, reach, host);
      const [first] = admitted;
      if (first === undefined) return callback(refusal ?? notFound(hostname), []);
      return options.all ? callback(null, admitted) : callback(null, first.address, first.family);
    });
  };
}

function judged(addresses: readonly LookupAddress[], reach: Reach, host: string) {
  const admitted: LookupAddress[] = [];
  let refusal: Error | undefined;
  for (const one of addresses) {
    try {
      reach.admit(host, one.address);
      admitted.push(one);
    } catch (error) {
      refusal = error instanceof Error ? error : undefined;
    }
  }
  return { admitted, refusal };
}

function notFound(hostname: string): Error {
  return Object.assign(new Error(`no address for ${hostname}`), { code: "ENOTFOUND" });
}
