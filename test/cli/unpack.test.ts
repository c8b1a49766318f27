import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { image, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { answerJson, hangAfter } from "../support/registry-reply.ts";
import { skipWithoutLandlock } from "../support/sandbox.ts";
import { device, file, directory as folder, tar, whiteout } from "../support/tar-builder.ts";

const platform = ["--platform", "linux/amd64"];
let directory = "";
let registry: RegistryDouble;
let count = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "oci-unpack-cli-"));
  registry = await startRegistry();
});

after(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const small = () =>
  image([tar(folder("etc"), file("etc/motd", "hello"), file("etc/gone", "")), tar(whiteout("etc/gone"))]);

test("an image becomes a root filesystem, told in plain lines where there is no terminal", async () => {
  const reference = stored(registry, "plain", small());
  const target = fresh();
  const { status, stdout, stderr } = await ociUnpack([...platform, reference, target]);
  assert.deepEqual([status, stdout], [0, ""]);
  assert.deepEqual(await readdir(join(target, "rootfs/etc")), ["motd"]);
  assert.equal(await readFile(join(target, "rootfs/etc/motd"), "utf8"), "hello");
  assert.doesNotMatch(stderr, /\x1b/);
  const lines = stderr.trimEnd().split("\n");
  assert.match(lines[0] ?? "", new RegExp(`^${reference} is sha256:[0-9a-f]{64} \\(linux/amd64, 2 layers, \\d+ B\\)$`));
  assert.deepEqual(lines.slice(1, 3), ["layer 1 of 2: 3 entries", "layer 2 of 2: 1 entry"]);
  assert.equal(lines[3], `unpacked ${reference} (linux/amd64) into ${target}/rootfs`);
});

test("--json gives the result as one object, with --quiet nothing else at all", async () => {
  const reference = stored(registry, "json", small());
  const target = fresh();
  const { status, stdout, stderr } = await ociUnpack([...platform, "--json", "-q", reference, target]);
  assert.deepEqual([status, stderr], [0, ""]);
  const { milliseconds, digest, downloadedBytes, unpackedBytes, ...rest } = JSON.parse(stdout);
  assert.match(digest, /^sha256:/);
  assert.ok(milliseconds > 0 && downloadedBytes > 0 && unpackedBytes >= 2 * 1024);
  const { sandbox, ...expected } = rest;
  assert.equal(sandbox.state, skipWithoutLandlock() === false ? "enforced" : "off");
  assert.deepEqual(expected, {
    reference,
    platform: { os: "linux", architecture: "amd64" },
    rootfs: join(target, "rootfs"),
    config: join(target, "config.json"),
    layers: 2,
    entries: 4,
    skipped: [],
    skippedCount: 0,
    warnings: {},
  });
});

test("--verbose tells each request and each entry left out, the summary how many", async () => {
  const reference = stored(registry, "verbose", image([tar(device("dev-null", "character", [1, 3]))]));
  const { stderr } = await ociUnpack([...platform, "-v", reference, fresh()]);
  assert.match(stderr, /^GET http:\/\/127\.0\.0\.1:\d+\/v2\/verbose\/manifests\/latest → 200$/m);
  assert.match(stderr, /^skipped \(device\) layer 1 "dev-null": /m);
  assert.match(stderr, /left out: 1 device node; -v lists each/);
});

test("--verbose tells the sandbox", { skip: skipWithoutLandlock() }, async () => {
  const { stderr } = await ociUnpack([...platform, "-v", stored(registry, "sandboxed", small()), fresh()]);
  assert.match(stderr, /^sandbox: Landlock, ABI \d$/m);
});

test("--explain tells why things went as they did, as lines and as data", async () => {
  const reference = stored(registry, "explained", small());
  const { stdout, stderr } = await ociUnpack([...platform, "--explain", "--json", reference, fresh()]);
  const decision = { topic: "reference", message: `"${reference}" is ${reference}` };
  assert.ok(stderr.split("\n").includes(`${decision.topic}: ${decision.message}`), stderr);
  const { decisions } = JSON.parse(stdout);
  assert.deepEqual(
    decisions.find(({ topic }: { topic: string }) => topic === "reference"),
    decision,
  );
});

test("an image that is not there ends with 1 and leaves nothing", async () => {
  const target = fresh();
  const { status, stdout, stderr } = await ociUnpack(["--json", `${registry.host}/nothing/here:1`, target]);
  assert.equal(status, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, "NOT_FOUND");
  assert.ok(stderr.includes(`error: ${error.message}\n`));
  assert.equal(existsSync(target), false);
});

test("a reference that makes no sense is a wrong command line", async () => {
  const { status, stderr } = await ociUnpack(["Debian:stable:oldstable", fresh()]);
  assert.equal(status, 2);
  assert.match(stderr, /^error: cannot .*\nhint: /);
});

test("a directory that is not empty stays untouched", async () => {
  const target = fresh();
  await mkdir(target);
  await writeFile(join(target, "mine"), "precious");
  const { status, stderr } = await ociUnpack([...platform, stored(registry, "occupied", small()), target]);
  assert.equal(status, 1);
  assert.match(stderr, /^error: cannot unpack into ".*": it is not empty$/m);
  assert.deepEqual(await readdir(target), ["mine"]);
});

test("security 15: what a registry says reaches no terminal raw", async () => {
  registry.next(
    /hostile\/manifests/,
    answerJson(403, { errors: [{ code: "DENIED", message: "\x1b[2J\x9b\u202e no" }] }),
  );
  const { status, stdout, stderr } = await ociUnpack(["--json", "-v", `${registry.host}/hostile:1`, fresh()]);
  assert.equal(status, 1);
  for (const text of [stdout, stderr]) assert.doesNotMatch(text.replaceAll("\n", ""), /\p{C}/u);
});

test("security 15: what an image calls its files reaches no terminal raw", async () => {
  const reference = stored(registry, "names", image([tar(device("\x1b]0;owned\x07\u202e\n", "block", [8, 0]))]));
  const { status, stdout, stderr } = await ociUnpack([...platform, "--json", "-v", reference, fresh()]);
  assert.equal(status, 0);
  for (const text of [stdout, stderr]) assert.doesNotMatch(text.replaceAll("\n", ""), /\p{C}/u);
  assert.ok(stderr.includes(`"\\x1b]0;owned\\x07\\u{202e}\\n"`));
  assert.equal(JSON.parse(stdout).skipped[0].path, "\x1b]0;owned\x07\u202e\n");
});

test("an interruption ends with 130, says so, and leaves nothing", async () => {
  const slow = image([tar(file("slow", "an image of its own"))]);
  const reference = stored(registry, "slow", slow);
  for (const { descriptor } of slow.layers) registry.always(new RegExp(descriptor.digest), hangAfter(10));
  const target = fresh();
  const { status, stdout, stderr } = await ociUnpack([...platform, "--json", reference, target], {
    started(child) {
      child.stderr?.once("data", () => child.kill("SIGINT"));
    },
  });
  assert.equal(status, 130);
  assert.match(stderr, /interrupted: nothing was left behind\n$/);
  assert.deepEqual(JSON.parse(stdout), { error: { code: "INTERRUPTED", message: "interrupted by SIGINT" } });
  assert.equal(existsSync(target), false);
});

test("a reader of the progress who leaves does not stop the unpacking", async () => {
  const reference = stored(registry, "unread", small());
  const target = fresh();
  const { status } = await ociUnpack([...platform, "-v", reference, target], {
    started: (child) => child.stderr?.destroy(),
  });
  assert.equal(status, 0);
  assert.ok(existsSync(join(target, "config.json")));
});

test("for developers an error says where it came from", async () => {
  const env = { NODE_DEBUG: "oci-unpack" };
  const { stderr } = await ociUnpack([`${registry.host}/nothing/here:1`, fresh()], { env });
  assert.match(stderr, /^ {2}(?:OciUnpackError|Error).*: cannot /m);
  assert.match(stderr, /^ {6}at .*\.js:\d+/m);
});

test("standard input has a password or an archive, and not both", async () => {
  const login = ["-u", "ada", "--password-stdin"];
  for (const image of ["oci-archive:-", "docker-archive:-:app:1"]) {
    const { status, stderr } = await ociUnpack(["-q", ...login, image, fresh()], { input: "secret" });
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^error: cannot read "\S+-archive:-\S*": standard input has the password \(--password-stdin\)\nhint: /,
    );
  }
});

function fresh(): string {
  return join(directory, `target-${++count}`);
}
