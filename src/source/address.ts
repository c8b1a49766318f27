import { BlockList, isIP, isIPv4 } from "node:net";

/**
 * How far away an address is.
 *
 * `link-local` has the metadata services of clouds; `private` is what only a site or a provider's network reaches.
 */
export type Zone = "public" | "private" | "link-local" | "loopback";

/** The networks that are not public (the IANA special-purpose address registries, and fd00:ec2::254). */
const networks: Readonly<Record<Exclude<Zone, "public">, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  private: [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "fc00::/7",
    "fec0::/10",
    "ff00::/8",
  ],
};

const zones = Object.entries(networks).map(([zone, list]) => [zone as Zone, networkList(list)] as const);

/** Tells where an address is, IPv4 addresses inside IPv6 ones included. */
export function zoneOf(address: string): Zone {
  const unscoped = address.replace(/%.*/, "");
  const plain = embeddedIPv4(unscoped) ?? unscoped;
  return zones.find(([, list]) => contains(list, plain))?.[0] ?? "public";
}

/** The address that a URL's host is, without brackets; `undefined` where it is a name. */
export function addressIn(hostname: string): string | undefined {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}

/** `URL.hostname` has IPv6 addresses in brackets; sockets want them without. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

export function portOf({ protocol, port }: URL): number {
  return Number(port) || (protocol === "https:" ? 443 : 80);
}

/** Networks as `address/bits`. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits = ""] = network.split("/");
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

export function contains(list: BlockList, address: string): boolean {
  return list.check(address, familyOf(address));
}

/** Whether text is a network that `networkList` takes. */
export function isNetwork(text: string): boolean {
  const [address = "", bits = ""] = text.split("/");
  const longest = isIPv4(address) ? 32 : 128;
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= longest;
}

/** An IPv4 address hidden in an IPv6 one: mapped (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056). A router may unpack it. */
function embeddedIPv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  // WHATWG URLs have the one canonical spelling of every address.
  const groups = expanded(new URL(`http://[${address}]/`).hostname.slice(1, -1));
  const prefix = groups.slice(0, 6).join(":");
  if (prefix === "0:0:0:0:0:ffff" || prefix === "64:ff9b:0:0:0:0") return dotted(groups[6], groups[7]);
  if (groups[0] === "2002") return dotted(groups[1], groups[2]);
  return undefined;
}

function expanded(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined) return before;
  const after = tail === "" ? [] : tail.split(":");
  return [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
}

function dotted(high = "0", low = "0"): string {
  const [h, l] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [h >> 8, h & 255, l >> 8, l & 255].join(".");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}
