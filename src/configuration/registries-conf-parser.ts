import { parseRegistryName } from "../registry/registry-name.ts";
import {
  type ConfiguredMirror,
  type ConfiguredRegistry,
  emptyRegistriesConf,
  type RegistriesConf,
} from "./registries-conf.ts";
import { Toml } from "./toml.ts";

/**
 * Parses a file and adds it to the files before: a table replaces the one with the same prefix, a setting the same
 * setting. Throws `CONFIGURATION`.
 */
export function parseRegistriesConf(path: string, text: string, before = emptyRegistriesConf): RegistriesConf {
  const root = Toml.parse(path, text);
  if (root.keys.includes("registries")) throw root.invalid("registries", "belongs to version 1 of the format");
  const registries = root.tables("registry").map((table) => parseRegistry(table, path));
  refuseContradictions(root, registries);
  return {
    registries: [...new Map([...before.registries, ...registries].map((one) => [one.prefix, one])).values()],
    aliases: parseAliases(root.table("aliases"), before.aliases),
    unqualifiedSearchRegistries: root.strings("unqualified-search-registries") ?? before.unqualifiedSearchRegistries,
    shortNameMode: parseWord(root, "short-name-mode", ["enforcing", "permissive", "disabled"]) ?? before.shortNameMode,
  };
}

function parseRegistry(table: Toml, origin: string): ConfiguredRegistry {
  const suffix = tagIn(table.string("prefix") ?? table.string("location") ?? "");
  const location = parseName(table, "location", suffix);
  const prefix = parseWildcard(table) ?? parseName(table, "prefix", suffix) ?? location;
  if (prefix === undefined) throw table.invalid("prefix", "and location are both missing");
  if (location === undefined && !prefix.startsWith("*.")) throw table.invalid("location", "is missing");

  const byDigestOnly = table.boolean("mirror-by-digest-only") ?? false;
  return {
    prefix: prefix + suffix,
    location,
    insecure: table.boolean("insecure") ?? false,
    blocked: table.boolean("blocked") ?? false,
    mirrors: table.tables("mirror").map((mirror) => parseMirror(mirror, byDigestOnly, suffix)),
    origin,
  };
}

function parseMirror(table: Toml, byDigestOnly: boolean, suffix: string): ConfiguredMirror {
  const location = parseName(table, "location", suffix);
  if (location === undefined) throw table.invalid("location", "is missing");
  const pulls = parseWord(table, "pull-from-mirror", ["all", "digest-only", "tag-only"]);
  if (byDigestOnly && pulls !== undefined) throw table.invalid("pull-from-mirror", "contradicts mirror-by-digest-only");
  return {
    location,
    insecure: table.boolean("insecure") ?? false,
    pulls: byDigestOnly ? "digest-only" : (pulls ?? "all"),
  };
}

/**
 * Throws if a server is both insecure and not, or blocked and not: it would depend on the prefix which of both counts.
 */
function refuseContradictions(root: Toml, registries: readonly ConfiguredRegistry[]): void {
  const seen = new Map<string, ConfiguredRegistry>();
  for (const registry of registries) {
    const server = registry.location ?? registry.prefix;
    const other = seen.get(server) ?? registry;
    if (other.insecure !== registry.insecure || other.blocked !== registry.blocked) {
      throw root.invalid("registry", `has "${server}" twice, with different "insecure" or "blocked"`);
    }
    seen.set(server, registry);
  }
}

/** `:tag` or `@digest` at the end of a repository's name. A colon before a slash, or without one, begins a port. */
function tagIn(name: string): string {
  return /^[^/]+\/.*?([:@].*)$/.exec(name)?.[1] ?? "";
}

/** Parses `host[:port][/path]`. A scheme is an error: if it were ignored, `http:` would be ignored. */
function parseName(table: Toml, key: string, suffix: string): string | undefined {
  const text = table.string(key);
  if (!text) return undefined;
  // The location may have the same tag as the prefix.
  const name = parseRegistryName(
    (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text).replace(/\/+$/, ""),
  );
  if (name === undefined) throw table.invalid(key, "is not HOST[:PORT][/PATH]");
  return name;
}

/** `*.host` means all subdomains of a host, at any depth. */
function parseWildcard(table: Toml): string | undefined {
  const text = table.string("prefix");
  if (!text?.startsWith("*.")) return undefined;
  const name = parseRegistryName(text.slice(2));
  if (name === undefined || /[/:]/.test(name)) throw table.invalid("prefix", "is not *.HOST");
  return `*.${name}`;
}

function parseWord<Word extends string>(table: Toml, key: string, words: readonly Word[]): Word | undefined {
  const text = table.string(key);
  if (!text) return undefined;
  const word = words.find((one) => one === text);
  if (word === undefined) throw table.invalid(key, `is none of ${words.join(", ")}`);
  return word;
}

/** Parses the aliases. An empty value removes an alias of an earlier file. */
function parseAliases(table: Toml, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const aliases = new Map(before);
  for (const name of table.keys) {
    const value = table.string(name);
    if (!isShortName(name)) throw table.invalid(name, "is not a short name");
    if (!value) aliases.delete(name);
    else if (parseRegistryName(value)?.includes("/")) aliases.set(name, value);
    else throw table.invalid(name, "does not stand for HOST/NAME without tag and digest");
  }
  return aliases;
}

/** Whether a name has no host, tag or digest, such as `debian` or `library/debian`. */
function isShortName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._/-]*$/.test(name) && parseRegistryName(name) === undefined;
}
