import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ExportForm, ExportOptions, ExportResult, OciUnpackEvent } from "../../src/index.ts";
import { output } from "../support/command.ts";
import { eventually } from "../support/eventually.ts";
import { image } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { reflinkingFileSystem, skipUnlessReflinks } from "../support/reflinks.ts";
import { answer, withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half, third } from "../support/thorough.ts";
import { skipUnlessMounting, skipWithout, type Tool } from "../support/tools.ts";
import { type Stage, setStage } from "./kept-stage.ts";

const sample = image(sampleLayers());
const top = new RegExp(sample.layers.at(-1)?.descriptor.digest ?? "");
const tools: Readonly<Partial<Record<ExportForm, Tool>>> = { erofs: "mkfs.erofs", squashfs: "sqfstar", ext4: "mke2fs" };

/** What of a result is the same whenever it is given out. */
function lasting({ milliseconds, downloadedBytes, kept, file: path, ...rest }: ExportResult): object {
  return rest;
}

const told = (events: readonly OciUnpackEvent[]) => events.filter(({ type }) => ["skipped", "warning"].includes(type));

const milestones = (events: readonly OciUnpackEvent[]) =>
  events.map(({ type }) => type).filter((type) => !["request", "decision", "stored", "sandbox"].includes(type));

describe("what was kept is given out the next time, and is what it was", () => {
  for (const [what, options] of third<readonly [string, ExportOptions]>([
    ["a tar", {}],
    ["an ext4", { form: "ext4", sizeBytes: 32 * 1024 * 1024 }],
    ["an erofs", { form: "erofs" }],
    ["a part as a tar", { include: ["etc", "nothing/*"], exclude: ["**/linked-*"] }],
    ["an ext4 with its hash tree", { form: "ext4", verity: true }],
    ["a squashfs", { form: "squashfs" }],
  ])) {
    const tool = tools[options.form ?? "tar"];
    test(`${what}: no layer is asked for, and all is told again`, {
      skip: tool !== undefined && skipWithout(tool),
    }, async () => {
      await using stage = await setStage(sample);
      const first = await stage.exported(options);
      assert.equal(first.result.kept, undefined);
      const second = await stage.exported(options);
      assert.deepEqual([second.result.kept, second.result.downloadedBytes], ["copied", 0]);
      assert.ok(second.bytes.equals(first.bytes));
      assert.deepEqual(lasting(second.result), lasting(first.result));
      assert.ok(told(first.events).length > 0);
      assert.deepEqual(told(second.events), told(first.events));
      assert.deepEqual(milestones(second.events), [
        "resolved",
        ...told(first.events).map(({ type }) => type),
        "finished",
      ]);
      assert.deepEqual(second.asked, ["manifests/latest"]);
      assert.equal((await stage.kept()).length, 1);
    });
  }
});

test("a hash tree in a file of its own is kept with its file system", { skip: skipWithout("mkfs.erofs") }, async () => {
  await using stage = await setStage(sample);
  const [one, other] = [join(stage.directory, "one"), join(stage.directory, "other")];
  const first = await stage.exported({ form: "erofs", verityFile: one });
  const second = await stage.exported({ form: "erofs", verityFile: other });
  assert.equal(second.result.kept, "copied");
  assert.deepEqual(second.result.verity, first.result.verity);
  assert.deepEqual(await readFile(other), await readFile(one));
  // Where the hash tree is not as it was, nothing of the file system is given out either.
  await changeByte(join((await stage.kept())[0] ?? "", "hashes"), 5000);
  await rm(other);
  const third = await stage.exported({ form: "erofs", verityFile: other });
  assert.deepEqual([third.result.kept, third.bytes.equals(first.bytes)], [undefined, true]);
  assert.deepEqual(await readFile(other), await readFile(one));
});

test("an archive that went into a stream is kept, and given out into files and streams", async () => {
  await using stage = await setStage(sample);
  const first = await stage.streamed();
  assert.equal(first.result.kept, undefined);
  for (const again of [await stage.streamed(), await stage.exported()]) {
    assert.deepEqual([again.result.kept, again.asked], ["copied", ["manifests/latest"]]);
    assert.ok(again.bytes.equals(first.bytes));
  }
});

test("what is given out is a file like any other, and not the store's", async () => {
  await using stage = await setStage(sample);
  await stage.exported();
  const target = join(stage.directory, "a.tar");
  const { status, stdout, stderr } = await ociUnpack(
    ["--keep", "--json", "-p", "linux/amd64", "--output", "tar", "-o", target, stage.reference],
    { env: { OCI_UNPACK_STORE: stage.store.directory } },
  );
  assert.equal(status, 0, stderr);
  const { nlink, mode } = await stat(target);
  assert.deepEqual([nlink, mode & 0o777], [1, 0o644 & ~process.umask()]);
  assert.equal(JSON.parse(stdout).kept, "copied");
  assert.match(stderr, /out of the store, which had kept it: a verified copy/);
  await writeFile(target, "changed");
  assert.equal((await stage.exported()).result.kept, "copied");
});

test("where the file system can, what is given out shares its blocks with what is kept", {
  skip: skipUnlessReflinks(),
}, async () => {
  await using stage = await setStage(sample, await reflinkingFileSystem());
  const first = await stage.exported();
  const second = await stage.exported();
  assert.equal(second.result.kept, "reflink");
  assert.ok(second.bytes.equals(first.bytes));
});

test("a kept output that is not as it was is removed and made anew, and nobody gets a wrong byte", async () => {
  await using stage = await setStage(sample);
  const { bytes } = await stage.exported();
  const damages = [
    (kept: string) => changeByte(join(kept, "content"), 4000),
    (kept: string) => changeByte(join(kept, "content"), bytes.length - 1),
    async (kept: string) => {
      await chmod(join(kept, "content"), 0o644);
      await truncate(join(kept, "content"), 4096);
    },
    (kept: string) => rm(join(kept, "content")),
    (kept: string) => truncate(join(kept, "record.json"), 100),
  ];
  for (const [index, damage] of half([...damages.entries()])) {
    const [kept = ""] = await stage.kept();
    await damage(kept);
    const again = await (index % 2 === 0 ? stage.streamed() : stage.exported());
    const reasons = again.events.flatMap((event) =>
      event.type === "decision" && event.topic === "store" ? event.message : [],
    );
    assert.match(reasons.join(), /is not as it was: it is made anew$|^no tar with these options is kept: it is made$/);
    assert.deepEqual([again.result.kept, again.bytes.equals(bytes)], [undefined, true]);
    const next = await (index % 2 === 0 ? stage.exported() : stage.streamed());
    assert.deepEqual([next.result.kept, next.bytes.equals(bytes)], ["copied", true]);
    assert.equal((await stage.kept()).length, 1);
  }
});

async function changeByte(path: string, position: number): Promise<void> {
  await chmod(path, 0o644);
  await using file = await open(path, "r+");
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, position);
}

test("whoever allows less than the one before gets the error that is due", async () => {
  await using stage = await setStage(sample);
  const { result } = await stage.exported();
  const limits = { totalBytes: result.unpackedBytes - 1 };
  await assert.rejects(stage.exported({ limits }), { code: "LIMIT_EXCEEDED", message: /\(totalBytes\)$/ });
  const approve = () => Promise.reject(new Error("no"));
  await assert.rejects(stage.exported({ approve }), /^Error: no$/);
  assert.equal((await stage.kept()).length, 1);
});

test("of --add-file the content counts, not the name", async () => {
  await using stage = await setStage(sample);
  const [one, other] = [join(stage.directory, "one"), join(stage.directory, "other")];
  await writeFile(one, "1", { mode: 0o644 });
  await writeFile(other, "1", { mode: 0o644 });
  const add = [{ source: one, target: "/init", mode: 0o755 }];
  const first = await stage.exported({ add });
  const second = await stage.exported({ add: [{ source: other, target: "/init", mode: 0o755 }] });
  assert.deepEqual([second.result.kept, second.bytes.equals(first.bytes)], ["copied", true]);
  await writeFile(one, "2");
  const third = await stage.exported({ add });
  assert.deepEqual([third.result.kept, third.bytes.equals(first.bytes)], [undefined, false]);
});

test("another version of the program that makes the file system makes another one", {
  skip: skipWithout("mkfs.erofs"),
}, async () => {
  await using stage = await setStage(sample);
  const { bytes } = await stage.exported({ form: "erofs" });
  const place = join(stage.directory, "bin");
  await mkdir(place);
  const real = (await output("sh", ["-c", "command -v mkfs.erofs"], { environment: withSystem })).trim();
  const script = `#!/bin/sh\n[ "$1" = --version ] && { echo newer; exit; }\nexec ${real} "$@"\n`;
  await writeFile(join(place, "mkfs.erofs"), script, { mode: 0o755 });
  const options: ExportOptions = { form: "erofs", toolPath: `${place}:/usr/sbin:/usr/bin:/sbin:/bin` };
  assert.deepEqual([(await stage.exported(options)).result.kept, bytes.length > 0], [undefined, true]);
  assert.equal((await stage.exported(options)).result.kept, "copied");
  assert.equal((await stage.kept()).length, 2);
});

const withSystem = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

test("of an image that is not as it should be nothing is kept", async () => {
  for (const isStream of half([false, true])) {
    await using stage = await setStage(sample);
    const make = isStream ? stage.streamed : stage.exported;
    stage.registry.next(
      top,
      withBody((bytes) => bytes.map((byte) => byte ^ 1)),
    );
    await assert.rejects(make(), { code: "DIGEST_MISMATCH" });
    await assert.rejects(make({ include: ["nothing"], strict: true }), { code: "STRICT_VIOLATION" });
    for (const name of await readdir(join(stage.store.directory, "ingest"))) assert.match(name, /\.part$/);
    assert.ok(!existsSync(join(stage.store.directory, "outputs")));
  }
});

test("offline what was kept comes out of the store, without its layers", async () => {
  await using stage = await setStage(sample);
  const { bytes } = await stage.exported();
  stage.registry.always(/./, answer(500));
  for (const { descriptor } of sample.layers)
    await rm(join(stage.store.directory, "blobs", descriptor.digest.replace(":", "/")));
  const again = await stage.exported({ offline: true });
  assert.deepEqual([again.result.kept, again.bytes.equals(bytes), again.asked], ["copied", true, []]);
});

test("a store that can only be read gives out what it kept, and keeps nothing more", {
  skip: skipUnlessMounting(),
}, async () => {
  await using stage = await setStage(sample);
  const { bytes } = await stage.exported();
  const { directory } = stage.store;
  await output("mount", ["--bind", directory, directory]);
  try {
    await output("mount", ["-o", "remount,bind,ro", directory]);
    const again = await stage.exported({ offline: true });
    assert.deepEqual([again.result.kept, again.bytes.equals(bytes)], ["copied", true]);
    assert.equal((await stage.streamed({ offline: true, sourceDateEpoch: 5 })).result.kept, undefined);
  } finally {
    await output("umount", [directory]);
  }
  await changeByte(join((await stage.kept())[0] ?? "", "content"), 4000);
  await output("mount", ["--bind", "-o", "ro", directory, directory]);
  try {
    const anew = await stage.exported({ offline: true });
    assert.deepEqual([anew.result.kept, anew.bytes.equals(bytes)], [undefined, true]);
  } finally {
    await output("umount", [directory]);
  }
});

test("a disk that is full of what is to be kept is one clear error, and nothing is left", {
  skip: skipUnlessMounting(),
}, async () => {
  const large = image([tar(file("large", Buffer.alloc(3_000_000, "text")))]);
  await using stage = await setStage(large);
  const { directory } = stage.store;
  await mkdir(directory);
  await output("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory]);
  try {
    for (const make of half([stage.exported, stage.streamed])) {
      const message = `cannot keep the output in the store "${directory}": no space left on device (ENOSPC)`;
      await assert.rejects(make(), { code: "NO_SPACE", message });
      assert.deepEqual(await stage.kept(), []);
    }
  } finally {
    await output("umount", [directory]);
  }
});

test("a disk that is full of what is given out is one clear error, and what is kept stays", {
  skip: skipUnlessMounting(),
}, async () => {
  await using stage = await setStage(sample);
  await stage.exported();
  const small = join(stage.directory, "small");
  await mkdir(small);
  await output("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
  try {
    const args = ["--store", stage.store.directory, "--keep", "-p", "linux/amd64", "--output", "tar"];
    const { status, stderr } = await ociUnpack([...args, "-o", join(small, "a.tar"), stage.reference]);
    assert.equal(status, 1);
    assert.match(stderr, /^error: cannot copy what is kept in ".*" into ".*\/small": no space left on device/m);
    assert.deepEqual(await readdir(small), []);
  } finally {
    await output("umount", [small]);
  }
  assert.equal((await stage.exported()).result.kept, "copied");
});

/** Keeps an archive in a process of its own. */
function begin({ reference, store, directory }: Stage, name: string) {
  const program = fileURLToPath(new URL("../support/keep-probe.js", import.meta.url));
  const child = spawn(process.execPath, [program, reference, store.directory, join(directory, name)]);
  return { child, said: Promise.all([text(child.stdout), text(child.stderr)]).then((both) => both.join("")) };
}

test("two processes that keep the same at once leave one of it, and both have what they wanted", async () => {
  await using stage = await setStage(sample);
  const both = ["one", "other"].map((name) => begin(stage, name));
  for (const { said } of both) assert.match(await said, /^(made|copied)$/);
  const { result, bytes } = await stage.exported();
  assert.equal(result.kept, "copied");
  for (const name of ["one", "other"]) assert.ok(bytes.equals(await readFile(join(stage.directory, name))));
  assert.equal((await stage.kept()).length, 1);
});

test("a process that is killed while it keeps something leaves all of it, or none", async () => {
  await using stage = await setStage(image([tar(file("large", randomBytes(5_000_000)))], { encoding: "plain" }));
  const { child } = begin(stage, "one");
  const ingest = join(stage.store.directory, "ingest");
  await eventually(
    async () => {
      const names = existsSync(ingest) ? await readdir(ingest) : [];
      const isBegun = names.some((name) => name.startsWith("output-") && existsSync(join(ingest, name, "content")));
      return isBegun || child.exitCode !== null;
    },
    () => "nothing was kept",
  );
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  const { result, bytes } = await stage.exported();
  const again = await stage.exported();
  assert.deepEqual([again.result.kept, again.bytes.equals(bytes)], ["copied", true]);
  assert.ok(result.bytes > 5_000_000);
  await stage.store.prune();
  await stage.kept();
});
