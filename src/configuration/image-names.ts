import { OciUnpackError } from "../base/errors.ts";
import { withoutPort } from "../oci/reference.ts";
import type { EndpointQuery } from "../registry/options.ts";
import { parseRegistryName } from "../registry/registry-name.ts";
import type { ConfiguredMirror, ConfiguredRegistry, RegistriesConf } from "./registries-conf.ts";

/** A repository in which an image can be found by podman's configuration, and what may be requested there. */
export interface ImageLocation {
  readonly host: string;
  readonly repository: string;
  readonly resolvesTags: boolean;
  readonly servesDigests: boolean;
  /** Whether any certificate is accepted, and http if there is no TLS. */
  readonly insecure: boolean;
  /** The file that says so; `undefined` for the image's own repository. */
  readonly origin?: string;
}

/**
 * The repositories in which podman would look for an image: the mirrors in their order, then the location.
 *
 * Throws `POLICY_DENIED` for a blocked image. A mirror that is only for digests is also used for an image with a tag,
 * after the registry has said which digest the tag has.
 */
export function locationsOf(conf: RegistriesConf, query: EndpointQuery): readonly ImageLocation[] {
  const own = {
    host: query.host,
    repository: query.repository,
    resolvesTags: true,
    servesDigests: true,
    insecure: false,
  };
  const found = longestMatch(conf.registries, query);
  if (found === undefined) return [own];

  const { registry } = found;
  const { location, insecure, origin } = registry;
  if (registry.blocked) {
    const name = `${query.host}/${query.repository}`;
    throw new OciUnpackError("POLICY_DENIED", `cannot pull from ${name}: "${registry.prefix}" is blocked`, {
      hint: `see ${origin}`,
    });
  }
  const mirrors = registry.mirrors
    .filter((mirror) => mirror.pulls !== "tag-only" || query.digest === undefined)
    .map((mirror) => ({ ...locationOf(mirror, found), resolvesTags: mirror.pulls !== "digest-only" }));
  const last = location === undefined ? { ...own, insecure, origin } : locationOf({ location, insecure }, found);
  return [...mirrors, last];
}

interface Match {
  readonly registry: ConfiguredRegistry;
  /** What follows the prefix in `host/repository`, with its slash. */
  readonly remainder: string;
}

function longestMatch(registries: readonly ConfiguredRegistry[], query: EndpointQuery): Match | undefined {
  let longest: Match | undefined;
  for (const registry of registries) {
    const remainder = remainderAfter(registry.prefix, query);
    if (remainder !== undefined && registry.prefix.length > (longest?.registry.prefix.length ?? 0)) {
      longest = { registry, remainder };
    }
  }
  return longest;
}

/**
 * A prefix has to end with a component of the name: `example.com` is no prefix of `example.com:5000` or
 * `example.community`.
 */
function remainderAfter(prefix: string, { host, repository, tag, digest }: EndpointQuery): string | undefined {
  if (prefix.startsWith("*.")) {
    return withoutPort(host).endsWith(prefix.slice(1)) ? `/${repository}` : undefined;
  }
  const name = `${host}/${repository}`;
  if (prefix === name || prefix === `${name}:${tag}` || prefix === `${name}@${digest}`) return "";
  return name.startsWith(`${prefix}/`) ? name.slice(prefix.length) : undefined;
}

/** Replaces the prefix by the location that is configured for it. */
function locationOf(
  { location, insecure }: Pick<ConfiguredMirror, "location" | "insecure">,
  { registry: { origin }, remainder }: Match,
): ImageLocation {
  const [host = "", ...path] = `${location}${remainder}`.split("/");
  if (path.length === 0) {
    throw new OciUnpackError("CONFIGURATION", `cannot use "${origin}": the location "${location}" names no repository`);
  }
  return { host, repository: path.join("/"), resolvesTags: true, servesDigests: true, insecure, origin };
}

/**
 * Replaces a short name, such as `fedora:40`, by podman's alias for it; any other name stays as it is.
 *
 * The registries that podman would search are not searched: the owner of that name in the first of them would decide
 * what the user gets. If podman's short-name mode is "enforcing", an ambiguous name throws `INVALID_REFERENCE`.
 */
export function expandShortName(conf: RegistriesConf, name: string): string {
  const { aliases, shortNameMode, unqualifiedSearchRegistries } = conf;
  const [, base = name, suffix = ""] = /^([^:@]+)([:@].*)$/s.exec(name) ?? [];
  if (parseRegistryName(base) !== undefined) return name;

  const alias = aliases.get(base);
  if (alias !== undefined) return alias + suffix;
  if (shortNameMode === "enforcing" && unqualifiedSearchRegistries.some((registry) => registry !== "docker.io")) {
    throw new OciUnpackError(
      "INVALID_REFERENCE",
      `cannot tell the registry of "${name}": it may be any of ${unqualifiedSearchRegistries.join(", ")}`,
      {
        hint: "name the registry too",
      },
    );
  }
  return name;
}
