import { OciUnpackError } from "../base/errors.ts";
import { addressIn, contains, isNetwork, networkList } from "../http/address.ts";
import type { ProxyFor } from "../http/options.ts";
import { isLoopback } from "../registry/registry-name.ts";
import type { Environment } from "./machine.ts";

export interface ProxyOptions {
  /** Uses `ALL_PROXY` if the other variable is not set, as curl does, and Go does not. Default: false. */
  readonly allProxy?: boolean;
}

/**
 * Finds proxies by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` as programs in Go do, so also docker and podman.
 *
 * If a variable is set in upper and lower case, the lower-case one counts. This machine's own addresses never use a
 * proxy, and `https:` URLs never use the one for `http:`. A proxy that cannot be used is an error for the requests that
 * need it: they are not sent without it.
 */
export function proxyFromEnvironment(env: Environment, options: ProxyOptions = {}): ProxyFor {
  const all = options.allProxy === true ? variable(env, "all_proxy") : undefined;
  const proxies = new Map([
    ["http:", httpProxy(env) ?? all],
    ["https:", variable(env, "https_proxy") ?? all],
  ]);
  const list = variable(env, "no_proxy");
  const direct = list === undefined ? () => false : exceptions(list);

  return (url) => {
    const proxy = proxies.get(url.protocol);
    if (proxy === undefined || isLoopback(url.hostname) || direct(url)) return undefined;
    return parsedProxy(proxy);
  };
}

function variable(env: Environment, lowerCaseName: string): string | undefined {
  return env[lowerCaseName] || env[lowerCaseName.toUpperCase()] || undefined;
}

/** In a CGI program, `HTTP_PROXY` is the request's `Proxy:` header, so an attacker can set it (CVE-2016-5385). */
function httpProxy(env: Environment): string | undefined {
  return env.REQUEST_METHOD ? env.http_proxy || undefined : variable(env, "http_proxy");
}

function parsedProxy(text: string): URL {
  const address = text.includes("://") ? text : `http://${text}`;
  // The text is not in the message, because it may have a password in it.
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

type Exception = (host: string, port: string) => boolean;

/**
 * The rules of `NO_PROXY`: names with their subdomains, `.suffix` and addresses, each with a port or without, networks,
 * and `*`.
 */
function exceptions(list: string): (url: URL) => boolean {
  const rules = list.split(",").flatMap((item) => exception(item.trim().toLowerCase()) ?? []);
  return (url) =>
    rules.some((matches) => matches(url.hostname, url.port || (url.protocol === "https:" ? "443" : "80")));
}

function exception(item: string): Exception | undefined {
  if (item === "*") return () => true;
  if (isNetwork(item)) return addressException(item, undefined);
  // An IPv6 address has colons, so only one in brackets can have a port.
  const [, host = item, port] = addressIn(item) === undefined ? (/^(.*):(\d+)$/.exec(item) ?? []) : [];
  const address = addressIn(host);
  if (address !== undefined) return addressException(`${address}/${address.includes(":") ? 128 : 32}`, port);
  return nameException(host.startsWith("*.") ? host.slice(1) : host, port);
}

function addressException(network: string, onlyPort: string | undefined): Exception {
  const addresses = networkList([network]);
  return (host, port) => {
    const address = addressIn(host);
    return address !== undefined && contains(addresses, address) && (onlyPort === undefined || port === onlyPort);
  };
}

function nameException(name: string, onlyPort: string | undefined): Exception | undefined {
  if (name === "" || name === ".") return undefined;
  const suffix = name.startsWith(".") ? name : `.${name}`;
  return (host, port) => (host.endsWith(suffix) || host === name) && (onlyPort === undefined || port === onlyPort);
}
