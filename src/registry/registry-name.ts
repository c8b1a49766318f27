import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { parseReference } from "../oci/reference.ts";
import { isDockerHub } from "./docker-hub.ts";

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
