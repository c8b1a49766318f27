import { OciUnpackError } from "../base/errors.ts";
import type { PlacesInContainer } from "./place-in-container.ts";

/**
 * The directory that the process starts in. A relative one is meant from the root, and none is the root.
 *
 * One that leads into /proc or /sys, itself or through the image's symlinks, is refused: there a process has directories
 * of the host that its runtime forgot to close (CVE-2024-21626).
 */
export function workingDirectoryOf(written: string, places: PlacesInContainer): string {
  const path = written.startsWith("/") ? written : `/${written}`;
  if (!places.isInProc(path) && !places.isInSys(path)) return path;
  const found = "it leads into /proc or /sys, where a runtime's own files are";
  throw new OciUnpackError("INVALID_CONFIG", `cannot start in the image's directory "${written}": ${found}`);
}
