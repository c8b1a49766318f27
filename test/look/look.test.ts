import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { formatPlatform, inspect, type LookOptions, list, type ReadResult, read } from "../../src/index.ts";
import { eventually } from "../support/eventually.ts";
import { type Image, image, imageIndex, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { inspectImage } from "../support/inspect-image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { hangAfter, withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";

const platform = "linux/amd64";
const base = tar(
  directory("etc"),
  file("etc/hostname", "base"),
  file("large", "x".repeat(3_000_000)),
  directory("usr"),
);
const middle = tar(directory("etc"), file("etc/motd", "welcome", { uid: 5, mode: 0o600 }));
const newest = tar(directory("etc"), symlink("etc/issue", "motd"), whiteout("etc/hostname"), file("etc/empty"));
const three = image([base, middle, newest]);

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly reference: string;
  /** Which layers were asked for, the bottom one being 0. */
  blobs(): number[];
  content(path: string, options?: LookOptions): Promise<{ readonly text: string; readonly result: ReadResult }>;
}

async function setStage(one: Image = three): Promise<Stage> {
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", one);
  return {
    registry,
    reference,
    blobs: () =>
      registry.requests.flatMap(({ path }) => {
        const layer = one.layers.findIndex(({ descriptor }) => path.endsWith(descriptor.digest));
        return layer < 0 ? [] : [layer];
      }),
    async content(path, options) {
      const reading = read(reference, path, { platform, ...options });
      const text = (await buffer(reading)).toString("latin1");
      return { text, result: await reading.result };
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

describe("a file is read out of the newest layer that has it", () => {
  test("and no lower layer is asked for", async () => {
    await using stage = await setStage();
    const { text, result } = await stage.content("/etc/issue");
    assert.equal(text, "welcome");
    assert.deepEqual(stage.blobs(), [2, 1]);
    const { entry, readLayers, layers, digest, fetchedBytes } = result;
    const { path, type, uid, mode, sizeBytes, layer } = entry;
    assert.deepEqual(
      { path, type, uid, mode, sizeBytes, layer },
      { path: "etc/motd", type: "file", uid: 5, mode: 0o600, sizeBytes: 7, layer: 1 },
    );
    assert.deepEqual(
      { readLayers, layers, digest },
      { readLayers: 2, layers: 3, digest: three.manifest.descriptor.digest },
    );
    const parts = [three.manifest, three.config, ...three.layers.slice(1)];
    assert.equal(
      fetchedBytes,
      parts.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
  });

  test("nor one above it twice, however large the file", async () => {
    await using stage = await setStage();
    const { text } = await stage.content("large");
    assert.equal(text, "x".repeat(3_000_000));
    assert.deepEqual(stage.blobs(), [2, 1, 0]);
  });

  test("also an empty one", async () => {
    await using stage = await setStage();
    assert.equal((await stage.content("etc/../etc/empty")).text, "");
    assert.deepEqual(stage.blobs(), [2]);
  });

  test("with its holes filled, under whichever of its names", async () => {
    const holed = { runs: [{ offset: 5, content: "data" }], size: 600_000 };
    await using stage = await setStage(image([tar(sparsePax10("a", holed), hardlink("b", "a"))]));
    assert.equal((await stage.content("b")).text, `\0\0\0\0\0data${"\0".repeat(599_991)}`);
  });

  test("from a layer that stands twice in the image", async () => {
    await using stage = await setStage(image([base, middle, base]));
    assert.equal((await stage.content("etc/hostname")).text, "base");
    await assert.rejects(stage.content("etc/none"), { code: "NOT_FOUND" });
    assert.deepEqual(stage.blobs(), [0, 0, 1], "the third time it is at hand");
  });
});

test("what is no file, or not there, is said to be so, and there are no bytes of it", async () => {
  await using stage = await setStage();
  for (const [path, code, message] of [
    ["/etc", "NOT_A_FILE", 'cannot read "/etc": it is a directory'],
    ["/etc/hostname", "NOT_FOUND", 'cannot find "/etc/hostname": the image has nothing there'],
    ["/etc/motd/", "NOT_FOUND", 'cannot find "/etc/motd/": the image has nothing there'],
  ] as const) {
    const reading = read(stage.reference, path, { platform });
    await assert.rejects(reading[Symbol.asyncIterator]().next(), { code, message });
    await assert.rejects(reading.result, { code, message });
  }
});

test("a path that goes in circles, or has a name that is too long, leads to nothing", async () => {
  await using stage = await setStage(image([tar(symlink("one", "two"), symlink("two", "one"))]));
  for (const path of ["one/file", "one/", "n".repeat(300)]) {
    await assert.rejects(stage.content(path), { code: "NOT_FOUND" });
    await assert.rejects(list(stage.reference, `${path}/`, { platform }), { code: "NOT_FOUND" });
  }
  assert.deepEqual((await list(stage.reference, "one", { platform })).entries[0]?.linkTarget, "two");
});

test("a layer is believed only when its digest and diffID are right", async () => {
  const wrong = image([base, middle, newest], {
    diffIds: [base, middle, newest].map(() => `sha256:${"0".repeat(64)}`),
  });
  await using lying = await setStage(wrong);
  await assert.rejects(lying.content("etc/empty"), { code: "DIFF_ID_MISMATCH", message: /^layer 3: / });
  await using tampered = await setStage();
  const top = new RegExp(three.layers.at(-1)?.descriptor.digest ?? "");
  tampered.registry.next(
    top,
    withBody((bytes) => bytes.map((byte) => byte ^ 1)),
  );
  await assert.rejects(tampered.content("etc/empty"), { code: "DIGEST_MISMATCH" });
});

test("a directory is listed with all layers merged, each entry with the layer that it is from", async () => {
  await using stage = await setStage();
  const { entries, readLayers } = await list(stage.reference, "etc", { platform });
  assert.deepEqual(
    entries.map(({ path, type, layer, linkTarget }) => [path, type, layer, linkTarget]),
    [
      ["etc/empty", "file", 2, undefined],
      ["etc/issue", "symlink", 2, "motd"],
      ["etc/motd", "file", 1, undefined],
    ],
  );
  assert.equal(readLayers, 3);
});

test("a listing goes down as far as it is told, in the order of names", async () => {
  await using stage = await setStage();
  const paths = async (path: string, recursive: boolean) => {
    return (await list(stage.reference, path, { platform, recursive })).entries.map((entry) => entry.path);
  };
  assert.deepEqual(await paths("/", false), ["etc", "large", "usr"]);
  assert.deepEqual(await paths("/", true), ["etc", "etc/empty", "etc/issue", "etc/motd", "large", "usr"]);
  assert.deepEqual(await paths("/etc/issue", true), ["etc/issue"]);
  assert.deepEqual(await paths("/usr/", true), []);
});

test("a listing that takes more memory than is allowed is refused, although its tree does not", async () => {
  const deep = Array.from({ length: 16 }, (_, n) => `${n}${"x".repeat(240)}`).join("/");
  await using stage = await setStage(image([tar(...Array.from({ length: 300 }, (_, n) => file(`${deep}/${n}`, "1")))]));
  const options = { platform, limits: { memoryBytes: 500_000 } };
  await assert.rejects(list(stage.reference, "/", { ...options, recursive: true }), {
    code: "LIMIT_EXCEEDED",
    message: /listing/,
  });
  assert.equal((await list(stage.reference, "/", options)).entries.length, 1);
});

test("a tree and its listing are within memoryBytes together, also where layers are read in vain", async () => {
  const files = Array.from({ length: 300 }, (_, n) => file(`d/${n}`, "1"));
  await using stage = await setStage(image([tar(...files), tar(file("other", "2")), tar(whiteout("d/1"))]));
  const listed = (memoryBytes: number) => {
    return list(stage.reference, "/", { platform, recursive: true, limits: { memoryBytes } });
  };
  await assert.rejects(listed(120_000), { code: "LIMIT_EXCEEDED", message: /listing/ });
  assert.equal((await listed(170_000)).entries.length, 301);
});

test("names that are not UTF-8 come with their bytes", async () => {
  await using stage = await setStage(image([tar(file(Uint8Array.of(0x61, 0xff), "1"))]));
  const [entry] = (await list(stage.reference, "/", { platform })).entries;
  assert.deepEqual([entry?.path, entry?.pathBase64], ["a\ufffd", "Yf8="]);
});

test("an image of all that layers can say can be listed whole", async () => {
  await using stage = await setStage(image(sampleLayers()));
  const { entries } = await list(stage.reference, "/", { platform, recursive: true });
  assert.ok(entries.length > 40);
  assert.deepEqual(new Set(entries.map(({ layer }) => layer)), new Set([0, 1, 2, 3]));
  assert.deepEqual(entries.find(({ path }) => path === "bin/ping")?.xattrs, ["security.capability"]);
});

test("an image without layers has nothing in it", async () => {
  await using stage = await setStage(image([]));
  assert.deepEqual((await list(stage.reference, "/", { platform })).entries, []);
});

test("inspecting fetches documents and nothing else", async () => {
  await using stage = await setStage();
  const inspected = await inspectImage(stage.reference, { platform });
  assert.equal(inspected.digest, three.manifest.descriptor.digest);
  assert.deepEqual(
    inspected.layers.map(({ descriptor }) => descriptor.digest),
    three.layers.map(({ descriptor }) => descriptor.digest),
  );
  assert.equal(inspected.fetchedBytes, three.manifest.bytes.length + three.config.bytes.length);
  assert.deepEqual(stage.blobs(), []);
});

test("inspecting an index with nothing for this machine tells of the first image, and what there is", async () => {
  await using place = await scratch();
  const [first, second] = ["mips64le", "loong64"].map((architecture) =>
    image([base], { platform: { os: "plan9", architecture } }),
  );
  assert.ok(first && second);
  await writeImageLayout(place.directory, [
    { tag: "x", images: [first, second], index: imageIndex([first, second, first]) },
  ]);
  const name = `oci:${place.directory}:x`;
  const warnings: unknown[] = [];
  const inspected = await inspectImage(name, {
    onEvent: (event) => {
      if (event.type === "warning") warnings.push(event.code);
    },
  });
  assert.equal(inspected.digest, first.manifest.descriptor.digest);
  assert.deepEqual(inspected.platforms.map(formatPlatform), ["plan9/mips64le", "plan9/loong64"]);
  assert.deepEqual(warnings, ["PLATFORM_DIFFERS"]);
  await assert.rejects(inspect(name, { platform: "linux/riscv64" }), { code: "PLATFORM_NOT_FOUND" });
  await assert.rejects(list(name), { code: "PLATFORM_NOT_FOUND" });
});

test("the layer of a listed entry is found by its number in what inspecting tells", async () => {
  await using stage = await setStage();
  const { entries } = await list(stage.reference, "/etc/motd", { platform });
  const { layers } = await inspectImage(stage.reference, { platform });
  assert.equal(layers[entries[0]?.layer ?? -1]?.descriptor.digest, three.layers[1]?.descriptor.digest);
});

test("an abort while a layer comes ends a look at once", { timeout: 120_000 }, async () => {
  await using stage = await setStage();
  stage.registry.next(new RegExp(three.layers.at(-1)?.descriptor.digest ?? ""), hangAfter(10));
  const controller = new AbortController();
  const reason = new Error("enough");
  const onEvent = ({ type }: { readonly type: string }) => {
    if (type === "sandbox") setTimeout(() => controller.abort(reason), 100);
  };
  const reading = stage.content("etc/motd", { signal: controller.signal, onEvent });
  await assert.rejects(reading, (error) => error === reason);
});

test("an abort while nobody takes the file's data ends a look at once", { timeout: 120_000 }, async () => {
  await using stage = await setStage();
  const controller = new AbortController();
  const reason = new Error("enough");
  const reading = read(stage.reference, "large", { platform, signal: controller.signal });
  const chunks = reading[Symbol.asyncIterator]();
  assert.equal((await chunks.next()).done, false);
  controller.abort(reason);
  await assert.rejects(reading.result, (error) => error === reason);
  await assert.rejects(
    async () => {
      while ((await chunks.next()).done !== true);
    },
    (error) => error === reason,
  );
});

test("whoever takes no more of a file ends everything that was opened for it", async () => {
  await using stage = await setStage();
  const reading = read(stage.reference, "large", { platform });
  for await (const chunk of reading) {
    assert.ok(chunk.length > 0);
    break;
  }
  await assert.rejects(reading.result, { name: "AbortError" });
  await eventually(
    () => stage.registry.openConnections === 0,
    () => `${stage.registry.openConnections} connections stay open`,
  );
});

test("chunks of a file stay as they were, however long they are held", async () => {
  await using stage = await setStage();
  const { text } = await stage.content("large");
  const held: Uint8Array[] = [];
  for await (const chunk of read(stage.reference, "large", { platform })) held.push(chunk);
  assert.equal(Buffer.concat(held).toString("latin1"), text);
});

test("when the answer is known, nothing is read any more and no connection is left", async () => {
  await using stage = await setStage();
  const { result } = await stage.content("/etc/empty");
  const newestBytes = three.layers.at(-1)?.bytes.length ?? 0;
  assert.equal(result.fetchedBytes, three.manifest.bytes.length + three.config.bytes.length + newestBytes);
  await eventually(
    () => stage.registry.openConnections === 0,
    () => `${stage.registry.openConnections} connections stay open`,
  );
  assert.deepEqual(stage.blobs(), [2]);
});
