import { existsSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** Refuses the name of an archive that lies here: a registry would be asked for it, and has none. */
export function refuseArchiveName(image: string): void {
  // Linear: a word has no full stop, so that it is read from the one before it alone.
  if (!/\.(?:tar|tgz|tar\.\w+)$/.test(image) || !existsSync(image)) return;
  throw new UsageError(
    `cannot take "${image}" for an image's name: it is a file here`,
    `docker-archive:${image} is what docker save wrote, oci-archive:${image} what skopeo and buildah write`,
  );
}
