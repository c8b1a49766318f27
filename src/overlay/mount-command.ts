import type { OverlayKind } from "../base/option-words.ts";

/** The kernel stacks 500 (fs/overlayfs, `OVL_MAX_STACK`), but takes no more than a page of options: with these it suffices. */
export const layersAtMost = 400;

/** What an overlay is mounted with, from within the directory of its layers. */
export function mountOptions(layers: number, kind: OverlayKind): string {
  const lower = Array.from({ length: layers }, (_, index) => `${layers - 1 - index}/diff`);
  const options = [`lowerdir=${lower.join(":")}`, "upperdir=upper", "workdir=work"];
  return [...options, ...(kind === "userxattr" ? ["userxattr"] : [])].join(",");
}

/** The interface that mount(8) prefers takes 256 bytes of an option; the older one a page. */
export const forceOlderInterface = "LIBMOUNT_FORCE_MOUNT2=always";

/** A script that mounts an overlay, wherever its directory lies. */
export function mountScript(layers: number, kind: OverlayKind): string {
  const who = kind === "userxattr" ? "as root, or: unshare --user --map-root-user --mount" : "as root";
  return `#!/bin/sh
# Shows the image in the directory that the argument names, or else in rootfs beside this file (${who}).
# What is written there lies in layers/upper; the image's own layers stay as they are.
set -e
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
point=\${1:-$here/rootfs}
mkdir -p -- "$point"
point=$(CDPATH= cd -- "$point" && pwd)
cd -- "$here/layers"
export ${forceOlderInterface}
exec mount -t overlay overlay -o ${mountOptions(layers, kind)} "$point"
`;
}
