import { OciUnpackError } from "../base/errors.ts";
import { parseRegistryName } from "../registry/registry-name.ts";
import type { RegistriesConf } from "./registries-conf.ts";

/**
 * Puts podman's alias in the place of a short name, `fedora:40` for instance; any other name stays as it is.
 *
 * The registries that podman would search are never searched: whoever owns the name in the first of them would decide what
 * the user gets. Where podman is told to insist on clarity, an ambiguous name is `INVALID_REFERENCE`.
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
