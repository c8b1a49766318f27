import { join } from "node:path";
import { isHeader, isReservedHeader } from "./http-headers.ts";
import type { CertificateFiles } from "./tls-files.ts";
import type { Toml } from "./toml.ts";

/** A host that can be asked for a registry's images, by containerd's configuration. */
export interface ConfiguredHost extends CertificateFiles {
  /** The URL up to the repository, without a slash at its end; `undefined` for the registry itself. */
  readonly baseUrl: string | undefined;
  /** Whether it may say which digest a tag has. */
  readonly resolves: boolean;
  /** Whether content may be fetched from it by digest. */
  readonly pulls: boolean;
  readonly skipVerify: boolean;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly dialTimeoutMilliseconds: number | undefined;
}

/** The registry itself without any configuration. */
export const theRegistryItself: ConfiguredHost = {
  baseUrl: undefined,
  resolves: true,
  pulls: true,
  ca: [],
  client: [],
  skipVerify: false,
  headers: {},
  dialTimeoutMilliseconds: undefined,
};

/** The keys of a table that are used. Keys that only concern pushing are ignored. */
const hostKeys = ["capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout"];

/**
 * The hosts in containerd's `hosts.toml`, in the order of the file; the last one is `server`, or the registry itself if
 * there is no `server`.
 *
 * Relative paths are relative to `directory`. `warn` is called for unknown keys; known keys with wrong values throw
 * `CONFIGURATION`.
 */
export function configuredHosts(
  root: Toml,
  directory: string,
  warn: (message: string) => void,
): readonly ConfiguredHost[] {
  const hosts = root.table("host");
  warnOfUnknown(root, [...hostKeys, "server", "host"], warn);
  return [
    ...hosts.keys.map((text) => {
      const url = parseHostUrl(text);
      // The key is not shown, because it may have a password in it.
      if (url === undefined) throw root.invalid("host", "has a key that is not the URL of a host");
      const table = hosts.table(text);
      warnOfUnknown(table, hostKeys, warn);
      return configuredHost(table, url, directory);
    }),
    configuredHost(root, serverUrl(root), directory),
  ];
}

function warnOfUnknown(table: Toml, known: readonly string[], warn: (message: string) => void): void {
  for (const key of table.keys) {
    if (!known.includes(key)) warn(table.invalid(key, "is unknown here and is ignored").message);
  }
}

function configuredHost(table: Toml, url: URL | undefined, directory: string): ConfiguredHost {
  const capabilities = parseCapabilities(table);
  return {
    baseUrl: url && baseUrlOf(url, table.boolean("override_path") ?? false),
    resolves: capabilities.includes("resolve"),
    pulls: capabilities.includes("pull"),
    ca: (table.strings("ca") ?? []).map((path) => join(base(path, directory), path)),
    client: (table.stringLists("client") ?? []).map((paths) => parseClient(table, paths, directory)),
    skipVerify: table.boolean("skip_verify") ?? false,
    headers: parseHeaders(table.table("header")),
    dialTimeoutMilliseconds: parseDuration(table, "dial_timeout"),
  };
}

function serverUrl(root: Toml): URL | undefined {
  const text = root.string("server");
  if (!text) return undefined;
  const url = parseHostUrl(text);
  if (url === undefined) throw root.invalid("server", "is not the URL of a host");
  return url;
}

function parseCapabilities(table: Toml): readonly string[] {
  const words = (table.strings("capabilities") ?? []).map((word) => word.toLowerCase());
  if (words.every((word) => ["pull", "resolve", "push"].includes(word))) {
    return words.length === 0 ? ["pull", "resolve"] : words;
  }
  throw table.invalid("capabilities", 'has other words than "pull", "resolve" and "push"');
}

/** Parses the URL of a host; without a scheme it is https. containerd does not use a URL with a password. */
function parseHostUrl(text: string): URL | undefined {
  const written = text.includes("://") ? text : `https://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  return url.username + url.password + url.search + url.hash === "" ? url : undefined;
}

/** The base URL, with `/v2` added unless it is there already or `override_path` says that the path is complete. */
function baseUrlOf(url: URL, isComplete: boolean): string {
  const path = url.pathname.replace(/\/+/g, "/").replace(/\/$/, "");
  return url.origin + (isComplete || path.endsWith("/v2") ? path : `${path}/v2`);
}

/** A client certificate: one file with certificate and key, or two. An empty second name means the same file. */
function parseClient(table: Toml, paths: readonly string[], directory: string): readonly [cert: string, key?: string] {
  const [cert, key, ...others] = paths.map((path) => path && join(base(path, directory), path));
  if (!cert || others.length > 0) throw table.invalid("client", "is not a list of certificates or of pairs");
  return key ? [cert, key] : [cert];
}

function base(path: string, directory: string): string {
  return path.startsWith("/") ? "/" : directory;
}

function parseHeaders(table: Toml): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    table.keys.map((name) => {
      const values = table.strings(name) ?? [];
      if (isReservedHeader(name) || !values.every((value) => isHeader(name, value))) {
        throw table.invalid(name, "cannot be sent as a header");
      }
      return [name, values];
    }),
  );
}

const millisecondsPerUnit: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go writes it, `1m30.5s`; `undefined`, which means the default, if it is missing or 0. */
function parseDuration(table: Toml, key: string): number | undefined {
  const text = table.string(key);
  if (text === undefined || text === "" || text === "0") return undefined;
  if (!/^(\d+(\.\d*)?(ns|us|µs|μs|ms|s|m|h))+$/.test(text))
    throw table.invalid(key, 'is not a duration such as "200ms"');
  const parts = text.matchAll(/([\d.]+)(\D+)/g);
  const sum = [...parts].reduce(
    (total, [, count, unit = ""]) => total + Number(count) * (millisecondsPerUnit[unit] ?? 0),
    0,
  );
  return sum === 0 ? undefined : sum;
}
