import type { ImageConfig } from "../oci/config.ts";
import { annotationsOf } from "./annotations.ts";
import { textInRootfs } from "./file-in-rootfs.ts";
import { volumeMounts } from "./mounts.ts";
import { PlacesInContainer } from "./place-in-container.ts";
import { runtimeConfig } from "./runtime-config.ts";
import { type Rootless, resolveUser } from "./user.ts";
import { workingDirectoryOf } from "./working-directory.ts";

/** What a runtime is given, and what it is not. */
export interface Bundle {
  /** The text of `config.json`. */
  readonly config: Uint8Array;
  /** Labels that are no annotations there, since the runtime would obey them. */
  readonly leftOut: readonly string[];
}

/**
 * The bundle for an image whose root filesystem lies at `rootfs`. Throws `INVALID_CONFIG` for a user that the image does
 * not know, and for paths that lead to what is the runtime's.
 */
export function bundleOf(image: ImageConfig, rootfs: string, rootless?: Rootless): Bundle {
  const user = resolveUser(
    image.execution.user ?? "",
    textInRootfs(rootfs, "etc/passwd"),
    textInRootfs(rootfs, "etc/group"),
  );
  const { annotations, leftOut } = annotationsOf(image);
  const parts = { user, annotations, ...placesOf(image, rootfs) };
  const config = Buffer.from(`${JSON.stringify(runtimeConfig(image, parts, rootless), undefined, 2)}\n`);
  return { config, leftOut };
}

function placesOf({ execution }: ImageConfig, rootfs: string) {
  using places = new PlacesInContainer(rootfs);
  const cwd = workingDirectoryOf(execution.workingDir ?? "", places);
  return { cwd, volumes: volumeMounts(execution.volumes ?? [], places) };
}
