import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  copy,
  inspect,
  type LookOptions,
  list,
  localSource,
  read,
  store,
  storedSource,
  unpackArtifact,
} from "../../src/index.ts";
import { digestOf, encodedOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { type ArtifactLayer, addArtifact, directoryLayer, title } from "../support/artifact.ts";
import { eventually } from "../support/eventually.ts";
import { MemorySource } from "../support/memory-source.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { startRegistry } from "../support/registry-double.ts";
import { hangAfter } from "../support/registry-reply.ts";
import { scratch } from "../support/scratch.ts";
import { file, directory as folder, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { readTree } from "../support/tree.ts";

const archive = tar(
  folder("data"),
  file("data/a", "1"),
  file("data/.wh.a", "no whiteout"),
  symlink("data/to", "a"),
  hardlink("data/b", "data/a"),
);
const layers: readonly ArtifactLayer[] = [
  { name: "one.txt", content: "one", mediaType: "a/one" },
  { name: "models/large.bin", content: Buffer.alloc(300_000, "large"), mediaType: "a/large" },
  directoryLayer("data", archive),
];

function sourceOf(content = layers): MemorySource {
  const source = new MemorySource();
  addArtifact(source, "x", content);
  return source;
}

async function contentOf(path: string, options: LookOptions): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of read("x", path, options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("the files of an artifact are listed without being fetched, but for what is in an archive", async () => {
  const source = sourceOf();
  const all = await list("x", "/", { source, recursive: true, digest: true });
  assert.deepEqual(
    all.entries.map(({ path, type, layer, sizeBytes, digest }) => [path, type, layer, sizeBytes, digest?.slice(0, 15)]),
    [
      ["data", "directory", 2, 0, undefined],
      ["data/.wh.a", "file", 2, 11, digestOf(Buffer.from("no whiteout")).slice(0, 15)],
      ["data/a", "file", 2, 1, digestOf(Buffer.from("1")).slice(0, 15)],
      ["data/b", "file", 2, 1, digestOf(Buffer.from("1")).slice(0, 15)],
      ["data/to", "symlink", 2, 0, undefined],
      ["models", "directory", 1, 0, undefined],
      ["models/large.bin", "file", 1, 300_000, digestOf(Buffer.alloc(300_000, "large")).slice(0, 15)],
      ["one.txt", "file", 0, 3, digestOf(Buffer.from("one")).slice(0, 15)],
    ],
  );
  assert.deepEqual(source.fetched, ["x", layers[2]?.mediaType]);
  source.fetched.length = 0;
  const { entries, readLayers } = await list("x", "models", { source });
  assert.deepEqual([entries.map(({ path }) => path), readLayers, source.fetched], [["models/large.bin"], 0, ["x"]]);
});

test("a file of an artifact is read alone, and not a byte of it before all are right", async () => {
  const source = sourceOf();
  assert.equal(await contentOf("models/large.bin", { source }), "large".repeat(60_000));
  assert.deepEqual(source.fetched, ["x", "a/large"]);
  assert.equal(await contentOf("data/to", { source }), "1");
  assert.equal(await contentOf("data/.wh.a", { source }), "no whiteout");
  await assert.rejects(contentOf("models", { source }), { code: "NOT_A_FILE" });
  await assert.rejects(contentOf("nothing", { source }), { code: "NOT_FOUND" });
  source.corrupt(source.add("a/large", Buffer.alloc(300_000, "large")), Buffer.alloc(300_000, "wrong"));
  let bytes = 0;
  const reading = async () => {
    for await (const chunk of read("x", "models/large.bin", { source })) bytes += chunk.length;
  };
  await assert.rejects(reading(), { code: "DIGEST_MISMATCH" });
  assert.equal(bytes, 0);
});

test("what escapes from an archive is refused by whoever looks into it, too", async () => {
  const source = sourceOf([directoryLayer("d", tar(folder("d"), file("e/x")))]);
  await assert.rejects(list("x", "d", { source }), { code: "ENTRY_REFUSED" });
});

test("a copy of an artifact is that artifact, and a store has all of it", async () => {
  await using place = await scratch();
  const [layout, ours] = [join(place.directory, "layout"), store(join(place.directory, "store"))];
  const registry = sourceOf();
  const { digest, platform } = await copy("x", layout, { source: registry });
  assert.equal(platform, undefined);
  await assert.rejects(copy("x", join(place.directory, "no.tar"), { source: registry, form: "docker-archive" }), {
    code: "NOT_AN_IMAGE",
  });
  const name = `oci:${layout}`;
  const first = join(place.directory, "first");
  {
    await using source = storedSource(localSource(), ours);
    const online = await unpackArtifact(name, first, { source, sourceDateEpoch: 1 });
    assert.equal(online.digest, digest);
  }
  {
    await using source = storedSource(localSource(), ours, { offline: true });
    const { directory, downloadedBytes } = await unpackArtifact(name, join(place.directory, "second"), {
      source,
      sourceDateEpoch: 1,
    });
    assert.deepEqual(readTree(directory), readTree(join(first, "files")));
    assert.equal(downloadedBytes, 0);
    assert.equal((await inspect(name, { source })).kind, "artifact");
  }
  const found = await ours.verify();
  assert.deepEqual([found.corrupt.length, found.missing.length], [0, 0]);
  await ours.prune();
  assert.equal((await ours.list()).length, 1);
});

test("a fetch that was killed goes on where it was, in the next process", async () => {
  await using place = await scratch();
  await using registry = await startRegistry();
  const content = Buffer.alloc(400_000, "0123456789");
  const layer = { ...registry.addBlob(content, "a/model"), annotations: { [title]: "model.bin" } };
  const config = { ...registry.addBlob("{}"), mediaType: mediaTypes.empty };
  registry.addManifest("some/model", "1", { config, layers: [layer] }, mediaTypes.ociManifest);
  const ours = join(place.directory, "store");
  const blobPath = new RegExp(layer.digest);
  const args = ["--store", ours, "--output", "files", `${registry.host}/some/model:1`, join(place.directory, "got")];
  const part = join(ours, "ingest", `${layer.digest.replace(":", "-")}.part`);
  const hasCome = () => existsSync(part) && statSync(part).size === 250_000;
  registry.next(blobPath, hangAfter(250_000));
  const killed = await ociUnpack(args, {
    started: (child) =>
      void eventually(hasCome, () => "the beginning has not come").finally(() => child.kill("SIGKILL")),
  });
  assert.equal(killed.signal, "SIGKILL");
  const { status, stderr } = await ociUnpack([...args.slice(0, -1), join(place.directory, "again")]);
  assert.equal(status, 0, stderr);
  const ranges = registry.requests.filter(({ path }) => blobPath.test(path)).map(({ headers }) => headers.range);
  assert.deepEqual(ranges, [undefined, "bytes=250000-"]);
  const tree = readTree(join(place.directory, "again/files"));
  assert.equal(tree["model.bin"]?.content, `sha256:${encodedOf(digestOf(content))}`);
});
