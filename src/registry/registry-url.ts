import { addressIn, farthestZoneOf } from "../http/address.ts";
import type { TlsMaterial } from "../http/options.ts";
import { withoutPort } from "../oci/reference.ts";
import { isDockerHub } from "./docker-hub.ts";

/** Which registries are spoken to without TLS; loopback ones are, unless this is `false`. */
export type PlainHttp = boolean | readonly string[] | undefined;

/**
 * Where a registry answers, without a slash at the end: `https://registry-1.docker.io/v2`.
 *
 * Without TLS where the user says so, and on loopback unless the user says otherwise or keeps certificates for it.
 */
export function registryBaseUrl(host: string, plainHttp: PlainHttp, tls?: TlsMaterial): string {
  const scheme = speaksHttp(host, plainHttp, tls) ? "http" : "https";
  return `${scheme}://${isDockerHub(host) ? "registry-1.docker.io" : host}/v2`;
}

/** Tells whether a URL's host name is this machine and nothing else; a name that merely resolves to it is not. */
export function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  const address = addressIn(hostname);
  return address !== undefined && farthestZoneOf(address) === "loopback";
}

function speaksHttp(host: string, plainHttp: PlainHttp, tls: TlsMaterial | undefined): boolean {
  if (typeof plainHttp === "boolean") return plainHttp;
  return plainHttp?.includes(host) || (tls === undefined && isLoopback(withoutPort(host)));
}
