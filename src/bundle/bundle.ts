import type { ImageConfig } from "../oci/config.ts";
import { annotationsOf } from "./annotations.ts";
import { ContainerPaths, workingDirectoryOf } from "./container-paths.ts";
import { runtimeConfig, volumeMounts } from "./runtime-config.ts";
import { textInRootfs } from "./text-in-rootfs.ts";
import { type Rootless, resolveUser } from "./user.ts";

/** What a container runtime gets of an image, and what it does not. */
export interface Bundle {
  /** The text of `config.json`. */
  readonly config: Uint8Array;
  /** Names of labels that are left out, because the runtime would obey them as annotations. */
  readonly leftOut: readonly string[];
}

/**
 * The bundle for an image whose root filesystem is the directory `rootfs`.
 *
 * Throws `INVALID_CONFIG` for a user that the image does not have, and for paths that lead into directories of the
 * runtime.
 */
export function bundleOf(image: ImageConfig, rootfs: string, rootless?: Rootless): Bundle {
  const user = resolveUser(
    image.execution.user ?? "",
    textInRootfs(rootfs, "etc/passwd"),
    textInRootfs(rootfs, "etc/group"),
  );
  const { annotations, leftOut } = annotationsOf(image);
  const parts = { user, annotations, ...pathsOf(image, rootfs) };
  const config = Buffer.from(`${JSON.stringify(runtimeConfig(image, parts, rootless), undefined, 2)}\n`);
  return { config, leftOut };
}

function pathsOf({ execution }: ImageConfig, rootfs: string) {
  using paths = new ContainerPaths(rootfs);
  const cwd = workingDirectoryOf(execution.workingDir ?? "", paths);
  return { cwd, volumes: volumeMounts(execution.volumes ?? [], paths) };
}
