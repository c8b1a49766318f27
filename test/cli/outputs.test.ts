import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { CopyResult, OverlayResult } from "../../src/index.ts";
import { outcomeOf } from "../support/command.ts";
import { type Image, image, imageIndex } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot } from "../support/tools.ts";

const sample = image(sampleLayers());
const other = image([], { platform: { os: "linux", architecture: "s390x" } });

async function setStage(first: Image = sample): Promise<Scratch & { readonly name: string }> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "both", images: [first, other], index: imageIndex([first, other]) }]);
  return { ...place, name: `oci:${layout}:both` };
}

test("--output layout copies an image for one platform, or for all", async () => {
  await using stage = await setStage();
  for (const [args, digest] of [
    [["-p", "linux/amd64"], sample.manifest.descriptor.digest],
    [["--all-platforms"], imageIndex([sample, other]).descriptor.digest],
  ] as const) {
    const path = join(stage.directory, digest.slice(7, 15));
    const { stdout, stderr } = await ociUnpack(["--output", "layout", "-o", path, ...args, "--json", "-q", stage.name]);
    assert.equal(stderr, "");
    assert.equal((JSON.parse(stdout) as CopyResult).digest, digest);
    const { manifests } = JSON.parse(await readFile(join(path, "index.json"), "utf8"));
    assert.equal(manifests[0].digest, digest);
  }
});

test("an archive goes into a file, or through a pipe, with the same bytes", async () => {
  await using stage = await setStage();
  const file = join(stage.directory, "image.tar");
  const args = ["--output", "docker-archive", "-p", "linux/amd64"];
  const { status, stderr } = await ociUnpack([...args, "-o", file, stage.name]);
  assert.deepEqual([status, /^copied /m.test(stderr)], [0, true], stderr);
  const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
  const pipe = `"$0" "$@" -q -o - | cat > ${stage.directory}/piped.tar`;
  await outcomeOf("sh", ["-c", pipe, process.execPath, main, ...args, stage.name]);
  assert.ok((await readFile(file)).equals(await readFile(join(stage.directory, "piped.tar"))));
});

test("whoever reads an archive and goes away is told of, and nothing hangs", async () => {
  await using stage = await setStage(image([tar(file("more than a pipe holds", randomBytes(1_000_000)))]));
  const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
  const args = ["--output", "oci-archive", "-p", "linux/amd64", "-q", "-o", "-", stage.name];
  const script = `{ "$0" "$@"; echo $? > ${stage.directory}/status; } | head -c 1000 > /dev/null`;
  const { stderr } = await outcomeOf("sh", ["-c", script, process.execPath, main, ...args]);
  assert.match(stderr, /^error: cannot write the archive: .*EPIPE/);
  assert.equal(await readFile(join(stage.directory, "status"), "utf8"), "1\n");
});

test("--output overlay makes directories of layers, and says how to mount them", {
  skip: skipUnlessRoot(),
}, async () => {
  await using stage = await setStage();
  const target = join(stage.directory, "overlay");
  const args = ["--output", "overlay", "-p", "linux/amd64", "--store", join(stage.directory, "store"), stage.name];
  const { status, stderr } = await ociUnpack([...args, target]);
  assert.deepEqual([status, stderr.includes(`mount it with: sh ${target}/mount.sh`)], [0, true], stderr);
  assert.deepEqual((await readdir(join(target, "layers"))).sort(), ["0", "1", "2", "3", "upper", "work"]);
  const again = await ociUnpack([...args, `${target}-again`, "--json"]);
  assert.equal((JSON.parse(again.stdout) as OverlayResult).reusedLayers, 4);
  assert.match(again.stderr, /4 layers of these came from the store/);
});
