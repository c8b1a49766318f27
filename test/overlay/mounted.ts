import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OverlayKind } from "../../src/base/option-words.ts";
import type { Listing } from "../model/listing.ts";
import { mounted as mountedInTurn } from "../support/mounted.ts";

/** An overlay that is to be looked at. */
export interface Overlay {
  /** Topmost first. */
  readonly directories: readonly string[];
  readonly kind: OverlayKind;
}

/** What the kernel's overlayfs makes of directories. */
export async function mounted(overlays: readonly Overlay[]): Promise<readonly Listing[]> {
  const empty = await mkdtemp(join(tmpdir(), "oci-unpack-empty-"));
  try {
    return await mountedInTurn(
      overlays.map(({ directories, kind }) => {
        // An overlay that is not written to has at least two layers.
        const lower = directories.length < 2 ? [...directories, empty] : directories;
        const options = [`lowerdir=${lower.join(":")}`, ...(kind === "userxattr" ? ["userxattr"] : [])];
        return { type: "overlay", source: "overlay", options };
      }),
    );
  } finally {
    await rmdir(empty);
  }
}
