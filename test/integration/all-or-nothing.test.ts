import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ErrorCode } from "../../src/index.ts";
import { output } from "../support/command.ts";
import { blob, type Image, image, stored } from "../support/image.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { type ProbeReport, type ProbeRequest, probe } from "../support/probe.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answer, closeAfter, drip, type Fault, hangAfter, type Reply, withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half, third } from "../support/thorough.ts";
import { skipUnlessMounting } from "../support/tools.ts";

/** A way to go wrong. By default the image is the sample, and the fault befalls its uppermost layer. */
interface ErrorReport {
  readonly title: string;
  readonly code: ErrorCode;
  readonly image?: Image;
  readonly fault?: Fault;
}

const layers = sampleLayers();
const sample = image(layers);

/** More than waits in memory on the way of a blob. */
const largeLayer = tar(file("large", randomBytes(16 * 1024 * 1024)));
const large = image([largeLayer]);
const largePlain = image([largeLayer], { encoding: "plain" });

const failures: readonly ErrorReport[] = [
  { title: "a layer with other bytes than its digest says", code: "DIGEST_MISMATCH", fault: withBody(lastByteChanged) },
  { title: "a layer whose first bytes are others", code: "DIGEST_MISMATCH", image: large, fault: withBody(noGzip) },
  {
    title: "a layer that is no archive any more",
    code: "DIGEST_MISMATCH",
    image: largePlain,
    fault: withBody(noHeader),
  },
  { title: "a layer that is longer than stated", code: "SIZE_MISMATCH", fault: withBody(oneByteMore) },
  { title: "a layer that the registry does not have", code: "NOT_FOUND", fault: answer(404) },
  { title: "a layer that is not what the configuration says", code: "DIFF_ID_MISMATCH", image: wrongDiffId() },
  { title: "a layer whose compressed stream stops short", code: "CORRUPT_LAYER", image: withTopLayer(truncated) },
  { title: "a layer that is no archive", code: "INVALID_ARCHIVE", image: image([...layers, nonsense()]) },
  { title: "an archive that stops within a file", code: "INVALID_ARCHIVE", image: image([...layers, cutWithinFile()]) },
  { title: "an entry that leads out of the image", code: "ENTRY_REFUSED", image: escaping() },
  { title: "a configuration that states one diffID too few", code: "INVALID_CONFIG", image: oneDiffIdTooFew() },
];

for (const { title, code, image: failing = sample, fault } of third(failures)) {
  test(`${title} leaves nothing behind`, async () => {
    await using stage = await setStage(failing);
    const top = failing.layers.at(-1)?.descriptor.digest;
    if (fault !== undefined) stage.registry.always(new RegExp(`/blobs/${top}`), fault);

    const { outcome } = await stage.probeLeavingNothing();

    assert.equal(outcome.type === "failed" ? outcome.code : outcome.type, code, JSON.stringify(outcome));
  });
}

for (const milliseconds of third([0, 10, 20, 30, 40, 60, 80])) {
  test(`a failure ${milliseconds} ms after the threads began to start leaves nothing behind`, async () => {
    await using stage = await setStage(sample);
    stage.registry.always(/\/manifests\//, (_, request) => drip(1, milliseconds)(noSuchImage, request));
    const { outcome } = await stage.probeLeavingNothing();
    assert.equal(outcome.type === "failed" && outcome.code, "NOT_FOUND", JSON.stringify(outcome));
  });
}

test("an abort between two layers leaves nothing behind and rejects with the signal's own reason", async () => {
  await using stage = await setStage(sample);
  const { outcome } = await stage.probeLeavingNothing({ end: { at: "layer-finished", how: "abort" } });
  assert.deepEqual(outcome, { type: "aborted" });
});

test("an abort while a blob arrives leaves nothing behind, no connection either", async () => {
  await using stage = await setStage(sample);
  stage.registry.always(/\/blobs\//, (reply, request) => {
    const isConfig = request.path.endsWith(sample.config.descriptor.digest);
    return isConfig ? reply : hangAfter(100)(reply, request);
  });
  const { outcome } = await stage.probeLeavingNothing({ end: { at: "layer-started", how: "abort" } });
  assert.deepEqual(outcome, { type: "aborted" });
});

test("a listener that throws ends the unpacking with its own error and leaves nothing behind", async () => {
  await using stage = await setStage(sample);
  const { outcome } = await stage.probeLeavingNothing({ end: { at: "layer-finished", how: "throw" } });
  assert.deepEqual(outcome, { type: "failed", message: "Error: the listener had enough" });
});

test("a registry that keeps breaking off leaves nothing behind", async () => {
  await using stage = await setStage(sample);
  stage.registry.always(/\/blobs\//, closeAfter(10));
  const { outcome } = await stage.probeLeavingNothing({ retries: 1 });
  assert.equal(outcome.type, "failed", JSON.stringify(outcome));
});

test("a registry that dies in the middle of a layer leaves nothing behind", async () => {
  await using stage = await setStage(sample);
  const top = sample.layers.at(-1)?.descriptor.digest;
  stage.registry.always(new RegExp(`/blobs/${top}`), (reply, request) => {
    setImmediate(() => stage.registry[Symbol.asyncDispose]());
    return hangAfter(100)(reply, request);
  });
  const { outcome } = await stage.probeLeavingNothing();
  assert.equal(outcome.type === "failed" && outcome.code, "UNREACHABLE", JSON.stringify(outcome));
});

test("a success leaves the root filesystem and the configuration, and nothing in the process", async () => {
  await using stage = await setStage(sample);
  const report = await stage.probe();
  assert.equal(report.outcome.type, "unpacked", JSON.stringify(report.outcome));
  assert.deepEqual(await readdir(stage.target), ["config.json", "rootfs"]);
  assert.equal((await stat(stage.target)).mode & 0o7777, 0o700);
  assert.deepEqual(report.after, report.before);
});

test("a directory that existed, empty, is still there and still empty", async () => {
  await using stage = await setStage(wrongDiffId());
  await mkdir(stage.target);
  await chmod(stage.target, 0o751); // whatever the umask
  await stage.probeLeavingNothing();
  assert.equal((await stat(stage.target)).mode & 0o7777, 0o751);
});

test("a directory that is not empty is refused untouched", async () => {
  await using stage = await setStage(sample);
  await mkdir(stage.target);
  await writeFile(join(stage.target, "mine"), "precious");
  const before = await stat(stage.target, { bigint: true });

  const { outcome } = await stage.probeLeavingNothing();

  assert.equal(outcome.type === "failed" && outcome.code, "TARGET_NOT_EMPTY");
  assert.equal((await stat(stage.target, { bigint: true })).mtimeNs, before.mtimeNs);
  assert.deepEqual(stage.registry.requests, [], "nobody was asked for anything");
});

test("a full file system leaves nothing behind", { skip: skipUnlessMounting() }, async () => {
  await using stage = await setStage(sample);
  await mkdir(stage.target);
  await output("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", stage.target]);
  try {
    const { outcome } = await stage.probeLeavingNothing();
    assert.equal(outcome.type === "failed" && outcome.code, "NO_SPACE", JSON.stringify(outcome));
  } finally {
    await output("umount", [stage.target]);
  }
});

for (const signal of half(["SIGINT", "SIGTERM"] as const)) {
  test(`the command cleans up after ${signal} and says so by its exit status`, async () => {
    await using stage = await setStage(sample);
    const waiting = new Promise<void>((resolve) => {
      stage.registry.always(/\/blobs\//, (reply, request) => {
        if (request.path.endsWith(sample.config.descriptor.digest)) return reply;
        resolve();
        return hangAfter(100)(reply, request);
      });
    });

    const child = spawn(process.execPath, [commandEntry, "--quiet", stage.reference, stage.target], {
      stdio: "ignore",
    });
    await waiting;
    child.kill(signal);

    assert.deepEqual(await once(child, "exit"), [signal === "SIGINT" ? 130 : 143, null]);
    assert.deepEqual(await readdir(stage.directory, { recursive: true }), stage.found);
  });
}

const noSuchImage: Reply = { status: 404, headers: { "content-length": 1 }, body: Buffer.from(".") };

/** A registry with an image in it, and a directory to unpack it in, beside which nothing may change. */
interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly reference: string;
  readonly directory: string;
  /** What is unpacked into; absent at first. */
  readonly target: string;
  /** What was there before: the neighbours' names. */
  readonly found: readonly string[];
  probe(request?: Partial<ProbeRequest>): Promise<ProbeReport>;
  /** Probes, and insists that files and process are afterwards as they were before. */
  probeLeavingNothing(request?: Partial<ProbeRequest>): Promise<ProbeReport>;
}

async function setStage(content: Image): Promise<Stage> {
  const { directory, ...remove } = await scratch();
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", content);
  const target = join(directory, "images", "target");
  await mkdir(join(directory, "images"));
  await mkdir(join(directory, "tmp"));
  await writeFile(join(directory, "images", "canary"), "");

  const list = () => readdir(directory, { recursive: true });
  const platform = "linux/amd64";
  const probeHere = (request: Partial<ProbeRequest> = {}) =>
    probe(
      { reference, directory: target, options: { platform, sandbox: "require" }, ...request },
      { environment: { TMPDIR: join(directory, "tmp") } },
    );

  return {
    registry,
    reference,
    directory,
    target,
    found: await list(),
    probe: probeHere,
    async probeLeavingNothing(request) {
      const before = await list();
      const report = await probeHere(request);
      assert.notEqual(report.outcome.type, "unpacked");
      assert.deepEqual(await list(), before, "files were left behind, or taken away");
      assert.deepEqual(report.after, report.before, "the process holds what it did not hold before");
      return report;
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await remove[Symbol.asyncDispose]();
    },
  };
}

/** What follows gzip's header claims to be a block of a type that there is not. */
function noGzip(bytes: Uint8Array): Uint8Array {
  return bytes.with(10, 0xff);
}

/** The first name in an archive is another one, which its header's checksum tells. */
function noHeader(bytes: Uint8Array): Uint8Array {
  return bytes.with(0, 0x2e);
}

function lastByteChanged(body: Uint8Array): Uint8Array {
  return Uint8Array.from(body, (byte, index) => (index === body.length - 1 ? byte ^ 1 : byte));
}

function oneByteMore(body: Uint8Array): Uint8Array {
  return Buffer.concat([body, Buffer.from([0])]);
}

function wrongDiffId(): Image {
  const diffIds = layers.map((layer) => blob("", layer).descriptor.digest);
  return image(layers, { diffIds: [...diffIds.slice(0, -1), `sha256:${"0".repeat(64)}`] });
}

function oneDiffIdTooFew(): Image {
  return image(layers, { diffIds: layers.slice(1).map((layer) => blob("", layer).descriptor.digest) });
}

/** The sample with its uppermost layer stored differently, and with digests that say so. */
function withTopLayer(change: (bytes: Uint8Array) => Uint8Array): Image {
  const top = sample.layers.at(-1);
  if (top === undefined) throw new Error("the sample has no layer");
  return image(layers, { layers: sample.layers.with(-1, blob(top.descriptor.mediaType, change(top.bytes))) });
}

function truncated(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length >> 1);
}

function nonsense(): Uint8Array {
  return new Uint8Array(2048).fill(0x55);
}

function cutWithinFile(): Uint8Array {
  return tar(file("big", new Uint8Array(100_000))).subarray(0, 50_000);
}

function escaping(): Image {
  return image([...layers, tar(file("../escaped", "out"))]);
}
