import { namesOf } from "../registry/docker-hub.ts";
import type { Credential } from "../registry/options.ts";
import { isObject, type Members } from "./auth-file.ts";

/** An entry of `auths` that holds a secret, and the key it was found under. */
export interface FoundEntry {
  readonly key: string;
  readonly credential: Credential;
}

/**
 * Finds the entry of `auths` for a repository: the most specific key first, then the registry's names, then keys that are URLs.
 *
 * An entry without a secret is passed over, for it means that a helper keeps the secret (docker) or nothing at all.
 * `onMalformed` hears of the keys whose entry cannot be read.
 */
export function findEntry(
  auths: Members,
  host: string,
  path: string,
  onMalformed: (key: string) => void,
): FoundEntry | undefined {
  for (const key of keysFor(auths, host, path)) {
    const credential = parseEntry(auths.get(key));
    if (credential === "malformed") onMalformed(key);
    else if (credential !== undefined) return { key, credential };
  }
  return undefined;
}

/** `host/a/b`, `host/a`, `host`, then the registry's other names, then `https://host/v1/` and the like, which old clients wrote. */
function keysFor(auths: Members, host: string, path: string): string[] {
  const components = path.split("/");
  const repositories = components.map((_, index) =>
    [host, ...components.slice(0, components.length - index)].join("/"),
  );
  const names = namesOf(host);
  const urls = [...auths.keys()].filter((key) => /^https?:\/\//.test(key) && names.includes(hostOf(key)));
  return [...new Set([...repositories, ...names, ...urls])].filter((key) => auths.has(key));
}

function hostOf(url: string): string {
  return url
    .replace(/^https?:\/\//, "")
    .replace(/\/.*$/s, "")
    .toLowerCase();
}

function parseEntry(entry: unknown): Credential | "malformed" | undefined {
  if (!isObject(entry)) return "malformed";
  const { auth = "", username, password, identitytoken, registrytoken } = entry;
  if (isSecret(registrytoken)) return { registryToken: registrytoken };

  const pair = auth === "" ? { username, password } : decodedPair(auth);
  if (pair === undefined) return "malformed";
  if (isSecret(identitytoken)) {
    return { identityToken: identitytoken, ...(isSecret(pair.username) && { username: pair.username }) };
  }
  return isSecret(pair.username) && isSecret(pair.password) ? passwordOrToken(pair.username, pair.password) : undefined;
}

/** The user `<token>` says that the password is a refresh token; docker's helpers use it, and files copied from their output. */
export function passwordOrToken(username: string, password: string): Credential {
  return username === "<token>" ? { identityToken: password } : { username, password };
}

/** `auth` is the base64 of `user:password`. The password may have colons; docker once padded it with zeros. */
function decodedPair(auth: unknown): { username: string; password: string } | undefined {
  if (typeof auth !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(auth)) return undefined;
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}

function isSecret(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
