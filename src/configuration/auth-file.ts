import { OciUnpackError } from "../base/errors.ts";
import { jsonFault, jsonLine } from "../oci/json.ts";
import type { Credential } from "../registry/options.ts";
import { namesOf } from "../registry/registry-name.ts";

/** The members of a JSON object, in the order of the file. */
export type Members = ReadonlyMap<string, unknown>;

/**
 * The contents of a `config.json`, an `auth.json` or a `.dockercfg`. Entries are checked when they are needed, so that
 * an invalid one does not matter for the others.
 */
export interface AuthFile {
  readonly path: string;
  /** All members of the file, so that unknown ones are kept when it is written again. */
  readonly content: Members;
  readonly auths: Members;
  readonly credHelpers: Members;
  readonly credsStore: string | undefined;
  readonly httpHeaders: Members;
  /** Where an entry is in the file, for messages: `line 3: auths["r.example"]`. */
  locate(member: "auths" | "HttpHeaders", key: string): string;
}

/** The format of the file. A `.dockercfg` has only what is in `auths` in the others. */
export type AuthFileFormat = "config" | "dockercfg";

/** Parses the formats that docker and podman write. Throws `CONFIGURATION` for anything else. */
export function parseAuthFile(path: string, text: string, format: AuthFileFormat): AuthFile {
  const content = parseMembers(path, text);
  const config: Members = format === "dockercfg" ? new Map([["auths", Object.fromEntries(content)]]) : content;
  const credsStore = config.get("credsStore");
  const unusableMember = (key: string) => unusable(path, `${lineOf(text, [key])}"${key}" is not an object`);
  return {
    path,
    content: config,
    auths: membersOf(config, "auths", unusableMember),
    credHelpers: membersOf(config, "credHelpers", unusableMember),
    credsStore: typeof credsStore === "string" && credsStore !== "" ? credsStore : undefined,
    httpHeaders: membersOf(config, "HttpHeaders", unusableMember),
    locate: (member, key) => `${lineOf(text, format === "dockercfg" ? [key] : [member, key])}${member}["${key}"]`,
  };
}

/** Parses a file that may have secrets. V8's message is not used, because it quotes the file. */
function parseMembers(path: string, text: string): Members {
  let value: unknown;
  try {
    // An empty file, for example from `mktemp`, can be used to log in.
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw unusable(path, `${faultyLine(text)} is not JSON`);
  }
  if (!isObject(value)) throw unusable(path, "it is not a JSON object");
  return new Map(Object.entries(value));
}

function lineOf(text: string, keys: readonly string[]): string {
  const line = jsonLine(text, keys);
  return line === undefined ? "" : `line ${line}: `;
}

/** The line where a text is not valid JSON. */
function faultyLine(text: string): string {
  try {
    return `line ${text.slice(0, jsonFault(text)).split("\n").length}`;
  } catch {
    return "it"; // it is nested too deep for the stack
  }
}

/** The members of an object in the file; none if it is absent. */
function membersOf(parent: Members, key: string, unusableMember: (key: string) => OciUnpackError): Members {
  const value = parent.get(key) ?? {};
  if (!isObject(value)) throw unusableMember(key);
  return new Map(Object.entries(value));
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unusable(path: string, found: string): OciUnpackError {
  return new OciUnpackError("CONFIGURATION", `cannot use "${path}": ${found}`);
}

/** A credential from `auths`, and its key there. */
interface FoundEntry {
  readonly key: string;
  readonly credential: Credential;
}

/**
 * Finds the credential for a repository in `auths`: the most specific key first, then the registry's names, then keys
 * that are URLs.
 *
 * An entry without a secret is skipped: it means that a helper keeps the secret (docker), or nothing. `onMalformed` is
 * called with the keys of entries that cannot be read.
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

/**
 * `host/a/b`, `host/a`, `host`, then the registry's other names, then `https://host/v1/` and the like, which old
 * clients wrote.
 */
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

/** The user `<token>` means that the password is a refresh token. docker's helpers use it. */
export function passwordOrToken(username: string, password: string): Credential {
  return username === "<token>" ? { identityToken: password } : { username, password };
}

/**
 * Decodes `auth`, the base64 of `user:password`. The password may have colons. Old versions of docker added zeros to
 * it.
 */
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
