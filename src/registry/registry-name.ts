import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { addressIn, farthestZoneOf } from "../http/address.ts";
import type { TlsMaterial } from "../http/options.ts";
import { parseReference, withoutPort } from "../oci/reference.ts";

/**
 * Parses the name of a registry or of a part of it, `host[:port][/path]`, as references begin with it. Docker Hub is
 * `docker.io`.
 *
 * `undefined` for a text with which no reference can begin.
 */
export function parseRegistryName(text: string): string | undefined {
  const [host = ""] = text.split("/");
  try {
    // Two components, because with one it would be an official image of Docker Hub.
    const { registry, path } = parseReference(`${text}/x/x`);
    const isHost = registry === host || isDockerHub(host);
    return isHost ? `${registry}/${path}`.slice(0, -"/x/x".length) : undefined;
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_REFERENCE")) return undefined;
    throw error;
  }
}

/** The key of a login in podman's files: without a scheme, and `docker.io` for Docker Hub. */
export function loginKey(registry: string): string {
  if (isDockerHub(registry)) return "docker.io";
  const key = parseRegistryName(withoutSlashes(registry.replace(/^https?:\/\//, "")));
  if (key !== undefined) return key;
  throw new OciUnpackError("INVALID_OPTION", `cannot log in: "${registry}" is not a registry`, {
    hint: "name it like ghcr.io or 127.0.0.1:5000",
  });
}

/** The text without the slashes at its end. */
function withoutSlashes(text: string): string {
  let { length } = text;
  while (text[length - 1] === "/") length -= 1;
  return text.slice(0, length);
}

/**
 * Docker Hub's names, in the order in which credentials are looked up: the reference's, docker's key, the older hosts.
 */
const names = ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"] as const;

/** The names under which a registry's credentials may be stored, the most likely first. Only Docker Hub has several. */
export function namesOf(host: string): readonly string[] {
  return isDockerHub(host) ? names : [host];
}

/** Whether a host is one of Docker Hub's. */
export function isDockerHub(host: string): boolean {
  return (names as readonly string[]).includes(host);
}

/** The names under which a helper may keep a registry's secret. For Docker Hub docker uses a URL, podman the host. */
export function helperNamesOf(host: string): readonly string[] {
  return isDockerHub(host) ? ["https://index.docker.io/v1/", "docker.io"] : [host];
}

/** Which registries are used without TLS. Registries on loopback are, unless this is `false`. */
export type PlainHttp = boolean | readonly string[] | undefined;

/**
 * The base URL of a registry, without a slash at the end: `https://registry-1.docker.io/v2`.
 *
 * It is http if the user says so, and for loopback unless the user says otherwise or has certificates for it.
 */
export function registryBaseUrl(host: string, plainHttp: PlainHttp, tls?: TlsMaterial): string {
  const scheme = speaksHttp(host, plainHttp, tls) ? "http" : "https";
  return `${scheme}://${isDockerHub(host) ? "registry-1.docker.io" : host}/v2`;
}

/** Whether a URL's host name always means this machine. A name that only resolves to it does not count. */
export function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  const address = addressIn(hostname);
  return address !== undefined && farthestZoneOf(address) === "loopback";
}

function speaksHttp(host: string, plainHttp: PlainHttp, tls: TlsMaterial | undefined): boolean {
  if (typeof plainHttp === "boolean") return plainHttp;
  return plainHttp?.includes(host) || (tls === undefined && isLoopback(withoutPort(host)));
}
