import { join, relative, resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";

/** Insists that what is mounted leaves the layers of `directory` in sight: a mount hides all that is below it. */
export function insistOnMountPoint(point: string, directory: string): void {
  const [mount, target] = [resolve(point), resolve(directory)];
  if (!isWithin(target, mount) && !isWithin(mount, join(target, "layers"))) return;
  throw new OciUnpackError("INVALID_OPTION", `cannot mount the overlay at "${mount}": its layers are there`, {
    hint: `name a directory outside of "${target}"`,
  });
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith("../");
}
