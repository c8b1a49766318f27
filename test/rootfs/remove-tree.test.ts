import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
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

  test("stops where the way back leads elsewhere, because somebody moved a directory", async () => {
    // The other thread has as long as it takes to remove the files that come after the one that it waits for, another one
    // each time; that may be too short on a busy machine.
    let error: unknown;
    for (let attempt = 0; attempt < 20 && error === undefined; attempt += 1) {
      await using place = await scratch();
      error = await removedWhileMoved(place.directory, `${attempt + 1}`);
      assert.deepEqual(readdirSync(join(place.directory, "elsewhere")).includes("kept"), true);
    }
    assert.ok(error instanceof SystemError && error.errno === "EXDEV", String(error));
  });
});

/** Removes a deep tree, of which a part is moved while its depth is emptied; gives the error that there was, if any. */
async function removedWhileMoved(place: string, signal: string): Promise<unknown> {
  const at = (...names: string[]) => join(place, ...names);
  const below = (depth: number) => at("tree", ..."d".repeat(depth));
  mkdirSync(below(100), { recursive: true });
  execFileSync("sh", ["-c", "seq 5000 | xargs touch"], { cwd: below(100) });
  mkdirSync(at("elsewhere"));
  writeFileSync(at("elsewhere/kept"), "");
  const mover = new Worker(moverProgram, {
    eval: true,
    workerData: { signal: join(below(100), signal), from: below(3), to: at("elsewhere/d") },
  });
  await once(mover, "message");
  const handle = openDirectoryPath(place);
  try {
    removeTree(handle, byteStringOf("tree"));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    closeDescriptor(handle);
    await mover.terminate();
  }
}

/** Waits until a file is gone, and moves a directory. */
const moverProgram = `
  const { existsSync, renameSync } = require("node:fs");
  const { parentPort, workerData } = require("node:worker_threads");
  parentPort.postMessage("ready");
  while (existsSync(workerData.signal)) continue;
  renameSync(workerData.from, workerData.to);
`;
