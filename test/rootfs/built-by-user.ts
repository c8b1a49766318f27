import { built } from "../support/building.ts";
import { device, directory, file, symlink } from "../support/entries.ts";

/*
 * Builds a root filesystem as whoever runs this, and leaves it: `node built-by-user.js DIRECTORY OPTIONS` prints where.
 */

const [, , within = "", options = "{}"] = process.argv;

const { directory: root, skipped } = built(
  [
    [
      file("roots", "1"),
      file("theirs", "1", { uid: 1000, gid: 1001, mode: 0o4711 }),
      file("group", "", { gid: 5, mode: 0 }),
      symlink("link", "roots", { uid: 5 }),
      device("null", [1, 3], { mode: 0o666 }),
      directory("dir", { uid: 5, mode: 0o550 }),
      file("dir/inside", ""),
    ],
  ],
  { within, ...JSON.parse(options) },
);

process.stdout.write(JSON.stringify({ root, skipped }));
