import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { diff, sync, unpack, verify } from "../../src/index.ts";
import { Directory } from "../../src/layer/directory.ts";
import { type DiskDirectory, DiskState, type OnDisk } from "../../src/rootfs/disk-directory.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { RingedMakers } from "../../src/unpack/ringed-makers.ts";
import { RingedAheadThread } from "../../src/worker/ahead-thread.ts";
import { AheadThreads } from "../../src/worker/ahead-threads.ts";
import { ContentThreads } from "../../src/worker/content-threads.ts";
import { file as namedFile, pieces } from "../support/entries.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { skipWithoutLandlock } from "../support/sandbox.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { applied, settings } from "./applied.ts";
import { threads } from "./threads.ts";

const skip = skipWithoutLandlock();

test("the thread that applies reaches its staging directory, and no other", { skip }, async () => {
  await using place = await scratch();
  const beside = join(place.directory, "beside");
  await mkdir(beside);
  await writeFile(join(beside, "kept"), "");
  await applied(place.directory, {
    afterwards: async (pipeline, staging) => {
      await assert.rejects(pipeline.discard(beside, "require"), { code: "FILE_SYSTEM", message: /EACCES/ });
      await pipeline.discard(staging, "require");
      assert.deepEqual([await readdir(beside), await readdir(staging)], [["kept"], []]);
    },
  });
});

test("each of the three threads confines itself", { skip }, async () => {
  await using place = await scratch();
  const seen = new Map<string, string>();
  await applied(place.directory, {
    hasDigestThread: true,
    onReport: ({ type }) => {
      if (type !== "layer-finished") return;
      for (const [name, privileges] of threads()) seen.set(name, privileges);
    },
  });
  assert.deepEqual([...seen].sort(), [
    ["oci-apply", "1"],
    ["oci-decompress", "1"],
    ["oci-digest", "1"],
  ]);
});

test("a thread that decompresses ahead confines itself", { skip }, async () => {
  await using ahead = new AheadThreads(1);
  const [rings] = ahead.rings;
  assert.ok(rings);
  ahead.start();
  const run = ahead.run("require", new AbortController().signal);
  await setImmediate(); // this thread waits for it
  const thread = new RingedAheadThread(rings);
  thread.givePiece([Buffer.alloc(100)], 800);
  assert.equal(thread.result(true), "nothing");
  assert.deepEqual(
    threads().filter(([name]) => name === "oci-ahead"),
    [["oci-ahead", "1"]],
  );
  thread.reject();
  thread.end();
  await run;
});

test("a thread that makes files confines itself, and makes none outside", { skip }, async () => {
  await using place = await scratch();
  const staging = join(place.directory, "staging");
  await mkdir(staging);
  for (const [name, error] of Object.entries({ inside: undefined, "../outside": /EACCES/ })) {
    await using contents = new ContentThreads(1);
    const run = contents.run({ staging, sandbox: "require", settings }, new AbortController().signal);
    const makers = new RingedMakers(contents.rings);
    makers.begin({ uid: 0, gid: 0, keepsModes: false, foldsNames: false });
    makers.give(
      { directory: rootDirectory(), name: byteStringOf(name), entry: namedFile(name).entry },
      pieces(new Uint8Array()),
    );
    const outcome = makers.outcome(0, true);
    if (error === undefined) assert.deepEqual(outcome, { findings: [] });
    else assert.match(String(outcome?.error), error);
    const privileges = threads().filter(([name]) => name === "oci-content");
    assert.deepEqual(privileges, [["oci-content", "1"]]);
    makers.end();
    await run;
  }
  assert.deepEqual([await readdir(place.directory), await readdir(staging)], [["staging"], ["inside"]]);
});

/** The root, as whoever makes names knows it. */
function rootDirectory(): DiskDirectory {
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, atime: undefined };
  return new Directory<OnDisk>(undefined, { layer: 0, attributes, own: new DiskState(0o700) });
}

test("the thread that compares a directory with an image confines itself", { skip }, async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "latest", images: [image([tar(file("a", "1"))])] }]);
  const target = join(place.directory, "target");
  await unpack(`oci:${layout}`, target, { platform: "linux/amd64" });
  const seen = new Map<string, string>();
  await verify(target, `oci:${layout}`, {
    onEvent: ({ type }) => {
      if (type !== "layer-finished") return;
      for (const [name, privileges] of threads()) seen.set(name, privileges);
    },
  });
  assert.equal(seen.get("oci-verify"), "1");
});

test("the thread that compares two images confines itself", { skip }, async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  const images = ["1", "2"].map((content) => ({ tag: content, images: [image([tar(file("a", content))])] }));
  await writeImageLayout(layout, images);
  const seen = new Map<string, string>();
  const comparison = diff(`oci:${layout}:1`, `oci:${layout}:2`, {
    platform: "linux/amd64",
    onEvent: ({ type }) => {
      if (type !== "layer-finished") return;
      for (const [name, privileges] of threads()) seen.set(name, privileges);
    },
  });
  for await (const { kind } of comparison) assert.equal(kind, "changed");
  assert.equal(seen.get("oci-tree"), "1");
});

test("the thread that syncs a directory confines itself", { skip }, async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "1", images: [image([tar(file("a", "1"))])] }]);
  const seen = new Map<string, string>();
  await sync(`oci:${layout}:1`, join(place.directory, "target"), {
    onEvent: ({ type }) => {
      if (type !== "layer-finished") return;
      for (const [name, privileges] of threads()) seen.set(name, privileges);
    },
  });
  assert.equal(seen.get("oci-sync"), "1");
});

test("where Landlock cannot be had, `require` unpacks nothing, and `prefer` says so", { skip }, async () => {
  await using place = await scratch();
  await using source = await scratch();
  await writeImageLayout(source.directory, [{ tag: "latest", images: [image([tar(file("a", "1"))])] }]);
  const reference = `oci:${source.directory}`;
  const program = fileURLToPath(new URL("without-landlock.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, reference, place.directory]);
  assert.deepEqual(JSON.parse(stdout), {
    require: "SANDBOX_UNAVAILABLE",
    prefer: { state: "unavailable", reason: "Landlock answers with error 7" },
  });
  assert.deepEqual(await readdir(place.directory), ["prefer"]);
});
