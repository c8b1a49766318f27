import assert from "node:assert/strict";
import { open, readdir, readlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { defaultLimits, type Limits } from "../../../src/base/limits.ts";
import { resolve } from "../../../src/look/resolve.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-type.ts";
import { archiveIndex } from "../../../src/source/local/archive-index.ts";
import { DockerArchiveImage } from "../../../src/source/local/docker-archive.ts";
import type { ImageFiles } from "../../../src/source/local/image-files.ts";
import { localSource } from "../../../src/source/local/local-source.ts";
import { blobsOf, image } from "../../support/image.ts";
import { ociUnpack } from "../../support/oci-unpack.ts";
import { skipWithoutLandlock } from "../../support/sandbox.ts";
import { type Scratch, scratch } from "../../support/scratch.ts";
import { file, hardlink, symlink, tar, tarWithoutEnd } from "../../support/tar-builder.ts";
import { threadStatuses } from "../../support/thread-statuses.ts";

const platform = "linux/amd64";
const inner = image([tar(file("a", "1"))]);
const pathOf = (digest: string) => `blobs/${digest.replace(":", "/")}`;

/** The entries of a layout with one image. */
const layout: readonly Uint8Array[] = [
  file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
  file("index.json", JSON.stringify({ schemaVersion: 2, manifests: [inner.manifest.descriptor] })),
  ...blobsOf(inner).map(({ descriptor, bytes }) => file(pathOf(descriptor.digest), bytes)),
];

/** Finds out what image is in an archive of these bytes. */
async function resolved(bytes: Uint8Array, limits: Partial<Limits> = {}): Promise<string> {
  await using place = await scratch();
  const path = join(place.directory, "image.tar");
  await writeFile(path, bytes);
  return (await resolve(`oci-archive:${path}`, { platform, limits })).digest;
}

async function temporaryFiles(): Promise<readonly string[]> {
  const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(links)).filter((link) => link.endsWith(" (deleted)"));
}

/** The threads that read archives, with whether each may gain privileges. */
function archiveThreads(): readonly string[] {
  return threadStatuses()
    .filter((status) => status.includes("oci-archive"))
    .map((status) => /NoNewPrivs:\t(\d)/.exec(status)?.[1] ?? "");
}

const located = { name: "docker-archive:archive", location: { transport: "docker-archive" } } as const;

test("an archive that nobody waits for any more is not read, and no thread has to be ended for it", async () => {
  await using place = await scratch();
  await using archive = await open(join(place.directory, "image.tar"), "w+");
  let isRead = false;
  async function* input() {
    isRead = true;
    yield gzipSync(tar(...layout));
  }
  const reason = new Error("the source was closed");
  const options = { limits: defaultLimits, sandbox: "prefer", signal: AbortSignal.abort(reason) } as const;
  await assert.rejects(archiveIndex(archive, input(), options), reason);
  assert.equal(isRead, false);
});

test("an archive's own compression is within the caller's limits, and leaves nothing", async () => {
  const bomb = gzipSync(tar(...layout, file("zeros", Buffer.alloc(40_000_000))));
  assert.equal(await resolved(bomb), inner.manifest.descriptor.digest);
  await assert.rejects(resolved(bomb, { totalBytes: 30_000_000 }), {
    code: "LIMIT_EXCEEDED",
    message: /^cannot decompress ".*": .*\(totalBytes\)$/,
  });
  const larger = gzipSync(tar(...layout, file("zeros", Buffer.alloc(80_000_000))), { level: 9 });
  await assert.rejects(resolved(larger, { expansionRatio: 500 }), {
    code: "LIMIT_EXCEEDED",
    message: /expansionRatio/,
  });
  assert.deepEqual(await temporaryFiles(), []);
  assert.deepEqual(archiveThreads(), []);
});

test("so it is by the command, also where the archive comes through standard input", async () => {
  await using place = await scratch();
  const bomb = gzipSync(tar(...layout, file("zeros", Buffer.alloc(40_000_000))));
  await writeFile(join(place.directory, "image.tar"), bomb);
  for (const [path, input] of [
    [join(place.directory, "image.tar"), ""],
    ["-", bomb],
  ] as const) {
    const args = ["-p", platform, "--limit", "totalBytes=30M", `oci-archive:${path}`, join(place.directory, "target")];
    const { status, stderr } = await ociUnpack(args, { input });
    assert.equal(status, 1);
    assert.match(stderr, /\(totalBytes\)/);
  }
  assert.deepEqual(await readdir(place.directory), ["image.tar"]);
});

for (const [limit, entries] of [
  ["entries", Array.from({ length: 101 }, (_, number) => file(`${number}`))],
  ["memoryBytes", Array.from({ length: 101 }, (_, number) => file(`${number}`.padStart(99, "x")))],
  ["headerBytes", [file("y".repeat(200))]],
] as const) {
  test(`${limit} holds for an archive of an image`, async () => {
    const archive = tar(...layout, ...entries);
    assert.equal(await resolved(archive), inner.manifest.descriptor.digest);
    const limits = { [limit]: limit === "memoryBytes" ? 20_000 : 100 };
    await assert.rejects(resolved(archive, limits), { code: "LIMIT_EXCEEDED", message: new RegExp(limit.slice(0, 6)) });
  });
}

test("names that no image's file has are passed over", async () => {
  const long = Array.from({ length: 50 }, (_, number) => file(`${"z".repeat(60_000)}${number}`));
  const links = [symlink("link", "z".repeat(60_000)), hardlink(`${"./".repeat(30_000)}index.json`, "nowhere")];
  // Each of the names, or all of the links' targets, would be more than that.
  const limits = { memoryBytes: 30_000 };
  assert.equal(await resolved(tar(...layout, ...long, ...links), limits), inner.manifest.descriptor.digest);
});

test("gzip's own checksum counts for an archive, whose files nothing else may vouch for", async () => {
  const archive = gzipSync(tar(...layout));
  archive.writeUInt32LE(archive.readUInt32LE(archive.length - 8) ^ 1, archive.length - 8);
  await assert.rejects(resolved(archive), { code: "INVALID_ARCHIVE", message: /checksum/ });
});

test("an archive of several gzip members is one", async () => {
  const [first = new Uint8Array(), ...rest] = layout;
  const archive = Buffer.concat([gzipSync(tarWithoutEnd(first)), gzipSync(tar(...rest))]);
  assert.equal(await resolved(archive), inner.manifest.descriptor.digest);
});

test("the thread that reads an archive is confined, and ends with it", { skip: skipWithoutLandlock() }, async () => {
  const seen: (readonly string[])[] = [];
  const archive = gzipSync(tar(...layout), { level: 0 });
  async function* dripping() {
    for (let start = 0; start < archive.length; start += 1000) {
      yield archive.subarray(start, start + 1000);
      for (let turn = 0; turn < 10_000 && archiveThreads()[0] !== "1"; turn += 1) await new Promise(setImmediate);
      seen.push(archiveThreads());
    }
  }
  await using source = localSource({ standardInput: dripping() });
  await resolve("oci-archive:-", { source, platform });
  assert.deepEqual(seen.at(-1), ["1"]);
  assert.deepEqual(archiveThreads(), []);
});

test("disposing of a source ends the thread that reads an archive, whatever it does", {
  timeout: 120_000,
}, async () => {
  await using place: Scratch = await scratch();
  const path = join(place.directory, "image.tar");
  await writeFile(path, tar(...layout));
  await truncate(path, 2 ** 40); // zeros to read for many minutes
  const source = localSource();
  const signal = AbortSignal.timeout(200);
  await assert.rejects(resolve(`oci-archive:${path}`, { source, platform, signal }), { name: "TimeoutError" });
  await source[Symbol.asyncDispose]();
  assert.deepEqual(archiveThreads(), []);
});

/** ImageFiles that count how often each was opened, and how much of each was read. */
function counting(contents: Readonly<Record<string, Uint8Array>>) {
  const opened = new Map<string, number>();
  const bytes = new Map<string, number>();
  const stored = new Map(
    Object.entries(contents).map(([name, content]) => [
      name,
      {
        sizeBytes: content.length,
        async *read() {
          bytes.set(name, (bytes.get(name) ?? 0) + content.length);
          yield content;
        },
      },
    ]),
  );
  const files: ImageFiles = {
    name: "archive",
    async open(name) {
      opened.set(name, (opened.get(name) ?? 0) + 1);
      return stored.get(name);
    },
    async [Symbol.asyncDispose]() {},
  };
  return { files, opened, bytes };
}

test("a layer's file is read once, however often a docker archive lists it", async () => {
  const layer = Buffer.from(gzipSync(tar(file("a", "x".repeat(1000)))));
  const layers = Array.from({ length: 500 }, () => "layer.tar");
  const { files, bytes } = counting({
    "manifest.json": Buffer.from(JSON.stringify([{ Config: "config.json", Layers: layers }])),
    "config.json": Buffer.from(inner.config.bytes),
    "layer.tar": layer,
  });
  await new DockerArchiveImage(located, async () => files, defaultLimits).manifest();
  // Once for its digest; its beginning tells each time how it is compressed.
  assert.equal(bytes.get("layer.tar"), 501 * layer.length);
  const limits = { ...defaultLimits, layers: 499 };
  await assert.rejects(new DockerArchiveImage(located, async () => files, limits).manifest(), {
    code: "LIMIT_EXCEEDED",
    message: /500 layers, 499 are allowed \(layers\)$/,
  });
});

test("a name in a docker archive that is no reference is found as it is written, and in nobody's way", async () => {
  const entry = (config: string, tag: string) => ({ Config: config, RepoTags: [tag], Layers: [] });
  const configs = ["1", "2", "3"].map((author) => {
    return Buffer.from(
      JSON.stringify({ author, architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }),
    );
  });
  const [odd, usual, exact] = configs.map(digestOf);
  const images = [entry("0.json", "bazel/App:Image_1"), entry("1.json", "app:1"), entry("2.json", "docker.io/App")];
  const { files } = counting({
    "manifest.json": Buffer.from(JSON.stringify(images)),
    ...Object.fromEntries(configs.map((bytes, index) => [`${index}.json`, bytes])),
  });
  const chosen = async (wanted: string) => {
    const { bytes } = await new DockerArchiveImage(located, async () => files, defaultLimits, wanted).manifest();
    return JSON.parse(Buffer.from(bytes).toString()).config.digest;
  };
  assert.equal(await chosen("bazel/App:Image_1"), odd);
  assert.equal(await chosen("docker.io/library/app:1"), usual);
  assert.equal(await chosen("docker.io/App"), exact);
  await assert.rejects(chosen("app:2"), { code: "NOT_FOUND", hint: /:bazel\/App:Image_1, :app:1/ });
  await assert.rejects(chosen("App:2"), { code: "NOT_FOUND", hint: /:docker.io\/App$/ });
});

test("an image in a docker archive that has no name is found by its place, as skopeo counts", async () => {
  const config = (author: string) =>
    Buffer.from(
      JSON.stringify({ author, architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }),
    );
  const configs = ["1", "2", "3"].map(config);
  const images = [null, ["app:1"], []].map((RepoTags, index) => ({ Config: `${index}.json`, RepoTags, Layers: [] }));
  const { files } = counting({
    "manifest.json": Buffer.from(JSON.stringify(images)),
    ...Object.fromEntries(configs.map((bytes, index) => [`${index}.json`, bytes])),
  });
  const chosen = async (wanted?: string) => {
    const { bytes } = await new DockerArchiveImage(located, async () => files, defaultLimits, wanted).manifest();
    return JSON.parse(Buffer.from(bytes).toString()).config.digest;
  };
  for (const [index, bytes] of configs.entries()) assert.equal(await chosen(`@${index}`), digestOf(bytes));
  for (const wanted of [undefined, "@3", "@-1", "@x", "@"]) {
    await assert.rejects(chosen(wanted), { code: "NOT_FOUND", hint: "append one of these: :@0, :app:1, :@2" });
  }
});

test("what cannot be read of a docker archive is named: a layer's compression, and a list that Docker did not write", async () => {
  const refused = (files: Record<string, Uint8Array>) =>
    new DockerArchiveImage(located, async () => counting(files).files, defaultLimits).manifest();
  const list = [{ Config: "config.json", Layers: ["0.tar", "1.tar"] }];
  const members = {
    "manifest.json": Buffer.from(JSON.stringify(list)),
    "config.json": Buffer.from(inner.config.bytes),
    "0.tar": tar(file("a", "1")),
    "1.tar": Buffer.from("BZh91AY&SY"),
  };
  await assert.rejects(refused(members), {
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: "layer 2: cannot decompress: bzip2 is not a compression of layers",
    details: { layer: 1 },
  });
  await assert.rejects(refused({ repositories: Buffer.from("{}") }), {
    code: "NOT_FOUND",
    hint: /^Docker before 1\.10/,
  });
});

test("R-33: indexes in a docker archive that list each other again and again are read once each", async () => {
  const contents: Record<string, Uint8Array> = { "oci-layout": Buffer.from("{}") };
  let below: object = inner.manifest.descriptor;
  for (let level = 0; level < 3; level += 1) {
    const manifests = Array.from({ length: 1000 }, () => below);
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    const digest = digestOf(bytes);
    contents[pathOf(digest)] = bytes;
    below = { mediaType: mediaTypes.ociIndex, digest, size: bytes.length };
  }
  for (const { descriptor, bytes } of blobsOf(inner)) contents[pathOf(descriptor.digest)] = Buffer.from(bytes);
  contents["index.json"] = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [below] }));
  contents["manifest.json"] = Buffer.from(JSON.stringify([{ Config: "another", Layers: [] }]));
  const { files, opened } = counting(contents);
  await assert.rejects(new DockerArchiveImage(located, async () => files, defaultLimits).manifest(), {
    code: "INVALID_MANIFEST",
  });
  assert.ok(Math.max(...opened.values()) <= 2, "once to see whether it is there, once to read it");
});
