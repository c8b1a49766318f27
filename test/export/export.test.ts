import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { type ExportOptions, type ExportResult, exportRootfs, unpack } from "../../src/index.ts";
import { encodings, type Image, image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer, hangAfter, withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";
import { skipUnlessMounting, skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

const sample = image(sampleLayers());
const top = new RegExp(sample.layers.at(-1)?.descriptor.digest ?? "");
const platform = "linux/amd64";

interface Stage extends AsyncDisposable {
  readonly place: Scratch;
  readonly registry: RegistryDouble;
  readonly reference: string;
  readonly path: string;
  exported(options?: ExportOptions): Promise<ExportResult>;
}

async function setStage(one: Image = sample): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", one);
  const path = join(place.directory, "a.tar");
  return {
    place,
    registry,
    reference,
    path,
    exported: (options) => exportRootfs(reference, path, { platform, ...options }),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

test("tar makes of the archive what unpacking makes of the image", {
  skip: skipUnlessRoot() || skipWithout("tar"),
}, async () => {
  await using stage = await setStage();
  const { directory } = stage.place;
  const exported = await stage.exported();
  const unpacked = await unpack(stage.reference, join(directory, "unpacked"), { platform });
  const root = join(directory, "root");
  await mkdir(root);
  execFileSync("tar", ["-x", "--xattrs", "--xattrs-include=*", "-f", stage.path, "-C", root], { stdio: "pipe" });
  assert.deepEqual(readTree(root), readTree(unpacked.rootfs));
  const { rootfs: _rootfs, config: _config, milliseconds: _unpacking, ...told } = unpacked;
  const { bytes, form: _form, file: path, milliseconds: _exporting, ...alsoTold } = exported;
  assert.deepEqual(alsoTold, told);
  assert.deepEqual({ bytes, path }, { bytes: (await readFile(stage.path)).length, path: stage.path });
});

test("however layers are compressed, and wherever the archive goes, its bytes are the same", async () => {
  const archives: Buffer[] = [];
  for (const encoding of half(encodings)) {
    await using stage = await setStage(image(sampleLayers(), { encoding }));
    await stage.exported();
    archives.push(await readFile(stage.path));
    const stream = new PassThrough();
    const arrived = collected(stream);
    const { file, bytes } = await exportRootfs(stage.reference, stream, { platform });
    stream.end();
    archives.push(await arrived);
    assert.deepEqual({ file, bytes }, { file: undefined, bytes: archives[0]?.length });
  }
  for (const archive of archives) assert.ok(archive.equals(archives[0] ?? Buffer.alloc(0)));
});

async function collected(stream: PassThrough): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("what the image gives no time gets the time that the caller says", async () => {
  await using stage = await setStage(image([tar(file("d/a", "1", { mtime: 5 }))]));
  await stage.exported({ sourceDateEpoch: 1234 });
  const listed = execFileSync("tar", ["-tvf", stage.path, "--utc", "--full-time"], { encoding: "utf8" });
  assert.deepEqual(listed.match(/1970-\S+ \S+ \S+/g), [
    ...["1970-01-01 00:20:34 ./", "1970-01-01 00:20:34 d/", "1970-01-01 00:00:05 d/a"],
  ]);
});

describe("before everything is verified, nothing can be seen of the archive", () => {
  const wrong = image(sampleLayers(), { diffIds: sample.layers.map(() => `sha256:${"0".repeat(64)}`) });
  for (const [what, one, code] of [
    ["a wrong diffID", wrong, "DIFF_ID_MISMATCH"],
    ["a wrong digest", sample, "DIGEST_MISMATCH"],
    ["a missing blob", sample, "NOT_FOUND"],
  ] as const) {
    test(`${what} leaves no file, and nothing in a stream`, async () => {
      await using stage = await setStage(one);
      const disturb = () => {
        if (what === "a wrong digest")
          stage.registry.next(
            top,
            withBody((bytes) => bytes.map((byte) => byte ^ 1)),
          );
        if (what === "a missing blob") stage.registry.next(top, answer(404));
      };
      disturb();
      await assert.rejects(stage.exported(), { code });
      assert.deepEqual(await readdir(stage.place.directory), []);
      const stream = new PassThrough();
      disturb();
      await assert.rejects(exportRootfs(stage.reference, stream, { platform }), { code });
      assert.equal(stream.readableLength, 0);
    });
  }
});

test("an abort while blobs come leaves no file", async () => {
  await using stage = await setStage();
  stage.registry.next(top, hangAfter(10));
  const controller = new AbortController();
  const reason = new Error("enough");
  const onEvent = ({ type }: { readonly type: string }) => {
    if (type === "downloaded") controller.abort(reason);
  };
  await assert.rejects(stage.exported({ signal: controller.signal, onEvent }), (error) => error === reason);
  assert.deepEqual(await readdir(stage.place.directory), []);
});

test("an abort while nobody reads the archive ends the call at once", { timeout: 120_000 }, async () => {
  await using stage = await setStage(image([tar(file("large", "x".repeat(8_000_000)))]));
  const controller = new AbortController();
  const reason = new Error("enough");
  const stream = new PassThrough();
  stream.once("readable", () => setTimeout(() => controller.abort(reason), 50));
  const exporting = exportRootfs(stage.reference, stream, { platform, signal: controller.signal });
  await assert.rejects(exporting, (error) => error === reason);
  stream.destroy();
});

test("what stands where the archive is to be stays as it is", async () => {
  await using stage = await setStage();
  await writeFile(stage.path, "precious");
  await assert.rejects(stage.exported(), { code: "TARGET_NOT_EMPTY" });
  assert.equal(await readFile(stage.path, "utf8"), "precious");
  assert.deepEqual(stage.registry.requests, []);
});

test("a full disk leaves no file", { skip: skipUnlessMounting() }, async () => {
  await using stage = await setStage();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", stage.place.directory]);
  try {
    await assert.rejects(stage.exported(), { code: "NO_SPACE" });
    assert.deepEqual(await readdir(stage.place.directory), []);
  } finally {
    execFileSync("umount", [stage.place.directory]);
  }
});

test("a layer that would need more memory than is allowed is refused", async () => {
  await using stage = await setStage();
  await assert.rejects(stage.exported({ limits: { memoryBytes: 5000 } }), {
    code: "LIMIT_EXCEEDED",
    hint: /memoryBytes/,
  });
});
