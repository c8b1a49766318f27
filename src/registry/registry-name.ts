import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { addressIn, farthestZoneOf } from "../http/address.ts";
import type { TlsMaterial } from "../http/options.ts";
import { parseReference, withoutPort } from "../oci/reference.ts";

/**
 * A registry or a part of one, `host[:port][/path]`, as references begin with it; Docker Hub by the name that they use.
 *
 * Gives `undefined` for what cannot stand before an image's name.
 */
export function parseRegistryName(text: string): string | undefined {
  const [host = ""] = text.split("/");
  try {
    // Two components, because one alone would be an official image of Docker Hub's.
    const { registry, path } = parseReference(`${text}/x/x`);
    const isHost = registry === host || isDockerHub(host);
    return isHost ? `${registry}/${path}`.slice(0, -"/x/x".length) : undefined;
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_REFERENCE")) return undefined;
    throw error;
  }
}

/** The key of a login as podman writes it: without a scheme, Docker Hub by the name that references use. */
export function loginKey(registry: string): string {
  if (isDockerHub(registry)) return "docker.io";
  const key = parseRegistryName(withoutSlashes(registry.replace(/^https?:\/\//, "")));
  if (key !== undefined) return key;
  throw new OciUnpackError("INVALID_OPTION", `cannot log in: "${registry}" is not a registry`, {
    hint: "name it like ghcr.io or 127.0.0.1:5000",
  });
}

/** Without those at its end. */
function withoutSlashes(text: string): string {
  let { length } = text;
  while (text[length - 1] === "/") length -= 1;
  return text.slice(0, length);
}

/**
 * Docker Hub's names in the order in which credentials are looked up under them: the reference's, docker's own key, the
 * older hosts.
 */
const names = ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"] as const;

/** The names under which a registry's credentials may be kept, most likely first. All but Docker Hub have one. */
export function namesOf(host: string): readonly string[] {
  return isDockerHub(host) ? names : [host];
}

/** Tells whether a host is one of those that together are Docker Hub. */
export function isDockerHub(host: string): boolean {
  return (names as readonly string[]).includes(host);
}

/**
 * The names under which a helper may keep a registry's secret: docker's own for Docker Hub is a URL, podman's is the
 * host.
 */
export function helperNamesOf(host: string): readonly string[] {
  return isDockerHub(host) ? ["https://index.docker.io/v1/", "docker.io"] : [host];
}

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
