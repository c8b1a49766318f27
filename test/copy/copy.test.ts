import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import { type CopyForm, type CopyOptions, copy, unpack } from "../../src/index.ts";
import { distinctBytes } from "../source/pulling.ts";
import { output } from "../support/command.ts";
import { blobsOf, type Image, image, imageIndex, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer, hangAfter, withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { skipUnlessMounting, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

const amd64 = image(sampleLayers());
const arm64 = image(sampleLayers().slice(1), { platform: { os: "linux", architecture: "arm64" } });
const index = imageIndex([amd64, arm64]);
const top = amd64.layers.at(-1)?.descriptor.digest ?? "";
const skip = skipWithout("skopeo");

interface Stage extends AsyncDisposable {
  readonly place: Scratch;
  readonly registry: RegistryDouble;
  readonly reference: string;
  /** Copies to a name in the scratch directory and gives its path. */
  copied(form: CopyForm, options?: CopyOptions): Promise<string>;
}

async function setStage(one: Image = amd64): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", one);
  for (const { bytes, descriptor } of blobsOf(arm64)) registry.addBlob(bytes, descriptor.mediaType);
  registry.addManifest("some/image", undefined, arm64.manifest.bytes);
  registry.addManifest("some/image", "both", index.bytes, index.descriptor.mediaType);
  return {
    place,
    registry,
    reference,
    async copied(form, options = {}) {
      const path = join(place.directory, form);
      const name = options.allPlatforms ? reference.replace(/latest$/, "both") : reference;
      await copy(name, path, { platform: "linux/amd64", form, ...options });
      return path;
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

const skopeo = (...args: readonly string[]) => output("skopeo", ["--insecure-policy", ...args]);
const transports: readonly (readonly [CopyForm, string])[] = [
  ["layout", "oci"],
  ["oci-archive", "oci-archive"],
];

describe("skopeo finds in a copy what was in the registry", { skip }, () => {
  for (const [form, transport] of transports) {
    test(`as ${form}`, async () => {
      await using stage = await setStage();
      const path = await stage.copied(form);
      const raw = await skopeo("inspect", "--raw", `${transport}:${path}:latest`);
      assert.equal(raw, Buffer.from(amd64.manifest.bytes).toString());
      const back = join(stage.place.directory, "back");
      await skopeo("copy", "-q", "--preserve-digests", `${transport}:${path}:latest`, `dir:${back}`);
      assert.deepEqual(await filesOf(back), expectedInDir(amd64));
    });

    test(`as ${form}, for all platforms`, async () => {
      await using stage = await setStage();
      const path = await stage.copied(form, { allPlatforms: true });
      const raw = await skopeo("inspect", "--raw", `${transport}:${path}:both`);
      assert.equal(raw, Buffer.from(index.bytes).toString());
      const back = join(stage.place.directory, "back");
      await skopeo("copy", "-q", "--all", "--preserve-digests", `${transport}:${path}:both`, `dir:${back}`);
      const files = await filesOf(back);
      for (const one of [amd64, arm64]) {
        for (const { descriptor } of [one.config, ...one.layers]) assert.ok(files.includes(hexOf(descriptor.digest)));
      }
    });
  }

  test("as docker-archive", async () => {
    await using stage = await setStage();
    const path = await stage.copied("docker-archive");
    const config = await skopeo("inspect", "--config", "--raw", `docker-archive:${path}:${stage.reference}`);
    assert.equal(config, Buffer.from(amd64.config.bytes).toString());
    const back = join(stage.place.directory, "back");
    await skopeo("copy", "-q", `docker-archive:${path}`, `oci:${back}:x`);
    const { rootfs } = await unpack(`oci:${back}:x`, join(stage.place.directory, "t"), { platform: "linux/amd64" });
    const original = await unpack(stage.reference, join(stage.place.directory, "o"), { platform: "linux/amd64" });
    assert.deepEqual(readTree(rootfs), readTree(original.rootfs));
  });
});

test("a copy tells of the image's layers, and of nothing else as a layer", async () => {
  await using stage = await setStage();
  const events: OciUnpackEvent[] = [];
  await stage.copied("layout", { onEvent: (event) => void events.push(event) });
  const resolved = events.flatMap((event) => (event.type === "resolved" ? [event.layers.length] : []));
  assert.deepEqual(resolved, [amd64.layers.length]);
  const numbers = events.flatMap((event) => ("layer" in event ? [event.layer] : []));
  assert.deepEqual(
    [...new Set(numbers)].sort(),
    amd64.layers.map((_, layer) => layer),
  );
});

test("a copy is unpacked like the original, with the same digest", async () => {
  await using stage = await setStage();
  for (const form of ["layout", "oci-archive", "docker-archive"] as const) {
    const path = await stage.copied(form);
    const name = `${form === "layout" ? "oci" : form}:${path}`;
    const { digest, entries } = await unpack(name, join(stage.place.directory, `of-${form}`), {
      platform: "linux/amd64",
    });
    assert.equal(digest, amd64.manifest.descriptor.digest);
    assert.ok(entries > 40);
  }
});

test("what came out of a stream stays as it was, however long it is held", async () => {
  const layers = Array.from({ length: 8 }, (_, layer) => tar(file(`f${layer}`, distinctBytes(300_000))));
  await using stage = await setStage(image(layers));
  const path = await stage.copied("oci-archive");
  const stream = new PassThrough({ highWaterMark: 64 * 1024 * 1024 });
  await copy(stage.reference, stream, { platform: "linux/amd64", form: "oci-archive" });
  stream.end();
  const held: Buffer[] = await stream.toArray();
  assert.ok(Buffer.concat(held).equals(await readFile(path)));
});

test("the same image always makes the same archive, in a file as in a stream", async () => {
  await using stage = await setStage();
  const file = await readFile(await stage.copied("oci-archive"));
  const stream = new PassThrough();
  const arrived = (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  })();
  await copy(stage.reference, stream, { platform: "linux/amd64", form: "oci-archive" });
  stream.end();
  assert.ok(file.equals(await arrived));
});

test("an image with zstd layers and Docker's media types is copied as it is", async () => {
  const docker = image(sampleLayers(), { encoding: "gzip", mediaTypes: "docker" });
  await using stage = await setStage(docker);
  const path = await stage.copied("layout");
  const { manifests } = JSON.parse(await readFile(join(path, "index.json"), "utf8"));
  const { mediaType, digest, size } = docker.manifest.descriptor;
  assert.deepEqual(manifests, [
    {
      ...{ mediaType, digest, size },
      annotations: {
        "org.opencontainers.image.ref.name": "latest",
        "io.containerd.image.name": stage.reference,
      },
    },
  ]);
});

test("a docker archive has room for one platform", async () => {
  await using stage = await setStage();
  await assert.rejects(stage.copied("docker-archive", { allPlatforms: true }), { code: "INVALID_OPTION" });
  assert.deepEqual(await readdir(stage.place.directory), []);
});

for (const form of ["layout", "oci-archive"] as const) {
  test(`a blob that is wrong or missing leaves nothing of a copy as ${form}`, async () => {
    await using stage = await setStage();
    stage.registry.next(
      new RegExp(top),
      withBody((bytes) => bytes.map((byte) => byte ^ 1)),
    );
    await assert.rejects(stage.copied(form), { code: "DIGEST_MISMATCH" });
    assert.deepEqual(await readdir(stage.place.directory), []);
    stage.registry.next(new RegExp(top), answer(404));
    await assert.rejects(stage.copied(form), { code: "NOT_FOUND" });
    assert.deepEqual(await readdir(stage.place.directory), []);
  });

  test(`an abort leaves nothing of a copy as ${form}`, async () => {
    await using stage = await setStage();
    stage.registry.next(new RegExp(top), hangAfter(10));
    const reason = new Error("enough");
    const controller = new AbortController();
    const onEvent = ({ type }: { readonly type: string }) => {
      if (type === "downloaded") controller.abort(reason);
    };
    const copying = stage.copied(form, { signal: controller.signal, onEvent });
    await assert.rejects(copying, (error) => error === reason);
    assert.deepEqual(await readdir(stage.place.directory), []);
  });

  test(`what stands where a copy as ${form} is to be stays as it is`, async () => {
    await using stage = await setStage();
    const path = join(stage.place.directory, form);
    if (form === "layout") await mkdir(path);
    const mine = form === "layout" ? join(path, "mine") : path;
    await writeFile(mine, "precious");
    await assert.rejects(stage.copied(form), { code: "TARGET_NOT_EMPTY" });
    assert.equal(await readFile(mine, "utf8"), "precious");
    assert.deepEqual(stage.registry.requests, []);
  });

  test(`a full disk leaves nothing of a copy as ${form}`, { skip: skipUnlessMounting() }, async () => {
    await using stage = await setStage(image(sampleLayers(), { encoding: "plain" }));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", stage.place.directory]);
    try {
      await assert.rejects(stage.copied(form), { code: "NO_SPACE" });
      assert.deepEqual(await readdir(stage.place.directory), []);
    } finally {
      execFileSync("umount", [stage.place.directory]);
    }
  });
}

async function filesOf(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).sort();
}

/** What skopeo's `dir:` holds of an image: blobs by their digests' hexadecimal parts. */
function expectedInDir({ config, layers }: Image): readonly string[] {
  const blobs = [config, ...layers].map(({ descriptor }) => hexOf(descriptor.digest));
  return [...blobs, "manifest.json", "version"].sort();
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}

test("a layout that a killed process left unfinished is told as such", async () => {
  await using stage = await setStage();
  const path = join(stage.place.directory, "layout");
  await mkdir(join(path, ".copy-AbCdEf"), { recursive: true });
  await assert.rejects(stage.copied("layout"), {
    code: "TARGET_NOT_EMPTY",
    hint: /one was killed: remove the directory/,
  });
  await writeFile(join(path, "mine"), "precious");
  await assert.rejects(stage.copied("layout"), { code: "TARGET_NOT_EMPTY", hint: /^name a directory/ });
});
