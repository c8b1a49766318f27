import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sync, unpack } from "../../src/index.ts";
import { canaries, makePlace } from "../hostile/place.ts";
import { Random } from "../model/random.ts";
import { readTree } from "../rules/real-tree.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { removeTree } from "../support/remove-tree.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { directory, fifo, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { damaged } from "./damage.ts";
import { randomVersion, ruleVersions, type Version, Versions, wantedSyncs } from "./versions.ts";

const wanted = wantedSyncs();
const pairs = wanted || (isThorough ? 50 : 5);

/** Each to be reached from the one before. */
function* randomVersions(count: number): Iterable<Version> {
  const random = new Random(7);
  for (let seed = 0, found = 0; found < count; seed += 1) {
    const version = seed % 2 === 0 ? random.oneOf(ruleVersions) : randomVersion(seed);
    if (version === undefined) continue;
    found += 1;
    yield version;
  }
}

// Some trees have directories that an ordinary user could not read.
test("from any tree to any other, a synced directory is as one that was unpacked anew", {
  skip: skipUnlessRoot(),
}, async () => {
  await using place = await scratch();
  const versions = new Versions(place.directory);
  const target = join(place.directory, "target");
  let former = "nothing";
  for (const version of randomVersions(pairs)) {
    const said = `from ${former}\nto ${version.title}`;
    const { rootfs } = await sync(await versions.name(version), target, version.options).catch((error) => {
      throw new Error(`${said}: ${error}`, { cause: error });
    });
    assert.deepEqual(readTree(rootfs), await versions.tree(version), said);
    assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs"]);
    former = version.title;
  }
});

const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const seeds = wanted >> 1 || (isThorough ? 20 : 3);

const more = tar(
  directory("srv/deep/er", { mode: 0o755 }),
  ...Array.from({ length: 5 }, (_, n) => file(`srv/deep/er/${n}`, `content ${n}`)),
  hardlink("srv/deep/again", "srv/deep/er/1"),
  file("srv/large", "x".repeat(300_000), { xattrs: { "user.comment": "mine" } }),
  symlink("srv/link", "deep/er"),
  fifo("srv/fifo"),
);

test("a damaged directory is repaired, and what its links lead to outside is not touched", {
  skip: skipUnlessRoot() || skipWithout("setfattr", "setfacl"),
}, async () => {
  const place = makePlace(user);
  try {
    const layout = join(place.directory, "layout");
    await writeImageLayout(layout, [{ tag: "x", images: [image([...sampleLayers(), more])] }]);
    const options = { platform: "linux/amd64", devices: user.uid === 0 ? "create" : "skip" } as const;
    const pristine = join(place.directory, "pristine");
    const { rootfs } = await unpack(`oci:${layout}:x`, pristine, options);
    const [wanted, before] = [readTree(rootfs), canaries(place)];
    for (let seed = 0; seed < seeds; seed += 1) {
      const target = join(place.directory, `${seed}`);
      execFileSync("cp", ["--archive", pristine, target]);
      const said = damaged(join(target, "rootfs"), place.outside, new Random(seed));
      await sync(`oci:${layout}:x`, target, options).catch((error) => {
        throw new Error(`seed ${seed}: ${error}\n${said}`, { cause: error });
      });
      assert.deepEqual(readTree(join(target, "rootfs")), wanted, said);
      assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs"]);
      assert.deepEqual(canaries(place), before, said);
      for (const name of ["secret", "program"]) assert.equal(lstatSync(join(place.outside, name)).nlink, 1, said);
      removeTree(target);
    }
  } finally {
    removeTree(place.directory);
  }
});
