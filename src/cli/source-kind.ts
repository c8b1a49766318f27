import { existsSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** Who has an image, as its name begins: files on this machine, its engine, or else a registry. */
type SourceKind = "files" | "engine" | "registry";

const byTransport = new Map<string, SourceKind>([
  ["oci", "files"],
  ["oci-archive", "files"],
  ["docker-archive", "files"],
  ["dir", "files"],
  ["docker-daemon", "engine"],
]);

/** Where an image of this name is. The library knows the same names; nothing is loaded to tell. */
export function sourceKindOf(image: string): SourceKind {
  const colon = image.indexOf(":");
  return (colon < 0 ? undefined : byTransport.get(image.slice(0, colon))) ?? "registry";
}

/** Refuses the name of an archive that lies here: a registry would be asked for it, and has none. */
export function refuseArchiveName(image: string): void {
  // Linear: a word has no full stop, so that it is read from the one before it alone.
  if (!/\.(?:tar|tgz|tar\.\w+)$/.test(image) || !existsSync(image)) return;
  throw new UsageError(
    `cannot take "${image}" for an image's name: it is a file here`,
    `docker-archive:${image} is what docker save wrote, oci-archive:${image} what skopeo and buildah write`,
  );
}
