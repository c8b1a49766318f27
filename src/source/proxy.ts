import { BlockList, isIP, isIPv4 } from "node:net";
import { OciUnpackError } from "../errors.ts";
import type { Environment } from "./machine.ts";
import type { ProxyFor } from "./options.ts";

export interface ProxyOptions {
  /** Lets `ALL_PROXY` stand in for a variable that is not set, as curl does and Go does not. Default: false. */
  readonly allProxy?: boolean;
}

/**
 * Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` as Go's programs do, so that whatever lets docker and podman out lets us out.
 *
 * Where both spellings are set, the lower-case one counts. This machine's own addresses are never proxied, and an `https:`
 * URL never takes the proxy that is meant for `http:`. A proxy that cannot be used is an error for the requests that
 * need it, not for the others: to go around it silently would be worse.
 */
export function proxyFromEnvironment(env: Environment, options: ProxyOptions = {}): ProxyFor {
  const all = options.allProxy === true ? variable(env, "all_proxy") : undefined;
  const proxies = new Map([
    ["http:", httpProxy(env) ?? all],
    ["https:", variable(env, "https_proxy") ?? all],
  ]);
  const direct = exceptions(variable(env, "no_proxy") ?? "");

  return (url) => {
    const proxy = proxies.get(url.protocol);
    if (proxy === undefined || isThisMachine(url.hostname) || direct(url)) return undefined;
    return parsedProxy(proxy);
  };
}

function variable(env: Environment, lowerCaseName: string): string | undefined {
  return env[lowerCaseName] || env[lowerCaseName.toUpperCase()] || undefined;
}

/** In a CGI program, `HTTP_PROXY` is the request's `Proxy:` header and thus the attacker's word (CVE-2016-5385). */
function httpProxy(env: Environment): string | undefined {
  return env.REQUEST_METHOD ? env.http_proxy || undefined : variable(env, "http_proxy");
}

function parsedProxy(text: string): URL {
  const address = text.includes("://") ? text : `http://${text}`;
  // The text itself stays out of the message: it may hold a password.
  if (!URL.canParse(address)) {
    throw new OciUnpackError("INVALID_OPTION", "cannot use the proxy of the environment: it is not a URL", { hint });
  }
  const url = new URL(address);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new OciUnpackError(
      "INVALID_OPTION",
      `cannot use the proxy of the environment: "${url.protocol}" is not supported`,
      { hint },
    );
  }
  return url;
}

const hint = "set HTTPS_PROXY to http://HOST:PORT, or name the registry in NO_PROXY";

function isThisMachine(hostname: string): boolean {
  const host = withoutBrackets(hostname);
  return (
    host === "localhost" || host.endsWith(".localhost") || (isIP(host) !== 0 && loopback.check(host, family(host)))
  );
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

type Exception = (host: string, port: string) => boolean;

/** The rules of `NO_PROXY`: names with what lies beneath them, `.suffix`, addresses, networks, each but the last with a port or without, or `*`. */
function exceptions(list: string): (url: URL) => boolean {
  const rules = list.split(",").flatMap((item) => exception(item.trim().toLowerCase()) ?? []);
  return (url) => {
    const host = withoutBrackets(url.hostname.toLowerCase());
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    return rules.some((matches) => matches(host, port));
  };
}

function exception(item: string): Exception | undefined {
  if (item === "*") return () => true;
  const network = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(item);
  if (network !== null) return networkException(network[1] ?? "", Number(network[2]));

  // A bare IPv6 address is all colons, so only a bracketed one can be followed by a port.
  const [, name = item, port] = isIP(item) === 0 ? (/^(.*):(\d+)$/.exec(item) ?? []) : [];
  const host = withoutBrackets(name);
  if (isIP(host) !== 0) return addressException(host, port);
  return nameException(host.startsWith("*.") ? host.slice(1) : host, port);
}

function networkException(address: string, prefixBits: number): Exception | undefined {
  if (isIP(address) === 0 || prefixBits > (isIPv4(address) ? 32 : 128)) return undefined;
  const network = new BlockList();
  network.addSubnet(address, prefixBits, family(address));
  return (host) => isIP(host) !== 0 && network.check(host, family(host));
}

function addressException(address: string, onlyPort: string | undefined): Exception {
  const addresses = new BlockList();
  addresses.addAddress(address, family(address));
  return (host, port) =>
    isIP(host) !== 0 && addresses.check(host, family(host)) && (onlyPort === undefined || port === onlyPort);
}

function nameException(name: string, onlyPort: string | undefined): Exception | undefined {
  if (name === "" || name === ".") return undefined;
  const suffix = name.startsWith(".") ? name : `.${name}`;
  return (host, port) => (host.endsWith(suffix) || host === name) && (onlyPort === undefined || port === onlyPort);
}

function family(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
