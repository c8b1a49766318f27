import { addressIn, zoneOf } from "./address.ts";
import { isDockerHub } from "./docker-hub.ts";

/** Which registries are spoken to without TLS; loopback ones are, unless this is `false`. */
export type PlainHttp = boolean | readonly string[] | undefined;

/** Where a registry answers, without a slash at the end: `https://registry-1.docker.io/v2`. */
export function registryBaseUrl(host: string, plainHttp: PlainHttp): string {
  const scheme = speaksHttp(host, plainHttp) ? "http" : "https";
  return `${scheme}://${isDockerHub(host) ? "registry-1.docker.io" : host}/v2`;
}

/** Tells whether a URL's host name is this machine and nothing else; a name that merely resolves to it is not. */
export function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  const address = addressIn(hostname);
  return address !== undefined && zoneOf(address) === "loopback";
}

function speaksHttp(host: string, plainHttp: PlainHttp): boolean {
  if (typeof plainHttp === "boolean") return plainHttp;
  return plainHttp?.includes(host) || isLoopback(host.replace(/:\d+$/, ""));
}
