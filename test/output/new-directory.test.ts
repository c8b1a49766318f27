import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Target } from "../../src/output/new-directory.ts";

let parent = "";
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "oci-unpack-target-"));
});
afterEach(() => rm(parent, { recursive: true }));

test("commit leaves rootfs and the configuration, byte for byte, and nothing else", async () => {
  const target = await Target.claim(join(parent, "new"));
  await writeFile(join(target.staging, "file"), "in the image");
  await target.commit({ "config.json": Buffer.from("{ }") });
  await target[Symbol.asyncDispose]();
  assert.deepEqual((await readdir(join(parent, "new"))).toSorted(), ["config.json", "rootfs"]);
  assert.equal(await readFile(target.config, "utf8"), "{ }");
  assert.equal(await readFile(join(target.rootfs, "file"), "utf8"), "in the image");
});

test("M21: a directory that had to be made is closed to others, and so is the staging directory", async () => {
  const target = await Target.claim(join(parent, "a", "b"));
  for (const path of [join(parent, "a"), join(parent, "a", "b"), target.staging]) {
    assert.equal((await stat(path)).mode & 0o777, 0o700, path);
  }
});

test("without a commit every directory that was made is gone again", async () => {
  const target = await Target.claim(join(parent, "a", "b", "c"));
  await target[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(parent), []);
});

test("without a commit an empty directory that was there stays, empty", async () => {
  const directory = join(parent, "mine");
  await mkdir(directory, { mode: 0o755 });
  const target = await Target.claim(directory);
  await target[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(parent), ["mine"]);
  assert.deepEqual(await readdir(directory), []);
});

test("T25: a directory that is not empty is refused untouched", async () => {
  await writeFile(join(parent, "precious"), "x");
  const before = await stat(parent, { bigint: true });
  await assert.rejects(Target.claim(parent), { code: "TARGET_NOT_EMPTY" });
  assert.equal((await stat(parent, { bigint: true })).mtimeNs, before.mtimeNs);
  assert.deepEqual(await readdir(parent), ["precious"]);
});

test("two unpackings never share a directory", async () => {
  const first = await Target.claim(join(parent, "shared"));
  await assert.rejects(Target.claim(join(parent, "shared")), { code: "TARGET_NOT_EMPTY", hint: /another unpacking/ });
  await first.commit({ "config.json": Buffer.from("{}") });
});

test("a path that is a file, or lies below one, is refused by name", async () => {
  await writeFile(join(parent, "file"), "x");
  for (const path of ["file", "file/below"]) {
    await assert.rejects(Target.claim(join(parent, path)), {
      code: "TARGET_UNUSABLE",
      message: new RegExp(`"${join(parent, path)}"`),
    });
  }
});

test("a file that somebody made meanwhile is not replaced", async () => {
  const target = await Target.claim(join(parent, "new"));
  await writeFile(target.config, "precious");
  await assert.rejects(target.commit({ "config.json": Buffer.from("{}") }), { code: "TARGET_UNUSABLE" });
  await target[Symbol.asyncDispose]();
  assert.equal(await readFile(target.config, "utf8"), "precious");
  assert.deepEqual(await readdir(target.directory), ["config.json"]);
  await rm(target.directory, { recursive: true });
});

test("when the configuration cannot be written last, the root filesystem does not stay either", async () => {
  const target = await Target.claim(join(parent, "new"));
  await mkdir(join(target.config, "in the way"), { recursive: true });
  await assert.rejects(target.commit({ "config.json": Buffer.from("{}") }), { code: "TARGET_UNUSABLE" });
  await rm(target.config, { recursive: true });
  await target[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(parent), []);
});
