import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { commandEntry } from "../support/oci-unpack.ts";
import { repositoryFile } from "../support/repository.ts";
import { scratch } from "../support/scratch.ts";
import { isThorough, shareOf } from "../support/thorough.ts";
import { skipUnlessRoot } from "../support/tools.ts";
import { skipWithoutCaseless } from "../support/without-case.ts";
import { bunWith, platforms, tried } from "./platforms.ts";
import { cellIn, cells, columns } from "./table.ts";
import { linuxVerbs, portableVerbs } from "./verbs.ts";

const page = readFileSync(repositoryFile("docs/platforms.md"), "utf8");

for (const [number, platform] of platforms.entries()) {
  test(`${platform.name}: what docs/platforms.md says of it is so`, { skip: platform.skip }, async () => {
    // `unpack` is before what looks at what it made.
    const verbs = isThorough
      ? [...portableVerbs, ...linuxVerbs]
      : [...shareOf(5, portableVerbs, number), ...linuxVerbs.slice(0, 1)];
    const results = [...(await tried(platform, verbs))];
    const told = results.map(([verb]) => [verb, cellIn(page, platform.name, verb)]);
    assert.deepEqual(
      results.map(([verb, works]) => [verb, cells[`${works}`]]),
      told,
    );
  });
}

test("docs/platforms.md has a row for each verb, and a column for each platform", () => {
  for (const { name } of [...portableVerbs, ...linuxVerbs]) {
    const row = columns.map((column) => cellIn(page, column, name));
    assert.ok(
      row.every((cell) => cell === "✔" || cell === "–"),
      `${name}: ${row}`,
    );
  }
});

test("Bun: the library unpacks too, as ES modules", { skip: bunWith("").skip }, async () => {
  await using place = await scratch();
  const program = join(place.directory, "program.mjs");
  const library = pathToFileURL(join(dirname(dirname(commandEntry)), "index.js"));
  await writeFile(program, `import { unpack } from "${library}"; await unpack(process.argv[2], process.argv[3]);`);
  await using opened = await bunWith(program).open();
  const { status, stderr } = await opened.run(["oci:./layout:one", "root"]);
  assert.equal(status, 0, stderr);
  assert.ok(existsSync(join(opened.place, "root/rootfs/etc/motd")));
});

const deno = platforms.find(({ name }) => name === "Deno");

test("Deno: what does not work is told as that, and not as a defect", { skip: deno?.skip ?? "no Deno" }, async () => {
  await using opened = (await deno?.open()) ?? assert.fail();
  for (const args of [
    ["--output", "tar", "-o", "x.tar", "oci:./layout:one"],
    ["ls", "oci-archive:none.tar"],
  ]) {
    await writeFile(join(opened.place, "none.tar"), new Uint8Array(10_240));
    const { status, stderr } = await opened.run(args);
    assert.equal(status, 1);
    assert.match(stderr, /^error: cannot .*: with Deno a thread cannot .*\nhint: run this with Node/m);
    assert.ok(!existsSync(join(opened.place, "x.tar")));
  }
});

const skip = skipUnlessRoot() || skipWithoutCaseless();

test("of files whose names are one to the file system none is written over, and nothing is left", {
  skip,
}, async () => {
  const mac = platforms.find(({ name }) => name === "Node, as on a Mac");
  assert.ok(mac !== undefined);
  await using opened = await mac.open();
  const { status, stderr } = await opened.run(["--output", "files", "-q", "oci:./layout:caseless", "target"]);
  assert.equal(status, 1);
  assert.match(stderr, /^error: cannot unpack "docs\/README": to this file system, its name is that of another\n/i);
  assert.ok(!existsSync(join(opened.place, "target")));
});
