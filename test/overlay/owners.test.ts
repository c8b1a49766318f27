import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { accessControlList } from "../support/acl.ts";
import { removeTree } from "../support/remove-tree.ts";
import { directory, file, hardlink, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot } from "../support/tools.ts";
import { readTree, type Tree } from "../support/tree.ts";
import { type StackedOptions, stacked } from "./stacked.ts";

const listFor = (user: number) =>
  accessControlList(["user", 6], ["user", 6, user], ["group", 4], ["mask", 6], ["other", 0]);
const xattrs = { "system.posix_acl_access": listFor(5) };

const layers = [
  tar(
    directory(".", { uid: 7, gid: 7 }),
    directory("d", { uid: 5, gid: 6 }),
    file("d/a", "1", { uid: 8, gid: 9, mode: 0o660, xattrs }),
  ),
  tar(file("d/b", "2"), hardlink("c", "d/a")),
];

test("what a layer takes over from those below is shifted once, like what it brings", {
  skip: skipUnlessRoot(),
}, () => {
  const map = [{ containerID: 0, hostID: 100_000, size: 1000 }];
  const tree = upperLayer({ uidMap: map, gidMap: map });
  assert.deepEqual(tree.c?.xattrs, { "system.posix_acl_access": Buffer.from(listFor(100_005)).toString("latin1") });
  assert.deepEqual(ownersIn(tree), {
    ".": "100007:100007",
    c: "100008:100009",
    d: "100005:100006",
    "d/b": "100000:100000",
  });
});

test("what is noted on files of the layers below is noted on what a layer takes over", {
  skip: skipUnlessRoot(),
}, () => {
  const tree = upperLayer({ owner: "ignore", recordOwners: true });
  assert.deepEqual(ownersIn(tree), { ".": "0:0", c: "0:0", d: "0:0", "d/b": "0:0" });
  const notes = Object.entries(tree).map(([path, { xattrs }]) => [path, xattrs["user.containers.override_stat"]]);
  assert.deepEqual(Object.fromEntries(notes), {
    ".": "7:7:0755:dir",
    c: "8:9:0660:file",
    d: "5:6:0755:dir",
    "d/b": undefined,
  });
});

function upperLayer(options: StackedOptions): Tree {
  const place = mkdtempSync(join(tmpdir(), "oci-unpack-overlay-owners-"));
  try {
    const made = stacked(layers, place, "privileged", options);
    assert.equal(made.failure, undefined, made.message);
    return readTree(made.directories[0] ?? "");
  } finally {
    removeTree(place);
  }
}

function ownersIn(tree: Tree): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(tree).map(([path, { owner }]) => [path, owner]));
}
