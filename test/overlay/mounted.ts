import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OverlayKind } from "../../src/overlay/format.ts";
import type { Listing } from "../model/listing.ts";
import { output } from "../support/command.ts";

/** An overlay that is to be looked at. */
export interface Overlay {
  /** Topmost first. */
  readonly directories: readonly string[];
  readonly kind: OverlayKind;
}

/** What the kernel shows of overlays, each mounted in a namespace that goes when all have been read. */
export async function mounted(overlays: readonly Overlay[]): Promise<readonly Listing[]> {
  const place = await mkdtemp(join(tmpdir(), "oci-unpack-overlays-"));
  try {
    await writeFile(join(place, "overlays.json"), JSON.stringify(overlays));
    const reader = fileURLToPath(new URL("mounted-reader.js", import.meta.url));
    await output("unshare", ["--mount", process.execPath, reader, place]);
    return JSON.parse(await readFile(join(place, "listings.json"), "utf8"));
  } finally {
    await rm(place, { recursive: true });
  }
}
