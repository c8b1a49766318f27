import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, opaque, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { readTree } from "../support/tree.ts";
import { applied } from "./applied.ts";

const names = Array.from({ length: 400 }, (_, index) => `d${index % 7}/${index % 3}/${index}`);
const archives = [
  tar(
    ...names.map((name, index) => file(name, "x".repeat((index * 37) % 5000), { mode: 0o640 + (index % 8) })),
    file("large", Buffer.alloc(3_000_000, "abc"), { mode: 0o4755 }),
    hardlink("link", "large"),
    ...names.filter((_, index) => index % 10 === 0).map((name) => file(name, "again")),
  ),
  tar(
    opaque("d1"),
    file("d1/0/new", "1"),
    whiteout("d2"),
    directory("d3/1"),
    symlink("d4/s", "../d1/0"),
    file("d4/s/through", "2"),
    file("d4/s", "3"),
    ...names.map((name) => file(`${name}.x`, name)),
  ),
];

test("several threads make the files, and the tree is the same", async () => {
  await using place = await scratch();
  await using other = await scratch();
  const one = await applied(place.directory, { archives });
  const several = await applied(other.directory, { archives, contentThreads: 3 });
  const content = { contents: "bytes" } as const;
  assert.deepEqual(readTree(several, content), readTree(one, content));
});

test("an archive that ends within a file is told of by the same words", async () => {
  const whole = archives[0] ?? Buffer.alloc(0);
  const cut = [whole.subarray(0, whole.length >> 1)];
  const messages: string[] = [];
  for (const contentThreads of [0, 2]) {
    await using place = await scratch();
    const diffIDs = cut.map(digestOf);
    await assert.rejects(applied(place.directory, { archives: cut, diffIDs, contentThreads }), (error) => {
      messages.push(String(error));
      return isOciUnpackError(error, "INVALID_ARCHIVE");
    });
  }
  assert.equal(messages[1], messages[0]);
});

test("what goes wrong with a file is told with its layer and path, also where a later entry is refused", async () => {
  const archives = [
    tar(file("a", "1")),
    tar(...names.map((name) => file(name, "2")), file("taken/x", "3"), file("../y"), hardlink("z", "nowhere")),
  ];
  const before = async (staging: string) => void (await readdir(staging));
  for (const contentThreads of [0, 2]) {
    await using place = await scratch();
    await assert.rejects(applied(place.directory, { archives, before, contentThreads }), (error) => {
      assert.ok(isOciUnpackError(error, "ENTRY_REFUSED"), String(error));
      return error.details.layer === 1;
    });
    assert.ok((await readdir(join(place.directory, "staging"))).length > 0);
  }
});
