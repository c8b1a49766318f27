import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { asUser, ordinaryUser, program, skipUnlessNodeIsOpen, skipWithoutUserNamespaces } from "../hostile/as-user.ts";
import { built } from "../support/building.ts";
import { device, directory, file, symlink } from "../support/entries.ts";
import { scratch } from "../support/scratch.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree, type Tree, type TreeItem } from "../support/tree.ts";

const skip = skipUnlessRoot() || skipWithout("setpriv");

/** What user 61234, who has no privileges, gets. `wrapper` is a command that runs the program. */
async function builtByUser(
  options: object,
  wrapper: readonly string[] = [],
): Promise<{ readonly tree: Tree; readonly skipped: readonly string[] }> {
  await using place = await scratch();
  chmodSync(place.directory, 0o700);
  chownSync(place.directory, 61_234, 61_234);
  const compiled = program();
  const script = join(compiled.directory, "test/rootfs/built-by-user.js");
  const [command = "", ...args] = [...wrapper, process.execPath, script, place.directory, JSON.stringify(options)];
  const { stdout, stderr, status } = spawnSync("setpriv", asUser(ordinaryUser, command, args), { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const { root, skipped } = JSON.parse(stdout) as { root: string; skipped: readonly string[] };
  return { tree: readTree(root), skipped };
}

function recordsOf(item: TreeItem | undefined): readonly (string | undefined)[] {
  return ["user.rootlesscontainers", "user.containers.override_stat"].map((name) => item?.xattrs[name]);
}

describe("owners that an ordinary user cannot give", { skip }, () => {
  test("are noted on the file as umoci and containers/storage note them", async () => {
    const { tree, skipped } = await builtByUser({ recordOwners: true, devices: "create" });
    assert.deepEqual(recordsOf(tree.theirs), ["\x08\xe8\x07\x10\xe9\x07", "1000:1001:4711:file"]);
    assert.deepEqual(recordsOf(tree.group), ["\x08\xff\xff\xff\xff\x0f\x10\x05", "0:5:0000:file"]);
    assert.deepEqual(recordsOf(tree.dir), ["\x08\x05\x10\xff\xff\xff\xff\x0f", "5:0:0550:dir"]);
    assert.deepEqual(recordsOf(tree.null), [undefined, "0:0:0666:char-1-3"]);
    assert.deepEqual(recordsOf(tree["."]), [undefined, "0:0:0755:dir"]);
    assert.deepEqual(recordsOf(tree.roots), [undefined, undefined]);
    assert.deepEqual(
      [tree.theirs?.mode, tree.group?.mode, tree.dir?.mode, tree.null?.type],
      ["4711", "0000", "0550", "file"],
    );
    assert.deepEqual(skipped, [
      "theirs: owner",
      "group: owner",
      "link: owner",
      "null: owner",
      "null: device",
      "dir: owner",
    ]);
  });

  test("are reported where they were asked for, and not noted", async () => {
    const { tree, skipped } = await builtByUser({ owner: "preserve" });
    assert.deepEqual(tree.theirs?.xattrs, {});
    assert.ok(skipped.includes("theirs: owner") && skipped.includes(".: owner"));
  });

  test("are noted by root of a user namespace too, for all who are not in it", {
    skip: skipWithoutUserNamespaces() || skipUnlessNodeIsOpen(),
  }, async () => {
    const { tree, skipped } = await builtByUser({ recordOwners: true, devices: "create" }, [
      "unshare",
      "--map-root-user",
    ]);
    assert.deepEqual(recordsOf(tree.theirs), ["\x08\xe8\x07\x10\xe9\x07", "1000:1001:4711:file"]);
    assert.deepEqual(recordsOf(tree.null), [undefined, "0:0:0666:char-1-3"]);
    assert.deepEqual([tree.roots?.xattrs, tree["."]?.owner], [{}, "61234:61234"]);
    assert.deepEqual(skipped, [
      "theirs: owner",
      "group: owner",
      "link: owner",
      "null: owner",
      "null: device",
      "dir: owner",
    ]);
  });

  test("are ignored by default", async () => {
    const { skipped } = await builtByUser({});
    assert.deepEqual(skipped, ["null: device"]);
  });
});

describe("maps of users and groups", { skip }, () => {
  const uidMap = [
    { containerID: 0, hostID: 100_000, size: 1000 },
    { containerID: 1000, hostID: 5, size: 1 },
  ];
  const gidMap = [{ containerID: 0, hostID: 200_000, size: 65_536 }];

  test("shift every owner, also of what the image does not describe", () => {
    using rootfs = built(
      [[file("a/b", "", { uid: 999, gid: 65_535 }), directory("d", { uid: 1000 }), symlink("s", "a")]],
      {
        uidMap,
        gidMap,
      },
    );
    const owners = Object.entries(rootfs.tree).map(([path, { owner }]) => [path, owner]);
    assert.deepEqual(Object.fromEntries(owners), {
      ".": "100000:200000",
      a: "100000:200000",
      "a/b": "100999:265535",
      d: "5:200000",
      s: "100000:200000",
    });
  });

  test("without a place for an owner are an error, not somebody else", () => {
    for (const member of [
      file("a", "", { uid: 1001 }),
      directory("a", { gid: 65_536 }),
      symlink("a", "b", { uid: 1001 }),
    ]) {
      assert.throws(
        () => built([[member]], { uidMap, gidMap }),
        (error) =>
          isOciUnpackError(error, "ENTRY_REFUSED") &&
          /whom the maps of users and groups do not have/.test(error.message),
      );
    }
  });
});

test("a device that stands for itself is no owner's business", { skip }, () => {
  using rootfs = built([[device("null", [1, 3], { mode: 0o666 })]], { devices: "create", recordOwners: true });
  assert.deepEqual([rootfs.tree.null?.type, rootfs.skipped], ["character-device", []]);
  assert.deepEqual(rootfs.tree["."]?.xattrs, {});
});
