import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTree } from "../rules/real-tree.ts";
import type { Mount } from "./mounted.ts";

// Runs in a mount namespace of its own. Mounts one file system after the other and reads it.

const [place = ""] = process.argv.slice(2);
const point = join(place, "point");
mkdirSync(point);

// The interface that mount(8) prefers takes 256 bytes of an option.
process.env.LIBMOUNT_FORCE_MOUNT2 = "always";

const mounts = JSON.parse(readFileSync(join(place, "mounts.json"), "utf8")) as readonly Mount[];
const listings = mounts.map(({ type, source, options }) => {
  execFileSync("mount", ["-t", type, "-o", options.join(), source, point]);
  try {
    return readTree(point);
  } finally {
    execFileSync("umount", [point]);
  }
});
writeFileSync(join(place, "listings.json"), JSON.stringify(listings));
