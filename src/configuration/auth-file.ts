import { OciUnpackError } from "../base/errors.ts";
import { jsonFault, jsonLine } from "../oci/json.ts";

/** A JSON object as its members, in file order. */
export type Members = ReadonlyMap<string, unknown>;

/** What a `config.json`, an `auth.json` or a `.dockercfg` says. Entries are judged when they are needed, so that one bad entry spoils no other. */
export interface AuthFile {
  readonly path: string;
  /** All of it, so that what we do not know survives being written back. */
  readonly content: Members;
  readonly auths: Members;
  readonly credHelpers: Members;
  readonly credsStore: string | undefined;
  readonly httpHeaders: Members;
  /** Where the file names a member of these: `line 3: auths["r.example"]`. */
  place(member: "auths" | "HttpHeaders", key: string): string;
}

/** A whole `.dockercfg` is what `auths` is in the other two. */
export type AuthFileFormat = "config" | "dockercfg";

/** Reads the formats that docker and podman write. Throws `CONFIGURATION` for what is none of them. */
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
    place: (member, key) => `${lineOf(text, format === "dockercfg" ? [key] : [member, key])}${member}["${key}"]`,
  };
}

/** Parses a file that may hold secrets: what V8's message quotes of it goes no further. */
function parseMembers(path: string, text: string): Members {
  let value: unknown;
  try {
    // `mktemp` makes empty files, and people log in to them.
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

/** The line where a text stops being JSON. */
function faultyLine(text: string): string {
  try {
    return `line ${text.slice(0, jsonFault(text)).split("\n").length}`;
  } catch {
    return "it"; // it nests deeper than the stack is
  }
}

/** The members of an object within the file; none where it is absent. */
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
