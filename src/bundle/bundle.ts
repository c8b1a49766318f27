import type { ImageConfig } from "../oci/config.ts";
import type { Rootless } from "../options.ts";
import { textInRootfs } from "./file-in-rootfs.ts";
import { runtimeConfig } from "./runtime-config.ts";
import { resolveUser } from "./user.ts";

/** The text of a bundle's `config.json` for an image whose root filesystem lies at `rootfs`. Throws `INVALID_CONFIG` for a user that the image does not know. */
export function bundleConfig(config: ImageConfig, rootfs: string, rootless?: Rootless): Uint8Array {
  const user = resolveUser(
    config.execution.user ?? "",
    textInRootfs(rootfs, "etc/passwd"),
    textInRootfs(rootfs, "etc/group"),
  );
  return Buffer.from(`${JSON.stringify(runtimeConfig(config, user, rootless), undefined, 2)}\n`);
}
