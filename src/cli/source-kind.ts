import { existsSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** Where an image is, by the beginning of its name: in files on this machine, in its engine, or else in a registry. */
type SourceKind = "files" | "engine" | "registry";

const byTransport = new Map<string, SourceKind>([
  ["oci", "files"],
  ["oci-archive", "files"],
  ["docker-archive", "files"],
  ["dir", "files"],
  ["docker-daemon", "engine"],
]);

/**
 * Where the image of a name is. The library has the same names; they are repeated here so that it need not be loaded.
 */
export function sourceKindOf(image: string): SourceKind {
  const colon = image.indexOf(":");
  return (colon < 0 ? undefined : byTransport.get(image.slice(0, colon))) ?? "registry";
}

/** Refuses the name of an archive that exists here: without its kind it would be taken for an image in a registry. */
export function refuseArchiveName(image: string): void {
  // Linear: `\w` matches no full stop, so a match can only begin at one.
  if (!/\.(?:tar|tgz|tar\.\w+)$/.test(image) || !existsSync(image)) return;
  throw new UsageError(
    `cannot use "${image}" as the name of an image: it is a file here`,
    `docker-archive:${image} is what docker save wrote, oci-archive:${image} what skopeo and buildah write`,
  );
}
