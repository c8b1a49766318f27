import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ArtifactOptions, type OciUnpackEvent, unpackArtifact } from "../../src/index.ts";
import { digestOf, encodedOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { type ArtifactLayer, addArtifact, directoryLayer } from "../support/artifact.ts";
import { MemorySource } from "../support/memory-source.ts";
import { scratch } from "../support/scratch.ts";
import { device, directory, fifo, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { readTree } from "../support/tree.ts";

/** The files of an artifact with these layers, as text, and where a symlink leads; a directory is "/". */
async function filesOf(layers: readonly ArtifactLayer[], options: ArtifactOptions = {}) {
  await using place = await scratch();
  const source = new MemorySource();
  addArtifact(source, "x", layers);
  const target = join(place.directory, "target");
  const { files: _, ...result } = await unpackArtifact("x", target, { source, ...options });
  const tree = readTree(result.directory, { contents: "bytes" });
  return Object.fromEntries(
    Object.entries(tree).flatMap(([path, { type, content, target }]) => {
      return path === "." ? [] : [[path, type === "directory" ? "/" : (content ?? `→ ${target}`)]];
    }),
  );
}

test("each layer becomes the file that its name says, beside the manifest and the config, byte for byte", async () => {
  await using place = await scratch();
  const source = new MemorySource();
  const big = Buffer.alloc(3_000_000, "0123456789");
  const config = { mediaType: "application/vnd.example.config+json", content: "not JSON" };
  const layers = [
    { name: "one.txt", content: "one" },
    { name: "deep/down/big.bin", content: big },
    { name: "empty", content: "" },
    { content: "nameless" },
    { name: "again/one.txt", content: "one" },
    { name: ".wh.one.txt", content: "no whiteout" },
  ];
  const manifest = addArtifact(source, "x", layers, { config });
  const target = join(place.directory, "target");
  const result = await unpackArtifact("x", target, { source, sourceDateEpoch: 1_000_000_000 });
  const tree = readTree(join(target, "files"));
  assert.deepEqual(
    Object.entries(tree).flatMap(([path, { content }]) => (content === undefined ? [] : [[path, content]])),
    [
      [".wh.one.txt", digestOf(Buffer.from("no whiteout"))],
      [encodedOf(digestOf(Buffer.from("nameless"))), digestOf(Buffer.from("nameless"))],
      ["again/one.txt", digestOf(Buffer.from("one"))],
      ["deep/down/big.bin", digestOf(big)],
      ["empty", digestOf(Buffer.from(""))],
      ["one.txt", digestOf(Buffer.from("one"))],
    ],
  );
  assert.deepEqual([tree["one.txt"]?.mode, tree["one.txt"]?.mtime], ["0644", "1000000000.000000000"]);
  assert.equal(readFileSync(result.manifest, "utf8"), manifest);
  assert.equal(readFileSync(result.config ?? "", "utf8"), "not JSON");
  assert.deepEqual(readdirSync(target).sort(), ["config.json", "files", "manifest.json"]);
  assert.equal(result.artifactType, "application/vnd.example");
  assert.deepEqual(result.warnings, {});
});

test("a config that says nothing is left out", async () => {
  await using place = await scratch();
  const source = new MemorySource();
  addArtifact(source, "x", [], { config: { mediaType: "application/vnd.unknown.config.v1+json", content: "{}" } });
  const target = join(place.directory, "target");
  const result = await unpackArtifact("x", target, { source });
  assert.equal(result.config, undefined);
  assert.deepEqual(readdirSync(target).sort(), ["files", "manifest.json"]);
});

test("an archive is put at its name, whether the names in it begin with that or not", async () => {
  const whole = tar(directory("data"), file("data/a", "1"), symlink("data/to", "a"), hardlink("data/b", "data/a"));
  const bare = tar(directory("./"), file("./a", "2"), hardlink("b", "a"), file(".wh.a"), file("sub/c", "3"));
  const expected = { "data/a": "1", "data/b": "1", "data/to": "→ a" };
  const { data: _, ...files } = await filesOf([directoryLayer("data", whole)]);
  assert.deepEqual(files, expected);
  assert.deepEqual(await filesOf([directoryLayer("my/data", bare), { name: "my/file", content: "4" }]), {
    my: "/",
    "my/data": "/",
    "my/data/.wh.a": "",
    "my/data/a": "2",
    "my/data/b": "2",
    "my/data/sub": "/",
    "my/data/sub/c": "3",
    "my/file": "4",
  });
});

test("what is in an archive belongs to whoever unpacks it, and devices are left out", async () => {
  await using place = await scratch();
  const source = new MemorySource();
  const archive = tar(file("d/a", "1", { uid: 4242, gid: 4242, mode: 0o755 }), device("d/null", "character", [1, 3]));
  addArtifact(source, "x", [directoryLayer("d", archive)]);
  const result = await unpackArtifact("x", join(place.directory, "target"), { source });
  const { "d/a": own, "d/null": node } = readTree(result.directory);
  assert.deepEqual([own?.owner, own?.mode, node], [`${process.getuid?.()}:${process.getgid?.()}`, "0755", undefined]);
  assert.equal(result.skippedCount, 1);
});

const escapes: Readonly<Record<string, Uint8Array>> = {
  "an entry of an archive that climbs out": tar(file("d/../x")),
  "an entry beside the place of its archive": tar(directory("d"), file("e/x")),
  "a symlink to an absolute path": tar(directory("d"), symlink("d/to", "/etc")),
  "a symlink out of the archive's place": tar(directory("d"), symlink("d/to", "../other")),
  "a symlink that climbs out behind another": tar(symlink("d/here", "."), symlink("d/to", "here/here/../../other")),
  "a symlink in the archive's own place": tar(symlink("d", "other")),
  "a fifo in the archive's own place": tar(fifo("d")),
  "a hard link to a file of another layer": tar(directory("d"), hardlink("d/to", "other/file")),
};

for (const [what, archive] of Object.entries(escapes)) {
  test(`${what} is refused, and nothing is left`, async () => {
    await using place = await scratch();
    const source = new MemorySource();
    addArtifact(source, "x", [{ name: "other/file", content: "1" }, directoryLayer("d", archive)]);
    const target = join(place.directory, "target");
    await assert.rejects(unpackArtifact("x", target, { source }), { code: "ENTRY_REFUSED" });
    assert.equal(existsSync(target), false);
  });
}

test("what later goes through a symlink of an archive stays in the archive's place", async () => {
  const archive = tar(directory("d/real"), symlink("d/to", "real"), file("d/to/x", "1"));
  const files = await filesOf([directoryLayer("d", archive), { name: "real/x", content: "2" }]);
  assert.deepEqual([files["d/real/x"], files["real/x"]], ["1", "2"]);
});

test("a blob, or a decompressed archive, that has not its digest leaves nothing", async () => {
  await using place = await scratch();
  const target = join(place.directory, "target");
  const source = new MemorySource();
  addArtifact(source, "x", [{ name: "a", content: "right" }]);
  source.corrupt(source.add("application/x-file", "right"), "wrong");
  await assert.rejects(unpackArtifact("x", target, { source }), { code: "DIGEST_MISMATCH" });
  const content = { "io.deis.oras.content.digest": digestOf(Buffer.from("another")) };
  addArtifact(source, "y", [directoryLayer("d", tar(file("d/a", "1")), content)]);
  const wrong = { code: "DIFF_ID_MISMATCH", hint: /artifact's manifest/ };
  await assert.rejects(unpackArtifact("y", target, { source }), wrong);
  assert.equal(existsSync(target), false);
});

test("what is not wanted is not fetched, and of an archive a part may be wanted", async () => {
  await using place = await scratch();
  const source = new MemorySource();
  const layers = [
    { name: "model.bin", content: "large", mediaType: "a/model" },
    { name: "docs/readme", content: "1", mediaType: "a/readme" },
    directoryLayer("docs/more", tar(file("docs/more/a", "2"), file("docs/more/b", "3"))),
  ];
  addArtifact(source, "x", layers);
  const warnings: string[] = [];
  const onEvent = (event: OciUnpackEvent) => {
    if (event.type === "warning") warnings.push(event.message);
  };
  const options = { source, include: ["docs", "nothing"], exclude: ["docs/more/b"], onEvent };
  const { directory } = await unpackArtifact("x", join(place.directory, "target"), options);
  assert.deepEqual(Object.keys(readTree(directory)), [".", "docs", "docs/more", "docs/more/a", "docs/readme"]);
  assert.equal(source.fetched.includes("a/model"), false);
  assert.deepEqual(warnings, ['the pattern "nothing" matches nothing in the artifact']);
});

test("an image is no artifact, and limits hold for the files of one", async () => {
  await using place = await scratch();
  const target = join(place.directory, "target");
  const source = new MemorySource();
  const config = source.add(mediaTypes.ociConfig, { rootfs: { type: "layers", diff_ids: [] } });
  source.name("image", mediaTypes.ociManifest, { config, layers: [] });
  await assert.rejects(unpackArtifact("image", target, { source }), { code: "NOT_AN_ARTIFACT" });
  addArtifact(source, "x", [
    { name: "a", content: "12345" },
    { name: "b", content: "1" },
  ]);
  for (const limits of [{ layers: 1 }, { downloadBytes: 5 }, { fileBytes: 4 }, { entries: 1 }, { totalBytes: 2500 }]) {
    await assert.rejects(unpackArtifact("x", target, { source, limits }), { code: "LIMIT_EXCEEDED" });
  }
  assert.equal(existsSync(target), false);
});
