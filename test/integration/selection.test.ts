import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { exportRootfs, type UnpackOptions, unpack } from "../../src/index.ts";
import { image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree, type Tree } from "../support/tree.ts";

const platform = "linux/amd64";

interface Stage extends AsyncDisposable {
  readonly place: Scratch;
  readonly registry: RegistryDouble;
  readonly reference: string;
  unpacked(name: string, options: UnpackOptions): Promise<Tree>;
}

async function setStage(layers: readonly Uint8Array[]): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", image(layers));
  return {
    place,
    registry,
    reference,
    async unpacked(name, options) {
      const { rootfs } = await unpack(reference, join(place.directory, name), { platform, ...options });
      return readTree(rootfs);
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

test("a part of an image is the whole image without the rest, to the last attribute", {
  skip: skipUnlessRoot(),
}, async () => {
  await using stage = await setStage(sampleLayers());
  const whole = await stage.unpacked("whole", {});
  const part = await stage.unpacked("part", { include: ["home", "**/su*"], exclude: ["home/user/large-ids"] });
  const isWanted = (path: string) => /^home(\/|$)|(^|\/)su/.test(path) && path !== "home/user/large-ids";
  const parents = [".", "bin"];
  const expected = Object.entries(whole).filter(([path]) => isWanted(path) || parents.includes(path));
  assert.deepEqual(part, Object.fromEntries(expected.map(([path, item]) => [path, alone(item)])));

  /** A file whose other names are left out has one name. */
  function alone(item: Tree[string]): Tree[string] {
    const { sameFileAs, ...rest } = item;
    const others = Object.entries(whole).filter(([other, { sameFileAs: same }]) => {
      return same !== undefined && same === sameFileAs && (isWanted(other) || parents.includes(other));
    });
    const [first] = others.map(([other]) => other);
    return others.length < 2 || first === undefined ? rest : { ...item, sameFileAs: first };
  }
});

test("the first name that is wanted of a file is the file", async () => {
  await using stage = await setStage([tar(file("a/x", "1"), hardlink("b/x", "a/x"), hardlink("c/x", "a/x"))]);
  const tree = await stage.unpacked("part", { exclude: ["a"] });
  assert.deepEqual(Object.keys(tree), [".", "b", "b/x", "c", "c/x"]);
  assert.equal(tree["c/x"]?.sameFileAs, "b/x");
});

test("whiteouts and symlinks work as in the whole image, wanted or not", async () => {
  const base = tar(directory("r"), file("r/x", "1"), file("r/y", "2"), symlink("s", "r"));
  await using stage = await setStage([base, tar(file("s/z", "3"), whiteout("s/x"))]);
  const tree = await stage.unpacked("part", { include: ["r"] });
  assert.deepEqual(Object.keys(tree), [".", "r", "r/y", "r/z"]);
});

test("a part of an image is verified like all of it", async () => {
  await using stage = await setStage(sampleLayers());
  const top = image(sampleLayers()).layers.at(-1)?.descriptor.digest ?? "";
  stage.registry.next(
    new RegExp(top),
    withBody((bytes) => bytes.map((byte) => byte ^ 1)),
  );
  await assert.rejects(stage.unpacked("part", { include: ["home"] }), { code: "DIGEST_MISMATCH" });
  assert.deepEqual(await readdir(stage.place.directory), []);
});

test("an archive, too, can have a part of an image", { skip: skipWithout("tar") }, async () => {
  await using stage = await setStage(sampleLayers());
  const path = join(stage.place.directory, "part.tar");
  await exportRootfs(stage.reference, path, { platform, include: ["etc/hosts", "bin/*3"] });
  const listed = execFileSync("tar", ["-tf", path], { encoding: "utf8" });
  assert.equal(listed, "./\nbin/\nbin/su3\netc/\netc/hosts\n");
});

test("a pattern that names nothing is a mistake", async () => {
  await assert.rejects(unpack("localhost:1/x", "/nowhere/x", { include: ["/"] }), {
    ...{ code: "INVALID_OPTION", message: 'cannot use the option include: "/" names nothing' },
  });
});

test("a pattern that matches nothing is told, and refused by whoever is strict", async () => {
  await using stage = await setStage([tar(file("etc/passwd", "x"), file("usr/bin/su", "x"))]);
  const options = { platform, include: ["etc", "etc/passwd", "ect/**", "**/shadow"], exclude: ["usr/bin/*", "tmp"] };
  const warnings: string[] = [];
  const result = await unpack(stage.reference, join(stage.place.directory, "part"), {
    ...options,
    onEvent: (event) => void (event.type === "warning" && warnings.push(`${event.code}: ${event.message}`)),
  });
  assert.deepEqual(
    warnings,
    ["ect/**", "**/shadow", "tmp"].map(
      (name) => `PATTERN_UNMATCHED: the pattern "${name}" matches nothing in the image`,
    ),
  );
  assert.deepEqual([result.entries, result.keptEntries, result.warnings], [2, 3, { PATTERN_UNMATCHED: 3 }]);

  const archive = join(stage.place.directory, "part.tar");
  const exported = await exportRootfs(stage.reference, archive, options);
  assert.deepEqual([exported.keptEntries, exported.warnings], [3, { PATTERN_UNMATCHED: 3 }]);

  for (const strictly of [
    () => unpack(stage.reference, join(stage.place.directory, "strict"), { ...options, strict: true }),
    () => exportRootfs(stage.reference, join(stage.place.directory, "strict.tar"), { ...options, strict: true }),
  ]) {
    await assert.rejects(strictly, { code: "STRICT_VIOLATION", message: /the pattern "ect\/\*\*" matches nothing/ });
  }
  assert.deepEqual((await readdir(stage.place.directory)).sort(), ["part", "part.tar"]);
});

test("a part of an image that is all of it has no entries that were kept, and no warnings", async () => {
  await using stage = await setStage([tar(file("etc/passwd", "x"))]);
  const result = await unpack(stage.reference, join(stage.place.directory, "whole"), { platform });
  assert.deepEqual([result.keptEntries, result.warnings], [undefined, {}]);
});

test("what is no pattern, or can never match, is refused before anything is fetched", async () => {
  await using stage = await setStage([tar(file("a", "x"))]);
  const refused = ["[", "usr/[a-z", "a{b,c}", "../etc", "usr/../etc", "", "/", ".."];
  for (const pattern of refused) {
    for (const options of [{ include: [pattern] }, { exclude: [pattern] }]) {
      await assert.rejects(unpack(stage.reference, join(stage.place.directory, "x"), options), {
        code: "INVALID_OPTION",
      });
    }
  }
  assert.deepEqual(stage.registry.requests, []);
  for (const pattern of ["[[]", "[]]", "[!]]", "[{]a,b}", "{a}", "a..b"]) {
    await unpack(stage.reference, join(stage.place.directory, encodeURIComponent(pattern)), {
      platform,
      include: [pattern],
    });
  }
});
