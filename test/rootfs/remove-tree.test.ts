import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SystemError } from "../../src/linux/errno.ts";
import {
  closeDescriptor,
  makeDirectoryAt,
  openAt,
  openDirectoryAt,
  openDirectoryPath,
} from "../../src/linux/syscalls.ts";
import { removeChildren, removeTree } from "../../src/rootfs/remove-tree.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { scratch } from "../support/scratch.ts";
import { skipUnlessMounting } from "../support/tools.ts";

const O_CREAT = 0o100;

describe("removing a tree", () => {
  test("takes everything in it and nothing beside it, whatever symlinks say", async () => {
    await using place = await scratch();
    const at = (...names: string[]) => join(place.directory, ...names);
    mkdirSync(at("tree/a/b"), { recursive: true });
    mkdirSync(at("beside"));
    writeFileSync(at("beside/kept"), "");
    symlinkSync(at("beside"), at("tree/a/link"));
    symlinkSync("../..", at("tree/a/b/up"));
    const handle = openDirectoryPath(place.directory);
    removeTree(handle, byteStringOf("tree"));
    closeDescriptor(handle);
    assert.deepEqual([readdirSync(place.directory), readdirSync(at("beside"))], [["beside"], ["kept"]]);
  });

  test("never begins at a symlink", async () => {
    await using place = await scratch();
    mkdirSync(join(place.directory, "kept/inside"), { recursive: true });
    symlinkSync("kept", join(place.directory, "link"));
    const handle = openDirectoryPath(place.directory);
    assert.throws(
      () => removeTree(handle, byteStringOf("link")),
      (error) => error instanceof SystemError && ["ENOTDIR", "ELOOP"].includes(error.errno),
    );
    closeDescriptor(handle);
    assert.ok(existsSync(join(place.directory, "kept/inside")));
  });

  test("works at any depth with few handles", async () => {
    await using place = await scratch();
    const root = openDirectoryPath(place.directory);
    const name = byteStringOf("d");
    let current = openDirectoryPath(place.directory);
    for (let depth = 0; depth < 3000; depth += 1) {
      makeDirectoryAt(current, name, 0o700);
      if (depth % 100 === 0) closeDescriptor(openAt(current, byteStringOf("file"), O_CREAT, 0o600));
      const next = openDirectoryAt(current, name);
      closeDescriptor(current);
      current = next;
    }
    closeDescriptor(current);
    removeChildren(root);
    closeDescriptor(root);
    assert.deepEqual(readdirSync(place.directory), []);
  });

  test("takes directories that their owner may not enter or write to", async () => {
    await using place = await scratch();
    const at = (...names: string[]) => join(place.directory, ...names);
    mkdirSync(at("a/b"), { recursive: true });
    writeFileSync(at("a/b/file"), "");
    chmodSync(at("a/b"), 0o500);
    chmodSync(at("a"), 0);
    const handle = openDirectoryPath(place.directory);
    removeChildren(handle);
    closeDescriptor(handle);
    assert.deepEqual(readdirSync(place.directory), []);
  });

  test("stops at a mount point", { skip: skipUnlessMounting() }, async () => {
    await using place = await scratch();
    const mountPoint = join(place.directory, "tree/mounted");
    mkdirSync(mountPoint, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", mountPoint]);
    const handle = openDirectoryPath(place.directory);
    try {
      writeFileSync(join(mountPoint, "kept"), "");
      assert.throws(
        () => removeChildren(handle),
        (error) => error instanceof SystemError && error.errno === "EXDEV",
      );
      assert.deepEqual(readdirSync(mountPoint), ["kept"]);
    } finally {
      closeDescriptor(handle);
      execFileSync("umount", [mountPoint]);
    }
  });
});
