import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseCommand } from "../../src/cli/options.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import type { DiffResult, ImageDifference } from "../../src/index.ts";
import { outcomeOf } from "../support/command.ts";
import { withEndlessWaits } from "../support/endless-waits.ts";
import { type Image, image, imageIndex } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, tar, tarOf } from "../support/tar-builder.ts";

const base = tar(directory("etc"), file("etc/motd", "hello"), file("etc/issue", ""), file("etc/hosts", "a"));
const older = image([base, tar(file("etc/hosts", "b"))]);
const config = { config: { Env: ["PATH=/bin", "A=1"], Cmd: ["/bin/sh"] } };
const newer = image([base, tar(file("etc/motd", "Hello"), file("etc/\x1b[2Jevil"))], { config });

interface Stage extends Scratch {
  readonly older: string;
  readonly newer: string;
  readonly both: string;
}

async function setStage(second: Image = newer): Promise<Stage> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  const arm = image([tar(file("etc/motd", "arm"))], { platform: { os: "linux", architecture: "arm64" } });
  await writeImageLayout(layout, [
    { tag: "older", images: [older] },
    { tag: "newer", images: [second] },
    { tag: "both", images: [older, arm], index: imageIndex([older, arm]) },
  ]);
  return { ...place, older: `oci:${layout}:older`, newer: `oci:${layout}:newer`, both: `oci:${layout}:both` };
}

test("diff lists the configuration's differences first, each path with its layers, and exits with 3", async () => {
  await using stage = await setStage();
  const { status, stdout, stderr } = await ociUnpack(["diff", "-p", "linux/amd64", stage.older, stage.newer]);
  assert.equal(status, 3, stderr);
  assert.deepEqual(stdout.split("\n"), [
    "config      Env: -PATH=/usr/bin:/bin",
    "config      Env: +PATH=/bin",
    "config      Env: +A=1",
    "added       etc/\\x1b[2Jevil  L2 layer 1",
    "changed     etc/hosts (content)  L2 layer 1 -> L1 layer 0",
    "changed     etc/motd (content)  L1 layer 0 -> L2 layer 1",
    "",
  ]);
  const [, ...digests] = stderr.trimEnd().split("\n");
  assert.match(stderr, /^different: oci:\S+ and oci:\S+ \(3 differences, 1 field of the configuration\)\n/);
  assert.deepEqual(digests, [`  ${older.manifest.descriptor.digest}`, `  ${newer.manifest.descriptor.digest}`]);
});

test("diff tells the same as JSON on one line, from and to first", async () => {
  await using stage = await setStage();
  const arguments_ = ["diff", "--json", "-q", "-p", "linux/amd64", stage.older, stage.newer];
  const { status, stdout, stderr } = await ociUnpack(arguments_);
  assert.deepEqual({ status, stderr }, { status: 3, stderr: "" });
  assert.equal(stdout.indexOf("\n"), stdout.length - 1);
  const told = JSON.parse(stdout) as DiffResult & { readonly differences: ImageDifference[] };
  assert.deepEqual(
    told.differences.map(({ kind, path }) => [kind, path]),
    [
      ["added", "etc/\x1b[2Jevil"],
      ["changed", "etc/hosts"],
      ["changed", "etc/motd"],
    ],
  );
  assert.deepEqual(Object.keys(told), [
    ...["from", "to", "config", "differences", "same", "differenceCount", "readLayers", "fetchedBytes", "milliseconds"],
  ]);
  assert.deepEqual(told.config, [{ field: "Env", first: ["PATH=/usr/bin:/bin"], second: ["PATH=/bin", "A=1"] }]);
  assert.deepEqual([told.from.digest, told.to.reference], [older.manifest.descriptor.digest, stage.newer]);
});

test("diff exits with 0 where nothing differs, or nothing that counts", async () => {
  await using stage = await setStage(image([base, tar(file("etc/hosts", "c", { mtime: 5 }))]));
  const common = ["-p", "linux/amd64", stage.older];
  const same = await ociUnpack(["diff", ...common, stage.older]);
  assert.deepEqual([same.status, same.stdout], [0, ""]);
  assert.match(same.stderr, /^same: /);
  const json = await ociUnpack(["diff", "--json", "-q", ...common, stage.newer, "--ignore", "time,content"]);
  assert.equal(json.status, 0, json.stderr);
  const { differences, same: isSame } = JSON.parse(json.stdout) as DiffResult & { readonly differences: unknown };
  assert.deepEqual([differences, isSame], [[], true]);
  assert.equal((await ociUnpack(["diff", ...common, stage.newer, "/etc/motd"])).status, 0);
});

test("diff compares two platforms of one image", async () => {
  await using stage = await setStage();
  const { stdout, status } = await ociUnpack([
    "diff",
    "-p",
    "linux/amd64",
    "-p",
    "linux/arm64",
    stage.both,
    stage.both,
  ]);
  assert.equal(status, 3);
  assert.match(stdout, /^changed {5}etc\/motd \(size, content\)/m);
});

test("diff exits with 1 where it cannot compare", async () => {
  await using stage = await setStage();
  const { status, stdout, stderr } = await ociUnpack(["diff", "-p", "linux/amd64", stage.older, stage.newer, "none"]);
  assert.deepEqual([status, stdout], [1, ""]);
  // On a machine that is busy for long, a line of progress comes before.
  const message =
    'error: cannot find "none": neither image has anything there\nhint: oci-unpack ls tells what is there\n';
  assert.ok(stderr.endsWith(message), stderr);
});

test("what diff cannot understand is exit status 2, before anything is asked for", async () => {
  for (const [args, message] of [
    [["a"], "cannot compare images: IMAGE2 is missing"],
    [["a", "b", "c", "d"], 'cannot compare images: unexpected argument "d"'],
    [["a", "b", "--ignore", "time,sise"], "cannot read the command line: --ignore is one of"],
    [["a", "b", "-p", "x/1", "-p", "x/2", "-p", "x/3"], "cannot compare images: --platform is given more than twice"],
    [["oci-archive:-", "docker-archive:-"], "cannot compare images: both are to come from standard input"],
  ] as const) {
    assert.throws(
      () => parseCommand(["diff", ...args], {}),
      (error) => error instanceof UsageError && error.message.startsWith(message),
      message,
    );
  }
  const { status, stderr } = await ociUnpack(["diff", "a", "b", "--ignore", "sise"]);
  assert.equal(status, 2);
  assert.match(stderr, /did you mean --ignore size\?/);
});

test("the password for one registry is for no other", async () => {
  const images = ["one.example/a", "other.example/a"];
  const { status, stderr } = await ociUnpack(["diff", "-u", "ada", "--password-stdin", ...images], { input: "secret" });
  assert.equal(status, 2);
  assert.match(stderr, /^error: cannot log in: the images are in two registries, one\.example and other\.example/);
});

test("diff tells by its exit code that something differs, also where nobody reads what", async () => {
  await using stage = await setStage();
  for (const more of [[], ["--json"]]) {
    const args = ["diff", "-q", "-p", "linux/amd64", ...more, stage.older];
    const unread = `{ { "$@"; echo $? >&3; } | true; } 3>&1`;
    const command = (image: string) => ["-c", unread, "sh", process.execPath, commandEntry, ...args, image];
    assert.equal((await outcomeOf("sh", command(stage.newer))).stdout, "3\n");
    assert.equal((await outcomeOf("sh", command(stage.older))).stdout, "0\n");
  }
});

test("what ends a comparison in the middle of its JSON is told in the same object", async () => {
  await using stage = await setStage(image([tarOf(Array.from({ length: 50_000 }, (_, each) => file(`new-${each}`)))]));
  const args = [...(await withEndlessWaits(stage.directory)), commandEntry, "diff", "--json"];
  const command = spawn(process.execPath, [...args, "-p", "linux/amd64", stage.older, stage.newer]);
  const exit = once(command, "exit");
  let told = "";
  for await (const chunk of command.stdout.setEncoding("utf8")) {
    told += chunk;
    if (command.killed) continue;
    // The reader sleeps until the command has filled the pipe, is interrupted, and would have ended without it.
    await sleep(300);
    command.kill("SIGTERM");
    await once(command.stderr, "data");
    await sleep(300);
  }
  assert.deepEqual(await exit, [143, null]);
  const { differences, error } = JSON.parse(told) as { differences: unknown[]; error: unknown };
  assert.ok(differences.length > 0 && differences.length < 50_000);
  assert.deepEqual(error, { code: "INTERRUPTED", message: "interrupted by SIGTERM" });
});
