import assert from "node:assert/strict";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Result } from "../../src/linux/libc.ts";
import { closeDescriptor, openDirectoryAt, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { Descent } from "../../src/rootfs/descent.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { scratch } from "../support/scratch.ts";

const name = byteStringOf("d");

/** More levels than are held open. */
const depth = 40;

describe("the way down into a tree and back", () => {
  test("leads back through each directory that it came through, whichever handles were let go", async () => {
    await using place = await scratch();
    using walk = walkDown(place.directory);
    for (let level = depth; level > 0; level -= 1) {
      assert.ok(openable(walk.descent.above()), `level ${level}`);
      walk.descent.leave();
    }
    assert.equal(walk.descent.descriptor, walk.top);
  });

  test("ends where it leads elsewhere, because somebody moved a directory", async () => {
    await using place = await scratch();
    using walk = walkDown(place.directory);
    mkdirSync(join(place.directory, "elsewhere"));
    renameSync(below(place.directory, 3), join(place.directory, "elsewhere/d"));
    let left = 0;
    assert.throws(() => {
      for (; left < depth; left += 1) walk.descent.leave();
    }, new Error('openat("..") -18'));
    // The directory that was moved is the third; the way ends at the second, which is not above it any more.
    assert.equal(left, depth - 3);
  });
});

/** The place of a directory so many levels below another one. */
function below(place: string, levels: number): string {
  return join(place, ...Array<string>(levels).fill("d"));
}

/** Makes a deep tree, and goes down to its end. */
function walkDown(place: string): Disposable & { readonly descent: Descent; readonly top: number } {
  mkdirSync(below(place, depth), { recursive: true });
  const top = openDirectoryPath(place);
  const descent = new Descent(top, (call: string, result: Result) => new Error(`${call} ${result}`));
  for (let level = 0; level < depth; level += 1) descent.enter(openDirectoryAt(descent.descriptor, name));
  const end = () => {
    descent[Symbol.dispose]();
    closeDescriptor(top);
  };
  return { descent, top, [Symbol.dispose]: end };
}

/** Whether a handle is a directory's that has the next level in it. */
function openable(descriptor: number): boolean {
  const next = openDirectoryAt(descriptor, name);
  if (next >= 0) closeDescriptor(next);
  return next >= 0;
}
