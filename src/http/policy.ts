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
  /** Only requests with the same key share connections. */
  readonly key: string;
  /** Throws `POLICY_DENIED` for an address that is out of reach. `host` is `name[:port]`. */
  admit(host: string, address: string): void;
}

/** Registries whose token server has another domain, although it is their own. */
const pairs: readonly (readonly [registry: RegExp, realm: RegExp])[] = [
  [/^registry-1\.docker\.io$/, /^auth\.docker\.io$/],
  [/^lscr\.io$/, /^ghcr\.io$/],
  [/^registry\.([a-z0-9-]+)\.aliyuncs\.com$/, /^dockerauth\.[a-z0-9-]+\.aliyuncs\.com$/],
];

/**
 * Decides which hosts may be connected to, and which may see credentials. A registry sends clients to hosts of its
 * choice.
 */
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

  /** For hosts that the user named: the registry, a configured mirror. */
  named(): Reach {
    return this.#reach("named", this.#denyPrivate ? ["public"] : ["public", "private", "link-local", "loopback"]);
  }

  /**
   * For hosts that a registry named: a token server, the target of a redirect, a foreign layer.
   *
   * Such a host may not be nearer to this process than the registry is, and never a cloud's metadata service.
   */
  referred(registryAddress: string | undefined): Reach {
    const registryZone = registryAddress === undefined ? "public" : farthestZoneOf(registryAddress);
    return this.#reach(`referred by ${registryZone}`, this.#denyPrivate ? ["public"] : within(registryZone));
  }

  /** Whether the registry's credentials may be sent to this token server. */
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

/** Whether a text is a host as options name it: `host`, `host:port`, `*.suffix`, `[::1]`. */
function isHost(text: string): boolean {
  // Linear: what is repeated ends at the first colon or bracket.
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

/** The part of `dns.lookup` that is used here. */
type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A lookup for sockets that resolves names with `resolve` and returns only addresses that are allowed.
 *
 * A socket connects to an address from its lookup and to nothing else. So the address that is checked is the one that
 * is connected to, even if the name changes its address meanwhile (DNS rebinding).
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
