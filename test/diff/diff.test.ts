import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  type DiffOptions,
  type DiffResult,
  diff,
  type ImageDifference,
  sourceFor,
  store,
  storedSource,
  unpack,
} from "../../src/index.ts";
import { type Image, type ImageOptions, image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { device, directory, file, hardlink, opaque, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";
import { compared, comparedFromTop } from "./compared.ts";

const platform = "linux/amd64";

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly names: readonly [string, string];
  compare(options?: DiffOptions): Promise<{ readonly differences: ImageDifference[]; readonly result: DiffResult }>;
  /** Which layers were asked for, as indexes of the first image or, from 10 on, of the second. */
  blobs(): number[];
}

async function setStage(first: Image, second: Image): Promise<Stage> {
  const registry = await startRegistry();
  const names = [stored(registry, "first/image", first), stored(registry, "second/image", second)] as const;
  return {
    registry,
    names,
    async compare(options) {
      const comparison = diff(...names, { platform, ...options });
      const differences: ImageDifference[] = [];
      for await (const difference of comparison) differences.push(difference);
      return { differences, result: await comparison.result };
    },
    blobs() {
      const digests = [first, second].map(({ layers }) => layers.map(({ descriptor }) => descriptor.digest));
      return registry.requests.flatMap(({ path }) =>
        digests.flatMap((each, which) => {
          const layer = each.findIndex((digest) => path.endsWith(digest));
          const repository = which === 0 ? "/first/" : "/second/";
          return layer < 0 || !path.includes(repository) ? [] : [layer + which * 10];
        }),
      );
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

function kinds(differences: readonly ImageDifference[]): string[] {
  return differences.map((each) =>
    each.kind === "changed" ? `${each.path}: ${each.parts.join(", ")}` : `${each.kind} ${each.path}`,
  );
}

/** What differs between two images of one layer each. */
function between(
  first: readonly Uint8Array[],
  second: readonly Uint8Array[],
  options: Parameters<typeof compared>[2] = {},
): string[] {
  return kinds(compared([tar(...first)], [tar(...second)], options));
}

const base = tar(
  directory("etc"),
  file("etc/hosts", "127.0.0.1"),
  file("etc/motd", "hello"),
  file("large", "x".repeat(9000)),
);
const own1 = tar(directory("etc"), file("etc/hosts", "::1", { mtime: 5 }));
const own2 = tar(directory("etc", { mode: 0o700 }), whiteout("etc/motd"), file("etc/new", "1", { uid: 7 }));

test("each difference is told with both sides, the layers that they are from and what made these", async () => {
  const history = [
    { created_by: "COPY rootfs /" },
    { created_by: "ENV A=1", empty_layer: true },
    { created_by: "RUN second" },
  ];
  await using stage = await setStage(
    image([base, own1], { config: { history } }),
    image([base, own2], { config: { history } }),
  );
  const { differences, result } = await stage.compare();
  const hosts = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const plain = { mode: 0o644, uid: 0, gid: 0, type: "file" } as const;
  const then = { seconds: 1_000_000_000, nanoseconds: 0 };
  const bottom = { layer: 0, createdBy: "COPY rootfs /" };
  const top = { layer: 1, createdBy: "RUN second" };
  assert.deepEqual(differences, [
    {
      ...{ kind: "changed", path: "etc", parts: ["mode"] },
      first: { type: "directory", mode: 0o755, uid: 0, gid: 0, mtime: then, sizeBytes: 0, ...top },
      second: { type: "directory", mode: 0o700, uid: 0, gid: 0, mtime: then, sizeBytes: 0, ...top },
    },
    {
      ...{ kind: "changed", path: "etc/hosts", parts: ["time", "size", "content"] },
      first: { ...plain, mtime: { seconds: 5, nanoseconds: 0 }, sizeBytes: 3, digest: hosts("::1"), ...top },
      second: { ...plain, mtime: then, sizeBytes: 9, digest: hosts("127.0.0.1"), ...bottom },
    },
    {
      ...{ kind: "removed", path: "etc/motd" },
      first: { ...plain, mtime: then, sizeBytes: 5, digest: hosts("hello"), ...bottom },
    },
    {
      ...{ kind: "added", path: "etc/new" },
      second: { ...plain, uid: 7, mtime: then, sizeBytes: 1, digest: hosts("1"), ...top },
    },
  ]);
  const { from, to, same, config, differenceCount, readLayers } = result;
  assert.deepEqual(
    { same, config, differenceCount, readLayers },
    { same: false, config: [], differenceCount: 4, readLayers: 3 },
  );
  assert.deepEqual([from.reference, to.reference], stage.names);
  assert.deepEqual([from.layers, to.layers, from.platform.architecture], [2, 2, "amd64"]);
});

test("layers that both have at the bottom are read once, from the first image, after those above", async () => {
  const [first, second] = [image([base, own1]), image([base, own2])];
  await using stage = await setStage(first, second);
  const { result } = await stage.compare();
  assert.deepEqual(stage.blobs(), [1, 11, 0]);
  const fetched = [
    first.manifest,
    first.config,
    ...first.layers,
    second.manifest,
    second.config,
    ...second.layers.slice(1),
  ];
  assert.equal(
    result.fetchedBytes,
    fetched.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
});

test("of images with the same layers none is asked for, unless a path has to be found in them", async () => {
  const [first, second] = [
    image([base, own1]),
    image([base, own1], { encoding: "zstd", config: { config: { Cmd: ["a"] } } }),
  ];
  await using stage = await setStage(first, second);
  const { differences, result } = await stage.compare();
  assert.deepEqual([differences, stage.blobs(), result.readLayers], [[], [], 0]);
  assert.deepEqual(result.config, [
    { field: "Cmd", first: ["/bin/sh"], second: ["a"] },
    { field: "Env", first: ["PATH=/usr/bin:/bin"] },
  ]);
  assert.equal(result.same, false);
  await assert.rejects(stage.compare({ path: "/none" }), {
    code: "NOT_FOUND",
    message: 'cannot find "/none": neither image has anything there',
  });
});

test("layers that both have at the bottom are not asked for where those above name the same paths", async () => {
  const last = (content: string) =>
    tar(
      directory("etc"),
      file("etc/hosts", content),
      whiteout("etc/motd"),
      directory("srv", { mtime: content.length }),
    );
  const [first, second] = [image([base, own1, last("1")]), image([base, own1, last("22")])];
  await using stage = await setStage(first, second);
  const { differences, result } = await stage.compare();
  assert.deepEqual(kinds(differences), ["etc/hosts: size, content", "srv: time"]);
  assert.deepEqual([stage.blobs(), result.readLayers], [[2, 12], 2]);
  const fetched = [first, second].flatMap(({ manifest, config, layers }) => [manifest, config, ...layers.slice(2)]);
  assert.equal(
    result.fetchedBytes,
    fetched.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  assert.deepEqual(kinds((await stage.compare({ path: "/etc/hosts" })).differences), ["etc/hosts: size, content"]);
  assert.equal((await stage.compare({ path: "/large" })).result.readLayers, 4);
});

describe("what is below does not matter where both images", () => {
  const etc = directory("etc");
  const cases: readonly (readonly [claim: string, first: readonly Uint8Array[], second: readonly Uint8Array[]])[] = [
    ["have a path of their own", [etc, file("etc/motd", "1")], [etc, file("etc/motd", "2", { mode: 0o600 })]],
    ["hide a path", [etc, whiteout("etc/motd"), file("a", "1")], [etc, whiteout("etc/motd"), file("a", "2")]],
    ["hide a path, and one has another there", [etc, whiteout("etc/motd")], [etc, file("etc/motd", "1")]],
    ["hide all in a directory", [etc, opaque("etc")], [etc, opaque("etc"), file("etc/motd", "1")]],
    ["link what they have", [file("a"), hardlink("b", "a")], [file("a"), file("b", "2")]],
    ["have a directory's attributes", [directory("etc", { uid: 1 })], [directory("etc", { uid: 2 })]],
    ["have another type", [etc], [file("etc")]],
    ["describe the root", [directory("./", { uid: 1 })], [directory("./", { uid: 2 })]],
  ];
  for (const [claim, ...layers] of cases) test(claim, () => assertBaseRead(layers, false));
});

describe("what is below matters where only one image", () => {
  const etc = directory("etc");
  const cases: readonly (readonly [claim: string, first: readonly Uint8Array[], second: readonly Uint8Array[]])[] = [
    ["has a path of its own", [etc], [etc, file("etc/motd", "1")]],
    ["has the path of what is below", [etc], [etc, file("etc/motd", "hello")]],
    ["hides a path", [etc, whiteout("etc/motd")], [etc]],
    ["hides all in a directory", [etc, opaque("etc")], [etc]],
    ["hides a directory and makes it anew", [whiteout("etc"), file("etc/motd")], [etc]],
    ["has a directory, and the other hides it", [whiteout("etc")], [etc]],
    ["links into it", [hardlink("b", "etc/motd")], [file("b")]],
    ["does not name a directory on the way", [file("etc/motd", "1")], [etc, file("etc/motd", "2")]],
    ["describes the root", [directory("./", { uid: 1 })], []],
  ];
  for (const [claim, ...layers] of cases) test(claim, () => assertBaseRead(layers, true));
});

/** Asserts whether the base is read for two images on it, and that nothing depends on that. */
function assertBaseRead(layers: readonly (readonly Uint8Array[])[], isRead: boolean): void {
  const [first = [], second = []] = layers.map((layer) => [base, tar(...layer)]);
  const { differences, isBaseRead } = comparedFromTop(first, second, { shared: 1 });
  assert.deepEqual(differences, compared(first, second));
  assert.equal(isBaseRead, isRead);
}

test("what is below matters where a path leads to different places, and where symlinks are kept", () => {
  const [first, second] = ["v1", "v2"].map((name) => [
    tar(file("v1/a", "1"), file("v2/a", "2")),
    tar(directory("v1"), directory("v2"), symlink("now", name)),
  ]) as [Uint8Array[], Uint8Array[]];
  for (const options of [{ path: "now/" }, { keepDirlinks: true }]) {
    const { differences, isBaseRead } = comparedFromTop(first, second, { shared: 1, ...options });
    assert.deepEqual(differences, compared(first, second, options));
    assert.equal(isBaseRead, true);
  }
  assert.equal(comparedFromTop(first, second, { shared: 1 }).isBaseRead, false);
});

describe("what is different", () => {
  const cases: readonly (readonly [
    claim: string,
    first: readonly Uint8Array[],
    second: readonly Uint8Array[],
    expected: string[],
  ])[] = [
    ["content, where size and time are the same", [file("a", "1")], [file("a", "2")], ["a: content"]],
    [
      "not how a hole is written",
      [sparsePax10("a", { runs: [{ offset: 5, content: "data" }], size: 9 })],
      [file("a", "\0\0\0\0\0data")],
      [],
    ],
    ["a type, and nothing below", [directory("a"), file("a/b")], [symlink("a", "b")], ["a: type"]],
    [
      "all that came with a directory",
      [],
      [directory("a"), directory("a/b"), file("a/b/c")],
      ["added a", "added a/b", "added a/b/c"],
    ],
    [
      "a directory's time, unless names came or went",
      [directory("a", { mtime: 1 }), directory("b", { mtime: 1 })],
      [directory("a", { mtime: 2 }), directory("b", { mtime: 2 }), file("b/c")],
      ["a: time", "added b/c"],
    ],
    ["where a symlink leads", [symlink("a", "b")], [symlink("a", "c")], ["a: target"]],
    ["which device it is", [device("a", "character", [1, 3])], [device("a", "character", [1, 5])], ["a: device"]],
    ["owner and mode", [file("a", "", { uid: 1 })], [file("a", "", { gid: 1, mode: 0o4755 })], ["a: mode, owner"]],
    [
      "an attribute's value",
      [file("a", "", { xattrs: { "user.a": "1" } })],
      [file("a", "", { xattrs: { "user.a": "2" } })],
      ["a: xattrs"],
    ],
    [
      "which names are one file",
      [file("a"), hardlink("b", "a"), file("c")],
      [file("a"), file("b"), hardlink("c", "b")],
      ["a: links", "b: links", "c: links"],
    ],
    ["not a further name that only one has", [file("a")], [file("a"), hardlink("b", "a")], ["added b"]],
    ["not the order of names", [file("a"), hardlink("b", "a")], [file("b"), hardlink("a", "b")], []],
  ];
  for (const [claim, first, second, expected] of cases) {
    test(claim, () => assert.deepEqual(between(first, second), expected));
  }
});

test("a path is compared as a container sees it, in each image by its own symlinks", () => {
  const first = [directory("v1"), directory("v1/d"), file("v1/d/a", "1"), symlink("now", "v1")];
  const second = [directory("v2"), directory("v2/d"), file("v2/d/a", "2"), symlink("now", "v2")];
  assert.deepEqual(between(first, second, { path: "now/d" }), ["v2/d/a: content"]);
  assert.deepEqual(between(first, second, { path: "now" }), ["now: target"]);
  assert.deepEqual(between(first, second, { path: "/v1/d/" }), ["removed v1/d", "removed v1/d/a"]);
});

test("what is ignored is not told, and what differs in nothing else is the same", async () => {
  const [first, second] = [
    image([tar(file("a", "1", { mtime: 1 }), file("b", "", { mtime: 1 }))]),
    image([tar(file("a", "2"), file("b"))]),
  ];
  await using stage = await setStage(first, second);
  assert.deepEqual(kinds((await stage.compare({ ignore: ["time"] })).differences), ["a: content"]);
  const { differences, result } = await stage.compare({ ignore: ["time", "content"] });
  assert.deepEqual([differences, result.same], [[], true]);
});

test("names that are not UTF-8 come with their bytes", async () => {
  const name = Buffer.from("caf\xe9", "latin1");
  await using stage = await setStage(image([tar()]), image([tar(file(name))]));
  const [difference] = (await stage.compare()).differences;
  assert.deepEqual([difference?.path, difference?.pathBase64], ["caf\ufffd", name.toString("base64")]);
});

test("images without layers are the same", async () => {
  await using stage = await setStage(image([]), image([], { config: { author: "somebody" } }));
  assert.equal((await stage.compare()).result.same, true);
  assert.deepEqual((await stage.compare({ path: "." })).differences, []);
});

test("the history of another number of layers tells of none", async () => {
  const config = { history: [{ created_by: "FROM scratch" }] };
  await using stage = await setStage(image([base, own1], { config }), image([base, own2]));
  const [difference] = (await stage.compare()).differences;
  assert.ok(difference?.kind === "changed");
  assert.deepEqual([difference.first.createdBy, difference.second.createdBy], [undefined, "layer 1"]);
});

test("an instruction of any length is told once for each difference, but no more than its beginning", async () => {
  const config = { history: [{ created_by: "x".repeat(100_000) }] };
  await using stage = await setStage(image([tar()], { config }), image([tar(file("a"))], { config }));
  const [difference] = (await stage.compare()).differences;
  assert.ok(difference?.kind === "added");
  assert.equal(difference.second.createdBy, `${"x".repeat(4096)}…`);
});

test("layers whose indexes are in a store are not read, and the differences are the same", async () => {
  await using place = await scratch();
  await using stage = await setStage(image(sampleLayers()), image([...sampleLayers().slice(0, 2), own2]));
  const kept = store(join(place.directory, "store"));
  const { differences, result } = await stage.compare();
  for (const readLayers of [result.readLayers, 0]) {
    await using source = storedSource(sourceFor(stage.names[0]), kept);
    const again = await stage.compare({ source });
    assert.deepEqual(again.differences, differences);
    assert.equal(again.result.readLayers, readLayers);
  }
  const before = stage.blobs().length;
  await using unindexed = storedSource(sourceFor(stage.names[0]), kept, { index: false });
  const read = await stage.compare({ source: unindexed });
  assert.deepEqual(read.differences, differences);
  assert.deepEqual([read.result.readLayers, stage.blobs().length], [result.readLayers, before]);
});

test("each image comes from its own source, for its own platform", async () => {
  await using place = await scratch();
  const arm = { os: "linux", architecture: "arm64" };
  const options: ImageOptions = { platform: arm };
  const [first, second] = [image([base]), image([own1], options)];
  await using stage = await setStage(first, first);
  await writeImageLayout(place.directory, [{ tag: "x", images: [second] }]);
  await using secondSource = sourceFor(`oci:${place.directory}:x`);
  const comparison = diff(stage.names[0], `oci:${place.directory}:x`, {
    platform,
    secondPlatform: "linux/arm64",
    secondSource,
  });
  const found: ImageDifference[] = [];
  for await (const difference of comparison) found.push(difference);
  assert.deepEqual(kinds(found), ["etc/hosts: time, size, content", "removed etc/motd", "removed large"]);
  assert.equal((await comparison.result).to.platform.architecture, "arm64");
});

test("no layer is asked for before both images are accepted", async () => {
  await using stage = await setStage(image([base, own1]), image([base, own2]));
  const asked: string[] = [];
  const refused = new Error("not this one");
  const approve = ({ reference }: { readonly reference: string }) => {
    asked.push(reference);
    if (asked.length === 2) throw refused;
  };
  await assert.rejects(stage.compare({ approve }), refused);
  assert.deepEqual([asked, stage.blobs()], [stage.names, []]);
});

test("the images are known before the first difference, and an error reaches whoever waits for anything", async () => {
  await using stage = await setStage(image([base, own1]), image([base, own2]));
  const comparison = diff(...stage.names, { platform });
  for await (const _ of comparison) {
    assert.equal((await comparison.images).from.reference, stage.names[0]);
    break;
  }
  await assert.rejects(comparison.result);
  const failing = diff(stage.names[0], `${stage.registry.host}/none/there`, { platform });
  await assert.rejects(failing[Symbol.asyncIterator]().next(), { code: "NOT_FOUND" });
  await assert.rejects(failing.images, { code: "NOT_FOUND" });
  await assert.rejects(failing.result, { code: "NOT_FOUND" });
});

test("an abort ends a comparison with its reason", async () => {
  await using stage = await setStage(image([base, own1]), image([base, own2]));
  const abort = new AbortController();
  const onEvent = ({ type }: { readonly type: string }) => {
    if (type === "layer-started") abort.abort(new Error("enough"));
  };
  await assert.rejects(stage.compare({ signal: abort.signal, onEvent }), { message: "enough" });
});

test("what both trees take is counted together", async () => {
  const many = (prefix: string) => tar(...Array.from({ length: 2000 }, (_, index) => file(`${prefix}${index}`)));
  const limits = { memoryBytes: 800_000 };
  await using stage = await setStage(image([many("a")]), image([many("b")]));
  await assert.rejects(stage.compare({ limits }), {
    code: "LIMIT_EXCEEDED",
    details: { limit: "memoryBytes", allowed: 800_000, layer: 0 },
  });
  await using place = await scratch();
  await unpack(stage.names[0], join(place.directory, "alone"), { platform, limits, include: ["a1"] });
});

test("what does not fit in memory while layers below are missing is merged from the bottom up", async () => {
  const often = Array.from({ length: 2000 }, (_, index) => file("a", `${index}`));
  const top = tar(hardlink("b", "large"), file("large", "new"), ...often);
  await using stage = await setStage(image([base, own1]), image([base, top]));
  const { differences, result } = await stage.compare({ limits: { memoryBytes: 400_000 } });
  assert.deepEqual([stage.blobs(), result.readLayers], [[1, 11, 0, 1, 11], 3]);
  assert.deepEqual((await stage.compare()).differences, differences);
});

test("no layer is read twice where only the attempt to do without those below does not fit in memory", async () => {
  const many = (mode: number) => tar(...Array.from({ length: 1000 }, (_, index) => file(`a${index}`, "1", { mode })));
  await using stage = await setStage(image([base, many(0o644)]), image([base, many(0o600)]));
  const { result } = await stage.compare({ limits: { memoryBytes: 800_000 } });
  assert.deepEqual([stage.blobs(), result.differenceCount], [[1, 11, 0], 1000]);
  assert.equal((await stage.compare()).result.readLayers, 2);
});

test("what hard links take is counted too", async () => {
  const names = Array.from({ length: 2000 }, (_, index) => `b${index}`);
  const linked = [file("a"), ...names.map((name) => hardlink(name, "a"))];
  const limits = { memoryBytes: 650_000 };
  await using stage = await setStage(image([tar(...linked)]), image([tar(...linked, file("c"))]));
  await assert.rejects(stage.compare({ limits }), { code: "LIMIT_EXCEEDED", message: /the image's hard links/ });
});
