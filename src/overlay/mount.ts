import { join, relative, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { OverlayKind } from "../base/option-words.ts";
import { Program } from "../base/program.ts";
import { fileSystemError } from "../base/system-error.ts";
import { makeDirectories, removeCreated } from "../output/made-directories.ts";

/**
 * The kernel stacks 500 (fs/overlayfs, `OVL_MAX_STACK`), but takes no more than a page of options: with these it
 * suffices.
 */
export const layersAtMost = 400;

/** What an overlay is mounted with, from within the directory of its layers. */
export function mountOptions(layers: number, kind: OverlayKind): string {
  const lower = Array.from({ length: layers }, (_, index) => `${layers - 1 - index}/diff`);
  const options = [`lowerdir=${lower.join(":")}`, "upperdir=upper", "workdir=work"];
  return [...options, ...(kind === "userxattr" ? ["userxattr"] : [])].join(",");
}

/** The interface that mount(8) prefers takes 256 bytes of an option; the older one a page. */
const forceOlderInterface = "LIBMOUNT_FORCE_MOUNT2=always";

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

/** Insists that what is mounted leaves the layers of `directory` in sight: a mount hides all that is below it. */
export function insistOnMountPoint(point: string, directory: string): void {
  const [mount, target] = [resolve(point), resolve(directory)];
  if (!isWithin(target, mount) && !isWithin(mount, join(target, "layers"))) return;
  throw new OciUnpackError("INVALID_OPTION", `cannot mount the overlay at "${mount}": its layers are there`, {
    hint: `name a directory outside of "${target}"`,
  });
}

function isWithin(path: string, directory: string): boolean {
  const inDirectory = relative(directory, path);
  return inDirectory !== ".." && !inDirectory.startsWith("../");
}

/**
 * Mounts the overlay whose layers lie in `directory`, with the system's own mount program, at a directory that is made
 * if need be.
 */
export async function mountOverlay(directory: string, options: string, point: string): Promise<void> {
  const target = resolve(point);
  const attempted = `mount the overlay at "${target}"`;
  const firstCreated = await makeDirectories(target, 0o755).catch((error: unknown) => {
    throw fileSystemError(error, attempted);
  });
  try {
    await runMount(["-t", "overlay", "overlay", "-o", options, target], directory, attempted);
  } catch (error) {
    await removeCreated(target, firstCreated);
    throw error;
  }
}

async function runMount(args: readonly string[], directory: string, attempted: string): Promise<void> {
  const words = { kept: "stderr", keptCharacters: 500 } as const;
  const program = new Program("env", [forceOlderInterface, "mount", ...args], { directory, ...words });
  program.input.end();
  const { status, signal, output } = await program.ended.catch((error: unknown) => {
    throw fileSystemError(error, attempted);
  });
  if (status === 0) return;
  const found = output.trim().replace(/\s+/g, " ") || `mount ended with ${signal ?? `status ${status}`}`;
  const hint = 'mount as root, or in a user namespace with `overlay: "userxattr"`; without `mount` nothing is mounted';
  throw new OciUnpackError("FILE_SYSTEM", `cannot ${attempted}: ${found}`, { hint });
}
