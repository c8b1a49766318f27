import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { removeChildren } from "../../src/rootfs/remove-tree.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { textOf } from "../../src/tar/byte-string.ts";
import { built } from "../support/building.ts";
import { device, directory, fifo, file, hardlink, type Member, pieces, sparse, symlink } from "../support/entries.ts";
import { processorSeconds } from "../support/processor-time.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

function refuses(layers: readonly (readonly Member[])[], message: RegExp): void {
  assert.throws(
    () => built(layers),
    (error) => isOciUnpackError(error, "ENTRY_REFUSED") && message.test(error.message),
  );
}

describe("hard links", () => {
  test("are what their target was at that moment", () => {
    using rootfs = built([[file("a", "1")], [hardlink("b", "a"), file("a", "2"), hardlink("c", "a")]]);
    const { a, b, c } = rootfs.tree;
    assert.deepEqual([a?.content, b?.content, c?.content], ["2", "1", "2"]);
    assert.deepEqual([a?.sameFileAs, b?.sameFileAs, c?.sameFileAs], ["a", undefined, "a"]);
  });

  test("that come before their target wait for it, through links to links and links to symlinks", () => {
    using rootfs = built([
      [
        hardlink("d", "s/c"),
        hardlink("s", "t"),
        hardlink("r/c", "b"),
        hardlink("b", "a"),
        symlink("t", "r"),
        file("a", "1"),
      ],
    ]);
    const names = Object.entries(rootfs.tree).filter(([, item]) => item.sameFileAs === "a");
    assert.deepEqual(
      names.map(([path]) => path),
      ["a", "b", "d", "r/c"],
    );
    assert.equal(rootfs.tree.s?.target, "r");
  });

  test("give way to an entry that comes after them, as everything does", () => {
    using rootfs = built([[hardlink("b", "a"), file("b", "2"), hardlink("p", "a"), file("p/x", "3"), file("a", "1")]]);
    assert.deepEqual(Object.keys(rootfs.tree), [".", "a", "b", "p", "p/x"]);
    assert.equal(rootfs.tree.b?.content, "2");
  });

  test("may replace the directory that their target lies in", () => {
    using rootfs = built([[file("d/e/x", "1"), file("d/y")], [hardlink("d", "d/e/x")]]);
    assert.deepEqual(Object.keys(rootfs.tree), [".", "d"]);
    assert.equal(rootfs.tree.d?.content, "1");
  });

  test("to what never comes, to directories and to themselves are refused", () => {
    refuses([[hardlink("b", "a")]], /^cannot unpack "b": a hard link to "a", which is not there$/);
    refuses([[hardlink("b", "no/such/a")]], /"no\/such\/a", which is not there/);
    refuses([[hardlink("a", "b"), hardlink("b", "c"), hardlink("c", "a")]], /^cannot unpack "a"/);
    refuses([[hardlink("a", "a")]], /^cannot unpack "a"/);
    refuses([[directory("d"), hardlink("b", "d/")]], /a hard link to a directory/);
    refuses([[hardlink("b", "./")]], /a hard link to the root/);
    refuses([[file("a"), hardlink("d/b", "../a")]], /leads out of the root/);
    refuses([[hardlink("b", "")]], /a hard link to the root/);
  });

  test("to a device that was left out are refused with a word of it, and others where none was without", () => {
    const hintOf = (layers: readonly (readonly Member[])[]) => {
      try {
        using _rootfs = built(layers);
        return "none was refused";
      } catch (error) {
        return isOciUnpackError(error, "ENTRY_REFUSED") ? error.hint : error;
      }
    };
    const nullDevice = device("null", [1, 3]);
    const hint =
      "devices were left out: if that is one, --devices placeholder puts an empty file there; else the image is broken";
    assert.equal(hintOf([[nullDevice, hardlink("zero", "null")]]), hint);
    assert.equal(hintOf([[nullDevice], [hardlink("zero", "null")]]), hint);
    assert.notEqual(hintOf([[hardlink("zero", "null")]]), hint);
  });

  test("in a chain that stands on its head take time in proportion to its length", () => {
    const length = 5000;
    const chain = Array.from({ length }, (_, index) => hardlink(`link-${index}`, `link-${index + 1}`));
    const seconds = processorSeconds(() => {
      using rootfs = built([[...chain, file(`link-${length}`, "1")]]);
      assert.equal(Object.keys(rootfs.tree).length, length + 2);
    });
    assert.ok(seconds < 20, `${seconds} s`);
  });

  test("that the kernel forbids become copies, holes and all", {
    skip: skipUnlessRoot() || skipWithout("chattr"),
  }, () => {
    const path = mkdtempSync(join(tmpdir(), "oci-unpack-test-"));
    const handle = openDirectoryPath(path);
    const originals = [
      sparse("a", 4_000_000, [
        [0, "begin"],
        [3_000_000, "end"],
      ]),
      file("c", "", { mode: 0o4711, uid: 5, gid: 6, xattrs: { "user.a": "1" } }),
      fifo("p", { mode: 0o600 }),
    ];
    const warnings: string[] = [];
    const rootfs = openRootfs(handle, applySettings(), {
      skipped: () => assert.fail("nothing is left out"),
      warning: (code, _message, where) => warnings.push(`${code} ${where && textOf(where)}`),
    });
    const apply = (layer: number, members: readonly Member[]) => {
      const applier = rootfs.beginLayer(layer);
      for (const { entry, data } of members) applier.apply(entry, pieces(data));
      applier.end();
    };
    const chattr = (flag: string) => execFileSync("chattr", [flag, join(path, "a"), join(path, "c")]);
    try {
      apply(0, originals);
      chattr("+i"); // Nobody may link to an immutable file.
      apply(1, [
        hardlink("b", "a"),
        hardlink("d", "c", { mode: 0o4711, uid: 5, gid: 6 }),
        hardlink("q", "p", { mode: 0o600 }),
      ]);
      chattr("-i");
      const tree = readTree(path, { contents: "bytes" });
      assert.deepEqual([tree.b, tree.d, tree.q?.sameFileAs], [tree.a, tree.c, "p"]);
      assert.equal(tree.b?.size, 4_000_000);
      assert.ok(
        Number(execFileSync("stat", ["-c", "%b", join(path, "b")])) * 512 < 1_000_000,
        "holes are copied as holes",
      );
      assert.deepEqual(warnings, ["LINK_COPIED b", "LINK_COPIED d"]);
    } finally {
      chattr("-i");
      rootfs.close();
      removeChildren(handle);
      closeDescriptor(handle);
      rmdirSync(path);
    }
  });
});
