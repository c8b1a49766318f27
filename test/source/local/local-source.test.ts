import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { verified } from "../../../src/blob/verified.ts";
import type { Image as Resolved } from "../../../src/image/resolve.ts";
import { resolve } from "../../../src/look/resolve.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { localSource } from "../../../src/source/local/local-source.ts";
import { unpack } from "../../../src/unpack/unpack.ts";
import { output } from "../../support/command.ts";
import { image, imageIndex } from "../../support/image.ts";
import { writeImageLayout } from "../../support/image-layout.ts";
import { sampleLayers } from "../../support/sample-layers.ts";
import { type Scratch, scratch } from "../../support/scratch.ts";
import { file, tar } from "../../support/tar-builder.ts";
import { skipWithout } from "../../support/tools.ts";

const amd64 = image(sampleLayers());
const arm64 = image(sampleLayers().slice(1), { platform: { os: "linux", architecture: "arm64" } });
const withTar = { skip: skipWithout("tar") };
const withSkopeo = { skip: skipWithout("skopeo") };

/** Resolves a name and reads every layer, each of which must be what its digest says. */
async function readWhole(name: string, platform = "linux/amd64"): Promise<Resolved> {
  await using source = localSource();
  const resolved = await resolve(name, { source, platform });
  for (const { descriptor } of resolved.layers) {
    for await (const _chunk of verified(descriptor, source.image(name).blob(descriptor)));
  }
  return resolved;
}

async function layout(): Promise<Scratch & { readonly path: string }> {
  const place = await scratch();
  const path = join(place.directory, "layout");
  await mkdir(path);
  await writeImageLayout(path, [
    { tag: "1.0", images: [amd64] },
    { tag: "all", images: [amd64, arm64], index: imageIndex([amd64, arm64]) },
  ]);
  return { ...place, path };
}

async function filesOpenIn(path: string): Promise<string[]> {
  const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(links)).filter((link) => link.startsWith(path));
}

test("an image in a layout is found by its name, by its digest, and by its platform", async () => {
  await using place = await layout();
  const { digest } = amd64.manifest.descriptor;
  assert.equal((await readWhole(`oci:${place.path}:1.0`)).digest, digest);
  assert.equal((await readWhole(`oci:${place.path}@${digest}`)).digest, digest);
  assert.equal((await readWhole(`oci:${place.path}:all`, "linux/arm64")).digest, arm64.manifest.descriptor.digest);
});

test("a directory that is not there is told as that, and one that is no layout as that", async () => {
  await using place = await layout();
  const told = async (name: string) => await readWhole(name).catch((error) => `${error.code} ${error.message}`);
  for (const transport of ["oci", "dir"]) {
    assert.match(
      String(await told(`${transport}:${place.path}/none`)),
      /^NOT_FOUND .*none": there is no such directory$/,
    );
  }
  assert.match(String(await told(`oci:${place.path}/blobs`)), /^NOT_FOUND .*it has no index\.json/);
});

test("a layer that is larger than what is read at once comes out whole", async () => {
  await using place = await scratch();
  const content = randomBytes(5_000_000);
  const path = join(place.directory, "layout");
  await writeImageLayout(path, [{ tag: "1", images: [image([tar(file("large", content))])] }]);
  const { rootfs } = await unpack(`oci:${path}:1`, join(place.directory, "target"), { platform: "linux/amd64" });
  assert.ok((await readFile(join(rootfs, "large"))).equals(content));
});

test("a blob is given from the byte on that was asked for", async () => {
  await using place = await layout();
  await using source = localSource();
  const [layer] = amd64.layers;
  if (layer === undefined) throw new TypeError("the image has layers");
  const { mediaType, digest, size } = layer.descriptor;
  const blob = source.image(`oci:${place.path}:1.0`).blob({ mediaType, digest, sizeBytes: size }, { offset: 100 });
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob) chunks.push(chunk);
  assert.deepEqual(Buffer.concat(chunks), Buffer.from(layer.bytes.subarray(100)));
});

test("S19: a name that a layout lacks, or none where there are several, is answered with those there are", async () => {
  await using place = await layout();
  for (const name of [`oci:${place.path}`, `oci:${place.path}:2.0`, `oci:${place.path}@sha256:${"0".repeat(64)}`]) {
    await assert.rejects(readWhole(name), { code: "NOT_FOUND", hint: "append one of these: :1.0, :all" });
  }
});

test("S19: a layout whose only entries are platforms is one image", async () => {
  await using place = await layout();
  await writeFile(join(place.path, "index.json"), imageIndex([amd64, arm64]).bytes);
  assert.equal((await readWhole(`oci:${place.path}`, "linux/arm64")).digest, arm64.manifest.descriptor.digest);
});

test("S19: and so is one with a single platform and what BuildKit attests of it", async () => {
  await using place = await layout();
  const entry = { ...amd64.manifest.descriptor, platform: amd64.platform };
  const attestation = { ...arm64.manifest.descriptor, platform: { os: "unknown", architecture: "unknown" } };
  const listed = JSON.stringify({ schemaVersion: 2, manifests: [entry, attestation] });
  await writeFile(join(place.path, "index.json"), listed);
  const { digest, indexDigest } = await readWhole(`oci:${place.path}`);
  assert.deepEqual([digest, indexDigest], [amd64.manifest.descriptor.digest, digestOf(Buffer.from(listed))]);
});

test("a blob that a layout lacks, or that has another size, is named", async () => {
  await using place = await layout();
  const layer = amd64.layers[1]?.descriptor.digest ?? "";
  const path = join(place.path, "blobs", layer.replace(":", "/"));
  await truncate(path, 10);
  await assert.rejects(readWhole(`oci:${place.path}:1.0`), { code: "SIZE_MISMATCH", message: new RegExp(layer) });
  await rm(path);
  await assert.rejects(readWhole(`oci:${place.path}:1.0`), { code: "NOT_FOUND", message: new RegExp(layer) });
});

test("a manifest or blob with the wrong bytes is refused", async () => {
  await using place = await layout();
  const blobs = join(place.path, "blobs");
  const { digest, size } = amd64.layers[0]?.descriptor ?? { digest: "", size: 0 };
  await writeFile(join(blobs, digest.replace(":", "/")), Buffer.alloc(size));
  await assert.rejects(readWhole(`oci:${place.path}:1.0`), { code: "DIGEST_MISMATCH" });
  const manifest = Buffer.from(amd64.manifest.bytes);
  manifest[manifest.length - 2] = 0x20;
  await writeFile(join(blobs, amd64.manifest.descriptor.digest.replace(":", "/")), manifest);
  await assert.rejects(readWhole(`oci:${place.path}:1.0`), { code: "DIGEST_MISMATCH" });
});

test("what is no layout, no archive, or not there at all is said to be so", async () => {
  await using place = await scratch();
  await writeFile(join(place.directory, "text"), "no archive".repeat(100));
  await assert.rejects(readWhole(`oci:${place.directory}`), { code: "NOT_FOUND", message: /not an OCI layout/ });
  await assert.rejects(readWhole(`oci-archive:${place.directory}/none.tar`), {
    code: "NOT_FOUND",
    message: /no such file/,
  });
  await assert.rejects(readWhole(`docker-archive:${place.directory}/text`), { code: "INVALID_ARCHIVE" });
  for (const name of ["oci:", "docker-archive::tag", "ftp:x"]) {
    await assert.rejects(readWhole(name), { code: "INVALID_REFERENCE" });
  }
});

for (const compress of [undefined, "gzip", "zstd"] as const) {
  const how = compress === undefined ? "read in place" : `unwrapped from ${compress} into a file without a name`;
  const skip = skipWithout("tar", ...(compress === "zstd" ? (["zstd"] as const) : []));
  test(`an OCI archive is ${how}, and leaves nothing open`, { skip }, async () => {
    await using place = await layout();
    const archive = join(place.directory, "image.tar");
    execFileSync("tar", ["-cf", archive, "-C", place.path, ...(compress ? [`--${compress}`] : []), "."]);
    assert.equal((await readWhole(`oci-archive:${archive}:1.0`)).digest, amd64.manifest.descriptor.digest);
    assert.deepEqual(await filesOpenIn(place.directory), []);
    await truncate(archive, 2000);
    await assert.rejects(readWhole(`oci-archive:${archive}:1.0`), { code: "INVALID_ARCHIVE" });
    assert.deepEqual(await filesOpenIn(place.directory), []);
  });
}

test("an archive whose first file has a name that begins like compressed data is an archive", withTar, async () => {
  await using place = await layout();
  const archive = join(place.directory, "image.tar");
  await writeFile(join(place.path, "BZh91AY"), "");
  execFileSync("tar", ["-cf", archive, "-C", place.path, "BZh91AY", "blobs", "index.json", "oci-layout"]);
  assert.equal((await readWhole(`oci-archive:${archive}:1.0`)).digest, amd64.manifest.descriptor.digest);
});

test("what skopeo writes as dir:, oci-archive: and docker-archive: is the same image", withSkopeo, async () => {
  await using place = await layout();
  const from = `oci:${place.path}:1.0`;
  const copy = (...args: string[]) => output("skopeo", ["--insecure-policy", "copy", "-q", from, ...args]);
  await copy(`dir:${place.directory}/dir`);
  await copy(`oci-archive:${place.directory}/oci.tar:named`);
  await copy(`docker-archive:${place.directory}/docker.tar:example.com/app:1`);
  const layers = async (name: string) => (await readWhole(name)).layers.map(({ diffID }) => diffID);
  const expected = await layers(from);
  assert.deepEqual(await layers(`dir:${place.directory}/dir`), expected);
  assert.deepEqual(await layers(`oci-archive:${place.directory}/oci.tar:named`), expected);
  assert.deepEqual(await layers(`docker-archive:${place.directory}/docker.tar`), expected);
  assert.deepEqual(await layers(`docker-archive:${place.directory}/docker.tar:example.com/app:1`), expected);
  await assert.rejects(layers(`docker-archive:${place.directory}/docker.tar:example.com/app:2`), {
    code: "NOT_FOUND",
    hint: "append one of these: :example.com/app:1",
  });
});

test("S17: the layers of a docker archive may be links within it, compressed or not, and lead nowhere else", async () => {
  await using place = await scratch();
  const tree = join(place.directory, "tree");
  const [first = new Uint8Array(), second = new Uint8Array()] = sampleLayers();
  const { config } = image([first, second]);
  await mkdir(join(tree, "a"), { recursive: true });
  await mkdir(join(tree, "b"));
  await writeFile(join(tree, "a/real.tar"), first);
  await symlink("../a/real.tar", join(tree, "b/layer.tar"));
  await writeFile(join(tree, "b/second.tar"), gzipSync(second));
  await symlink("../../../../etc/passwd", join(tree, "b/outside"));
  await writeFile(join(tree, "config.json"), config.bytes);
  const listed = async (layers: readonly string[]) => {
    await writeFile(
      join(tree, "manifest.json"),
      JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: layers }]),
    );
    execFileSync("tar", ["-cf", join(place.directory, "image.tar"), "-C", tree, "."]);
    return await readWhole(`docker-archive:${place.directory}/image.tar`);
  };
  assert.equal((await listed(["b/layer.tar", "b/second.tar"])).layers.length, 2);
  await assert.rejects(listed(["b/outside", "b/second.tar"]), { code: "NOT_FOUND" });
});

test("S18: of a docker archive that is a layout too, the layout's manifest counts, if both mean the same image", async () => {
  await using place = await layout();
  const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
  const pack = async (layers: readonly string[]) => {
    const entry = { Config: blob(amd64.config.descriptor.digest), RepoTags: ["app:1"], Layers: layers };
    await writeFile(join(place.path, "manifest.json"), JSON.stringify([entry]));
    execFileSync("tar", ["-cf", join(place.directory, "hybrid.tar"), "-C", place.path, "."]);
    return (await readWhole(`docker-archive:${place.directory}/hybrid.tar:app:1`)).digest;
  };
  const layers = amd64.layers.map(({ descriptor }) => blob(descriptor.digest));
  assert.equal(await pack(layers), amd64.manifest.descriptor.digest);
  await assert.rejects(pack(layers.slice(1)), { code: "INVALID_MANIFEST" });
});

test("a symlink that leads out of a layout is not followed, and nothing of what it leads to is told", async () => {
  await using outer = await layout();
  const secret = "root:$y$j9T$secret:19000:0:99999:7:::";
  await writeFile(join(outer.directory, "secret"), secret);
  const config = join("blobs", amd64.config.descriptor.digest.replace(":", "/"));
  for (const [place, target] of [
    ["index.json", "../secret"],
    [config, "../../../secret"],
    [config, join(outer.directory, "secret")],
    ["blobs", "../outside"],
  ] as const) {
    const path = join(outer.path, place);
    await rename(path, join(outer.directory, "outside"));
    await symlink(target, path);
    await assert.rejects(readWhole(`oci:${outer.path}:1.0`), (error: Error) => {
      assert.match(error.message, /a symlink there leads out of/, place);
      return !/secret:19000/.test(inspect(error, { depth: 9 }));
    });
    await rm(path);
    await rename(join(outer.directory, "outside"), path);
  }
  assert.equal((await readWhole(`oci:${outer.path}:1.0`)).digest, amd64.manifest.descriptor.digest);
});

test("nor is one that leads out of what skopeo wrote as dir:", async () => {
  await using place = await scratch();
  const path = join(place.directory, "image");
  await mkdir(path);
  await writeFile(join(place.directory, "secret"), "{}");
  await symlink("../secret", join(path, "manifest.json"));
  await assert.rejects(readWhole(`dir:${path}`), { code: "INVALID_ARCHIVE", message: /leads out of/ });
});

test("a layout may be a symlink, and have symlinks that stay within it", async () => {
  await using place = await layout();
  await rename(join(place.path, "blobs"), join(place.path, "shared"));
  await symlink("shared", join(place.path, "blobs"));
  await symlink("layout", join(place.directory, "link"));
  assert.equal((await readWhole(`oci:${place.directory}/link:1.0`)).digest, amd64.manifest.descriptor.digest);
});

test("what is no JSON in a layout is told without a word of it", async () => {
  await using place = await layout();
  await writeFile(join(place.path, "index.json"), "root:$y$j9T$secret:19000:0:99999:7:::");
  await assert.rejects(readWhole(`oci:${place.path}:1.0`), (error: Error) => {
    assert.match(error.message, /index\.json of ".*": it is not JSON at character 1$/);
    return !/secret/.test(inspect(error, { depth: 9 }));
  });
});
