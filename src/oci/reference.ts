import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { check, shape, text as string } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { type Digest, parseDigest } from "./digest.ts";

/** The name of an image in a registry: `registry/path:tag@digest`. With neither of both it names a repository. */
export interface Reference {
  /** Host and port as they were written; `docker.io` for all names of Docker Hub. */
  readonly registry: string;
  /** The repository, in lower case. For Docker Hub's official images it begins with `library/`. */
  readonly path: string;
  /** For an image `latest` if neither a tag nor a digest was written. With a digest it is not used: it is a note for people. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const parsed = shape<Reference>({ registry: string, path: string, tag: string, digest: string }, ["registry", "path"]);

const dockerHub = "docker.io";
/** The three host names of Docker Hub. Requests go to the last one. */
const dockerHubHosts = [dockerHub, "index.docker.io", "registry-1.docker.io"] as const;

// The grammar of github.com/distribution/reference, from which docker, podman and containerd derive theirs.
const hostComponent = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const hostName = `${hostComponent}(?:\\.${hostComponent})*`;
// Linear: no reference is longer than 2,048 characters, and separators do not occur in what they separate.
const hostGrammar = new RegExp(`^(?:${hostName}|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathComponent = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
// Linear: for the same reasons.
const pathGrammar = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`);
const tagGrammar = /^\w[\w.-]{0,127}$/;
// Linear: for the same reasons.
const digestGrammar = /^[a-z][a-z0-9]*(?:[+._-][a-z][a-z0-9]*)*:[a-fA-F0-9]{32,}$/;
const imageId = /^[a-f0-9]{64}$/;
const longestPath = 255;
/** Longer than any valid reference. The limit also keeps error messages short. */
const longestReference = 2048;

const advice = "write it as [HOST[:PORT]/]NAME[:TAG][@DIGEST], for instance debian:stable or ghcr.io/acme/api:2.1";

/**
 * Parses a reference as docker does: `debian` is `docker.io/library/debian:latest`.
 *
 * The first component is a host only if it contains a dot, a colon or an upper-case letter, or is `localhost`.
 * Otherwise the reference is a path on Docker Hub. Throws `INVALID_REFERENCE`.
 */
export function parseReference(text: string): Reference {
  const name = parseName(text);
  return name.tag === undefined && name.digest === undefined ? { ...name, tag: "latest" } : name;
}

/** Parses what `parseReference` does, and adds no tag. Throws `INVALID_REFERENCE`. */
export function parseName(text: string): Reference {
  check("text", text, string);
  if (text === "") throw invalid(text, "it is empty");
  if (text.length > longestReference) throw invalid(`${text.slice(0, 80)}…`, `it has ${text.length} characters`);
  if (imageId.test(text)) {
    throw invalid(text, "it is an image's ID, which no registry knows", "name the repository too: NAME@sha256:…");
  }

  const at = text.indexOf("@");
  const [host, remainder] = splitHost(at < 0 ? text : text.slice(0, at));
  const colon = remainder.indexOf(":");
  const written = colon < 0 ? remainder : remainder.slice(0, colon);
  const registry = parseRegistry(text, host);
  const path = parsePath(text, written, registry === dockerHub && !written.includes("/") ? "library/" : "");
  const tag = colon < 0 ? undefined : parseTag(text, remainder.slice(colon + 1));
  const digest = at < 0 ? undefined : parseReferenceDigest(text, text.slice(at + 1));
  return { registry, path, ...present({ tag, digest }) };
}

/** What a parser returns; `undefined` where it throws `INVALID_REFERENCE`. */
export function ifReference(parse: () => Reference): Reference | undefined {
  try {
    return parse();
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_REFERENCE")) return undefined;
    throw error;
  }
}

/** The canonical text of a reference. Parsing it gives the same reference. */
export function formatReference(reference: Reference): string {
  check("reference", reference, parsed);
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.path}${tag}${digest}`;
}

/** The host and port to connect to. For Docker Hub it is another host than references name. */
export function registryHost(reference: Reference): string {
  return reference.registry === dockerHub ? dockerHubHosts[2] : reference.registry;
}

function splitHost(name: string): [host: string, remainder: string] {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  return isHost ? [first, name.slice(slash + 1)] : [dockerHub, name];
}

function parseRegistry(text: string, host: string): string {
  if (text.startsWith(`${host}//`)) throw invalid(text, `it begins with "${host}//"`, `leave out "${host}//"`);
  if (!hostGrammar.test(host)) throw invalid(text, `"${host}" is not a host`);
  if ((dockerHubHosts as readonly string[]).includes(host.toLowerCase())) return dockerHub;
  const actual = hostInUrl(host);
  // The host that is checked must be the one that is connected to: in a URL, 127.1 and 0x7f000001 mean 127.0.0.1.
  if (actual === undefined) throw invalid(text, `no URL can have the host "${host}"`);
  if (!host.startsWith("[") && actual !== withoutPort(host.toLowerCase())) {
    throw invalid(text, `the host "${host}" means ${actual}`, `write ${actual}`);
  }
  return host;
}

function hostInUrl(host: string): string | undefined {
  const url = `https://${host}/`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function parsePath(text: string, written: string, prefix: "library/" | ""): string {
  const path = prefix + written;
  if (pathGrammar.test(path)) {
    if (path.length <= longestPath) return path;
    throw invalid(text, `the repository's name has ${path.length} characters`, `registries allow ${longestPath}`);
  }
  if (/\s/.test(text)) throw invalid(text, "it contains white space");
  if (written === "") throw invalid(text, "the repository's name is empty");
  if (!pathGrammar.test(path.toLowerCase())) throw invalid(text, `"${written}" is not a repository's name`);
  throw invalid(text, "the repository's name has upper-case letters", `write ${written.toLowerCase()}`);
}

function parseTag(text: string, tag: string): string {
  if (tagGrammar.test(tag)) return tag;
  throw invalid(
    text,
    `"${tag}" is not a tag`,
    'a tag has 1 to 128 letters, digits, "_", "." and "-", and begins with none of the last two',
  );
}

/** Stricter than `parseDigest`: in a reference the digest must be hexadecimal for unknown algorithms too. */
function parseReferenceDigest(text: string, written: string): Digest {
  const digest = digestGrammar.test(written) ? parseDigest(written) : undefined;
  if (digest !== undefined) return digest;
  throw invalid(text, `"${written}" is not a digest`, "a digest is sha256: and 64 lower-case hexadecimal digits");
}

function invalid(text: string, found: string, hint = shapeFor(text)): OciUnpackError {
  return new OciUnpackError("INVALID_REFERENCE", `cannot parse the reference "${text}": ${found}`, { hint });
}

/** The hint for a text: if it looks like a path, how to name an image on this machine. */
function shapeFor(text: string): string {
  return /^(\.{0,2}\/|~)/.test(text)
    ? "an image on this machine is named by its kind: oci:./layout, docker-archive:./image.tar"
    : advice;
}

/**
 * `host[:port]` without the port. An IPv6 address keeps its brackets, so that its last group is not taken for a port.
 */
export function withoutPort(host: string): string {
  // Linear: a match begins at a colon, and digits are not colons.
  return host.replace(/:\d+$/, "");
}
