import { BlockList, isIP, isIPv4 } from "node:net";

/**
 * How far away an address is.
 *
 * The metadata services of clouds count as `link-local`; `private` addresses are reachable only within an
 * organisation's or a provider's network.
 */
export type Zone = "public" | "private" | "link-local" | "loopback";

/** The zones, the nearest first. */
const nearness: readonly Zone[] = ["loopback", "link-local", "private", "public"];

/**
 * The networks that are not public: those that the IANA special-purpose address registries (RFC 6890) call not globally
 * reachable, multicast, what is not allocated to anyone, and where clouds have their metadata.
 */
const networks: Readonly<Record<Exclude<Zone, "public">, readonly string[]>> = {
  loopback: ["0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"],
  "link-local": [
    "169.254.0.0/16",
    "fe80::/10",
    // Metadata that is elsewhere: Azure, Alibaba, Oracle; then AWS, Google, Oracle and Scaleway by IPv6.
    "168.63.129.16/32",
    "100.100.100.200/32",
    "192.0.0.192/32",
    "fd00:ec2::/32",
    "fd20:ce::/32",
    "fd00:c1::/32",
    "fd00:42::/32",
  ],
  private: [
    "10.0.0.0/8",
    "100.64.0.0/10", // shared by a provider's customers
    "172.16.0.0/12",
    "192.0.0.0/24", // protocol assignments
    "192.0.2.0/24", // documentation
    "192.88.99.0/24", // 6to4 relays, deprecated
    "192.168.0.0/16",
    "198.18.0.0/15", // benchmarks
    "198.51.100.0/24", // documentation
    "203.0.113.0/24", // documentation
    "224.0.0.0/4", // multicast
    "240.0.0.0/4", // reserved, and broadcast
    // Whatever is not in 2000::/3, the only global unicast addresses: fc00::/7, ff00::/8, 100::/64, 5f00::/16 and the
    // rest.
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23", // protocol assignments, Teredo and benchmarks among them
    "2001:db8::/32", // documentation
    "2002::/16", // 6to4: judged by what is in it
    "3fff::/20", // documentation
  ],
};

/** Addresses within these networks that the registries call globally reachable. */
const reachable = networkList([
  "192.0.0.9/32",
  "192.0.0.10/32",
  "2001:1::1/128",
  "2001:1::2/128",
  "2001:1::3/128",
  "2001:3::/32",
  "2001:4:112::/48",
  "2001:20::/28",
  "2001:30::/28",
]);

const zones = Object.entries(networks).map(([zone, list]) => [zone as Zone, networkList(list)] as const);

/** The zone of an address. If an IPv4 address may be embedded in it, the nearer zone of the two. */
export function zoneOf(address: string): Zone {
  return nearness.find(isAmong(zonesOf(address))) ?? "public";
}

/** The zone of an address. If an IPv4 address may be embedded in it, the farther zone of the two. */
export function farthestZoneOf(address: string): Zone {
  return nearness.findLast(isAmong(zonesOf(address))) ?? "public";
}

function isAmong(zones: readonly Zone[]): (zone: Zone) => boolean {
  return (zone) => zones.includes(zone);
}

function zonesOf(address: string): readonly Zone[] {
  return meanings(address.replace(/%.*/, "")).map(plainZoneOf);
}

function plainZoneOf(address: string): Zone {
  const zone = zones.find(([, list]) => contains(list, address))?.[0] ?? "public";
  return zone === "private" && contains(reachable, address) ? "public" : zone;
}

/** The IP address in a URL's host, without brackets; `undefined` for a name. */
export function addressIn(hostname: string): string | undefined {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}

/** The host of a URL as sockets want it: `URL.hostname` has IPv6 addresses in brackets. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

export function portOf({ protocol, port }: URL): number {
  return Number(port) || (protocol === "https:" ? 443 : 80);
}

/** Networks of both families, apart: a `BlockList` takes an IPv4 address for the IPv6 address that it is mapped to. */
export interface Networks {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

/** Parses networks that are written as `address/bits`. */
export function networkList(networks: readonly string[]): Networks {
  const list = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [address = "", bits = ""] = network.split("/");
    const family = familyOf(address);
    list[family].addSubnet(address, Number(bits), family);
  }
  return list;
}

/** Whether an address is in one of the networks. An IPv4 address that is mapped to IPv6 counts as itself. */
export function contains({ ipv4, ipv6 }: Networks, address: string): boolean {
  const family = familyOf(address);
  return ipv4.check(address, family) || (family === "ipv6" && ipv6.check(address, family));
}

/** Whether a text is a network that `networkList` can parse. */
export function isNetwork(text: string): boolean {
  const [address = "", bits = ""] = text.split("/");
  const longest = isIPv4(address) ? 32 : 128;
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= longest;
}

/** How an IPv4 address is embedded in an IPv6 address. */
interface Form {
  readonly network: Networks;
  /** Which of its sixteen bytes may be the IPv4 address. */
  readonly bytes: readonly (readonly number[])[];
  /** Whether the bytes are inverted. */
  readonly isInverted?: true;
}

/** Addresses with which a connection always leads to the embedded IPv4 address. */
const translated: readonly Form[] = [
  { network: networkList(["::ffff:0:0/96"]), bytes: [[12, 13, 14, 15]] }, // mapped (RFC 4291)
  { network: networkList(["64:ff9b::/96"]), bytes: [[12, 13, 14, 15]] }, // NAT64 (RFC 6052)
  { network: networkList(["2002::/16"]), bytes: [[2, 3, 4, 5]] }, // 6to4 (RFC 3056)
];

/** Addresses that are not public, with which a connection may also lead to the embedded IPv4 address. */
const wrapped: readonly Form[] = [
  { network: networkList(["::/96"]), bytes: [[12, 13, 14, 15]] }, // compatible (RFC 4291)
  { network: networkList(["::ffff:0:0:0/96"]), bytes: [[12, 13, 14, 15]] }, // translated (RFC 2765)
  { network: networkList(["2001::/32"]), bytes: [[12, 13, 14, 15]], isInverted: true }, // Teredo (RFC 4380)
  // Local-use NAT64 (RFC 8215), which may have prefixes of several lengths there (RFC 6052, section 2.2).
  {
    network: networkList(["64:ff9b:1::/48"]),
    bytes: [
      [6, 7, 9, 10],
      [7, 9, 10, 11],
      [9, 10, 11, 12],
      [12, 13, 14, 15],
    ],
  },
];

/** The addresses that a connection to this one may lead to. */
function meanings(address: string): readonly string[] {
  if (isIP(address) !== 6) return [address];
  const only = translated.find(({ network }) => contains(network, address));
  if (only !== undefined) return embedded(address, only);
  return [
    address,
    ...wrapped.filter(({ network }) => contains(network, address)).flatMap((form) => embedded(address, form)),
  ];
}

function embedded(address: string, { bytes, isInverted }: Form): readonly string[] {
  const all = bytesOf(address);
  const found = bytes.map((indexes) => indexes.map((index) => (all[index] ?? 0) ^ (isInverted ? 0xff : 0)).join("."));
  // With the wrong length of the prefix one reads 0.x.x.x, which is no host's address.
  return found.length === 1 ? found : found.filter((one) => !one.startsWith("0."));
}

/** The sixteen bytes of an IPv6 address. */
function bytesOf(address: string): readonly number[] {
  // WHATWG URLs have the one canonical spelling of every address.
  const groups = expanded(new URL(`http://[${address}]/`).hostname.slice(1, -1));
  return groups.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 255]);
}

function expanded(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined) return before;
  const after = tail === "" ? [] : tail.split(":");
  return [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}
