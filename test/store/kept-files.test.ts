import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Digest } from "../../src/oci/digest.ts";
import { BlobStore, makeStore } from "../../src/store/blob-store.ts";
import { giveOutFile, type KeptFile, keepFile, openKeptFile } from "../../src/store/kept-files.ts";
import { KeptResults } from "../../src/store/kept-results.ts";
import { reflinkingFileSystem, skipUnlessReflinks } from "../support/reflinks.ts";
import { type Scratch, scratch } from "../support/scratch.ts";

const { signal } = new AbortController();
const MiB = 1024 * 1024;

interface Kept {
  readonly directory: string;
  readonly path: string;
  readonly file: KeptFile;
  readonly target: string;
}

/** Keeps a file. The one that it is to be given out as is empty. */
async function kept(place: Scratch, write: (path: string) => Promise<unknown>): Promise<Kept> {
  const at = (name: string) => join(place.directory, name);
  const [made, directory, target] = [at("made"), at("kept"), at("target")];
  await write(made);
  await mkdir(directory);
  const file = await keepFile(made, { directory, name: "content" }, signal);
  await writeFile(target, "");
  return { directory, path: join(directory, "content"), file, target };
}

async function giveOut({ file, directory, target }: Kept) {
  return await giveOutFile(file, directory, target, signal);
}

test("what is given out of a store is a copy of what was kept, byte for byte", async () => {
  await using place = await scratch();
  const bytes = randomBytes(3 * MiB + 5);
  const one = await kept(place, (path) => writeFile(path, bytes));
  assert.equal(await giveOut(one), "copied");
  assert.ok(bytes.equals(await readFile(one.target)));
  assert.equal(one.file.sizeBytes, bytes.length);
  assert.equal((await stat(one.path)).mode & 0o777, 0o444);
});

test("an empty file, and one of zeros alone, are kept too", async () => {
  for (const sizeBytes of [0, 1, 5 * MiB]) {
    await using place = await scratch();
    const one = await kept(place, (path) => writeFile(path, Buffer.alloc(sizeBytes)));
    assert.equal(await giveOut(one), "copied");
    assert.ok(Buffer.alloc(sizeBytes).equals(await readFile(one.target)));
  }
});

test("holes stay holes and are not read, and zeros have the same digest", async () => {
  await using place = await scratch();
  const one = await kept(place, async (path) => {
    await writeFile(path, "the beginning");
    await truncate(path, 100 * 1024 * MiB); // it would take a minute to read
    await using file = await open(path, "r+");
    await file.write("the end", 100 * 1024 * MiB - 7);
  });
  assert.equal(await giveOut(one), "copied");
  const found = await stat(one.target);
  assert.deepEqual([found.size, found.blocks * 512 < 4 * MiB], [100 * 1024 * MiB, true]);

  await using other = await scratch();
  const holes = await kept(other, async (path) => {
    await writeFile(path, "x");
    await truncate(path, 3 * MiB);
  });
  await using third = await scratch();
  const zeros = await kept(third, (path) =>
    writeFile(path, Buffer.concat([Buffer.from("x"), Buffer.alloc(3 * MiB - 1)])),
  );
  assert.deepEqual(zeros.file, holes.file);
});

test("a kept file that is not as it was is not given out", async () => {
  for (const damage of [
    (path: string) => changeByte(path, 2 * MiB + 17),
    (path: string) => truncate(path, 3 * MiB - 1),
    (path: string) => truncate(path, 3 * MiB + 1),
    async (path: string) => {
      await truncate(path, MiB);
      await truncate(path, 3 * MiB); // zeros instead of what was there
    },
  ]) {
    await using place = await scratch();
    const one = await kept(place, (path) => writeFile(path, randomBytes(3 * MiB)));
    await chmod(one.path, 0o644);
    await damage(one.path);
    assert.equal(await giveOut(one), undefined);
    assert.equal(await openKeptFile(one.file, one.directory, signal), undefined);
  }
});

test("parts of a kept file that changed their places are noticed", async () => {
  await using place = await scratch();
  const [first, second] = [randomBytes(MiB), randomBytes(MiB)];
  const one = await kept(place, (path) => writeFile(path, Buffer.concat([first, second])));
  await chmod(one.path, 0o644);
  await using file = await open(one.path, "r+");
  await file.write(Buffer.concat([second, first]), 0, 2 * MiB, 0);
  assert.equal(await giveOut(one), undefined);
});

test("where the file system can, the file that is given out shares its blocks, and is another file", {
  skip: skipUnlessReflinks(),
}, async () => {
  await using place = await reflinkingFileSystem();
  const bytes = randomBytes(3 * MiB + 5);
  const one = await kept(place, (path) => writeFile(path, bytes, { mode: 0o640 }));
  const before = await stat(one.target);
  assert.equal(await giveOut(one), "reflink");
  const after = await stat(one.target);
  assert.deepEqual([after.ino, after.mode, after.nlink], [before.ino, before.mode, 1]);
  await changeByte(one.target, 5);
  assert.ok(bytes.equals(await readFile(one.path)));
});

async function changeByte(path: string, position: number): Promise<void> {
  await using file = await open(path, "r+");
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, position);
}

test("a record of which anything was changed is none", async () => {
  await using place = await scratch();
  const store = new BlobStore(place.directory);
  await makeStore(store);
  const results = new KeptResults(store, "output");
  const record = { name: "docker://r.example/app:1", digest: `sha256:${"0".repeat(64)}` as Digest, sizeBytes: 1234 };
  const path = await results.keep(await results.stage(), "key", record);
  assert.deepEqual((await results.find("key"))?.record, record);
  const written = await readFile(join(path, "record.json"), "utf8");
  for (const changed of [written.replace("1234", "1235"), written.slice(0, -1), "", "{}", "null", `${written}\n`]) {
    await writeFile(join(path, "record.json"), changed);
    assert.equal(await results.find("key"), undefined);
  }
  assert.deepEqual(await results.all(), []);
});
