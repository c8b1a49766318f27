import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { built } from "../support/building.ts";
import { device, directory, file, hardlink, type Member, opaque, symlink, whiteout } from "../support/entries.ts";
import { processorSeconds } from "../support/processor-time.ts";

/** The paths below the root. */
function paths(...layers: readonly (readonly Member[])[]): readonly string[] {
  using rootfs = built(layers);
  return Object.keys(rootfs.tree).filter((path) => path !== ".");
}

describe("whiteouts", () => {
  test("hide what lower layers have, wherever in their layer they stand", () => {
    const lower = [directory("d"), file("d/x"), file("a")];
    assert.deepEqual(paths(lower, [whiteout("a"), file("a/b"), file("d/y"), opaque("d")]), ["a", "a/b", "d", "d/y"]);
    assert.deepEqual(paths(lower, [file("a", "2"), file("d/y"), whiteout("a"), whiteout("d")]), ["a", "d", "d/y"]);
  });

  test("leave a directory that their layer only passed through as if it were new", () => {
    using rootfs = built([
      [
        directory("d", { mode: 0o700, mtime: 5, xattrs: { "user.a": "1" } }),
        directory("d/s", { mode: 0o711 }),
        file("d/s/x"),
      ],
      [file("d/s/y"), whiteout("d")],
    ]);
    assert.deepEqual(Object.keys(rootfs.tree), [".", "d", "d/s", "d/s/y"]);
    for (const path of ["d", "d/s"]) {
      assert.deepEqual(rootfs.tree[path], {
        type: "directory",
        mode: "0755",
        owner: rootfs.tree["."]?.owner,
        mtime: "0.000000000",
        xattrs: {},
      });
    }
  });

  test("take a directory in which a layer leaves out a device for one that the layer needs", () => {
    assert.deepEqual(paths([file("d/x")], [device("d/null", [1, 3]), whiteout("d")]), ["d"]);
  });

  test("keep a directory for a link that waits for its target", () => {
    assert.deepEqual(paths([file("d/x")], [hardlink("d/y", "z"), whiteout("d"), file("z")]), ["d", "d/y", "z"]);
  });

  test("of one layer do not protect what it brings from the next", () => {
    assert.deepEqual(paths([file("d/a")], [file("d/b")], [opaque("d"), file("d/c")]), ["d", "d/c"]);
  });

  test("take symlinks, and never what they lead to", () => {
    assert.deepEqual(paths([file("r/x"), symlink("d/s", "../r"), symlink("t", "r")], [whiteout("t"), opaque("d")]), [
      "d",
      "r",
      "r/x",
    ]);
  });

  test("take time in proportion to their number, however often they name a directory", () => {
    const files = Array.from({ length: 5000 }, (_, index) => file(`d/e/${index}`));
    const whiteouts = Array.from({ length: 5000 }, (_, index) => (index % 2 === 0 ? opaque("d") : whiteout("d/e")));
    // Looking through the directory for each of them would take 25 million names, minutes at best.
    const seconds = processorSeconds(() => assert.equal(paths(files, [...files, ...whiteouts]).length, 5002));
    assert.ok(seconds < 30, `${seconds} s`);
  });
});
