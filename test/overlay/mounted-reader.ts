import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTree } from "../rules/real-tree.ts";
import type { Overlay } from "./mounted.ts";

// Runs in a mount namespace of its own. Mounts one overlay after the other with the kernel's overlayfs and reads it.

const [place = ""] = process.argv.slice(2);
const point = join(place, "point");
const empty = join(place, "empty");
for (const path of [point, empty]) mkdirSync(path);

const overlays = JSON.parse(readFileSync(join(place, "overlays.json"), "utf8")) as readonly Overlay[];
const listings = overlays.map(({ directories, kind }) => {
  // An overlay that is not written to has at least two layers.
  const lower = directories.length < 2 ? [...directories, empty] : directories;
  const options = [`lowerdir=${lower.join(":")}`, ...(kind === "userxattr" ? ["userxattr"] : [])].join();
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", options, point]);
  try {
    return readTree(point);
  } finally {
    execFileSync("umount", [point]);
  }
});
writeFileSync(join(place, "listings.json"), JSON.stringify(listings));
