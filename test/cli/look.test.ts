import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { listingLines } from "../../src/cli/look-report.ts";
import { terminalText } from "../../src/cli/safe-text.ts";
import type { ListResult } from "../../src/index.ts";
import { outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { device, directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";

const base = tar(directory("bin"), file("bin/su", "x".repeat(12_345), { mode: 0o4755 }), hardlink("bin/su2", "bin/su"));
const upper = tar(
  directory("etc", { mode: 0o1777, uid: 1000, gid: 50 }),
  file("etc/\x1b[2Jevil", "fifteen bytes..", { mtime: { seconds: -1, nanoseconds: 5 } }),
  symlink("etc/link", "../bin/su"),
  device("etc/null", "character", [1, 3], { mode: 0o2660 }),
);
const sample = image([base, upper], { config: { created: "2024-05-06T07:08:09Z" } });

async function setStage(): Promise<Scratch & { readonly name: string }> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [sample] }]);
  return { ...place, name: `oci:${layout}:x` };
}

test("ls lists what is in a directory, each entry with the layer that it is from", async () => {
  await using stage = await setStage();
  const { status, stdout, stderr } = await ociUnpack(["ls", "-p", "linux/amd64", stage.name]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.equal(
    stdout,
    [
      "drwxr-xr-x  0:0      -  2001-09-09 01:46:40  L1  bin",
      "drwxrwxrwt  1000:50  -  2001-09-09 01:46:40  L2  etc",
      "",
    ].join("\n"),
  );
});

test("ls shows names that would act on a terminal, links and devices", async () => {
  await using stage = await setStage();
  const { stdout } = await ociUnpack(["ls", "-R", "-p", "linux/amd64", stage.name, "/etc"]);
  assert.equal(
    stdout,
    [
      "-rw-r--r--  0:0   15  1969-12-31 23:59:59  L2  etc/\\x1b[2Jevil",
      "lrwxrwxrwx  0:0    -  2001-09-09 01:46:40  L2  etc/link -> ../bin/su",
      "crw-rwS---  0:0  1,3  2001-09-09 01:46:40  L2  etc/null",
      "",
    ].join("\n"),
  );
});

test("ls tells the same as JSON, with what it cost", async () => {
  await using stage = await setStage();
  const { stdout } = await ociUnpack(["ls", "--json", "-p", "linux/amd64", stage.name, "bin"]);
  const { entries, readLayers, layers, fetchedBytes } = JSON.parse(stdout) as ListResult;
  assert.deepEqual(
    entries.map(({ path, sizeBytes, sameFileAs }) => [path, sizeBytes, sameFileAs]),
    [
      ["bin/su", 12_345, undefined],
      ["bin/su2", 12_345, "bin/su"],
    ],
  );
  assert.deepEqual({ readLayers, layers }, { readLayers: 2, layers: 2 });
  assert.ok(fetchedBytes > 500);
});

test("ls --digest shows the first digits of each file's SHA-256, and in JSON all of them", async () => {
  await using stage = await setStage();
  const args = ["-R", "--digest", "-p", "linux/amd64", stage.name];
  const { stdout } = await ociUnpack(["ls", ...args, "bin"]);
  const digest = createHash("sha256").update("x".repeat(12_345)).digest("hex");
  assert.equal(
    stdout,
    [
      `-rwsr-xr-x  0:0  12345  2001-09-09 01:46:40  L1  ${digest.slice(0, 12)}  bin/su`,
      `-rwsr-xr-x  0:0  12345  2001-09-09 01:46:40  L1  ${digest.slice(0, 12)}  bin/su2 = bin/su`,
      "",
    ].join("\n"),
  );
  const json = await ociUnpack(["ls", "--json", ...args]);
  const { entries } = JSON.parse(json.stdout) as ListResult;
  assert.deepEqual(
    entries.filter((entry) => entry.digest === `sha256:${digest}`).map(({ path }) => path),
    ["bin/su", "bin/su2"],
  );
  assert.deepEqual(
    entries.filter(({ type }) => type !== "file").map((entry) => entry.digest),
    [undefined, undefined, undefined, undefined],
  );
  assert.match((await ociUnpack(["ls", ...args, "etc/null"])).stdout, / {2}L2 {2}- {13}etc\/null\n$/);
});

test("years that no date holds are shown as seconds", () => {
  const entry = { path: "a", type: "file", mode: 0, uid: 0, gid: 0, sizeBytes: 0, layer: 0 } as const;
  const [line] = listingLines([{ ...entry, mtime: { seconds: 2 ** 40, nanoseconds: 0 } }], { hasDigests: false });
  assert.equal(line, "----------  0:0  0  @1099511627776       L1  a");
});

test("cat to somebody who reads the beginning and goes away is done, and says nothing", async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  const large = image([tar(file("large", randomBytes(3_000_000)))]);
  await writeImageLayout(layout, [{ tag: "x", images: [large] }]);
  const args = ["cat", "-p", "linux/amd64", `oci:${layout}:x`, "large"];
  const script = `{ "$0" "$@"; echo $? > ${place.directory}/status; } | head -c 1000 > /dev/null`;
  const { stderr } = await outcomeOf("sh", ["-c", script, process.execPath, commandEntry, ...args]);
  assert.deepEqual([stderr, await readFile(join(place.directory, "status"), "utf8")], ["", "0\n"]);
});

test("cat writes a file's bytes as they are into a pipe", async () => {
  await using stage = await setStage();
  const { status, stdout, stderr } = await ociUnpack(["cat", "-p", "linux/amd64", stage.name, "/etc/link"]);
  assert.deepEqual({ status, stdout: stdout.length, stderr }, { status: 0, stdout: 12_345, stderr: "" });
});

test("what would act on a terminal is shown there", async () => {
  const stream = terminalText();
  const bytes = Buffer.from("\x1b]0;title\x07ok\ttab\n\u202eé\n");
  for (const byte of bytes) stream.write(Uint8Array.of(byte));
  stream.end();
  assert.equal(await text(stream), "\\x1b]0;title\\x07ok\ttab\n\\u{202e}é\n");
});

test("what is not there, or no file, is an error with nothing on standard output", async () => {
  await using stage = await setStage();
  for (const [path, message] of [
    ["/nope", 'error: cannot find "/nope": the image has nothing there\nhint: oci-unpack ls tells what is there\n'],
    ["/etc", 'error: cannot read "/etc": it is a directory\nhint: name a file; oci-unpack ls lists them\n'],
  ] as const) {
    const { status, stdout, stderr } = await ociUnpack(["cat", "-p", "linux/amd64", stage.name, path]);
    assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: "", stderr: message });
  }
});

test("inspect tells what the documents say, for people", async () => {
  await using stage = await setStage();
  const { status, stdout } = await ociUnpack(["inspect", "-p", "linux/amd64", stage.name]);
  assert.equal(status, 0);
  const [name, ...lines] = stdout.split("\n");
  assert.equal(name, stage.name);
  const digests = sample.layers.map(({ descriptor }) => descriptor.digest);
  for (const line of [
    `digest       ${sample.manifest.descriptor.digest}`,
    "platform     linux/amd64",
    "created      2024-05-06T07:08:09Z",
    'command      ["/bin/sh"]',
    "environment  PATH=/usr/bin:/bin",
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.match(stdout, new RegExp(`^L1 {4}${digests[0]} +\\d+ B  layer 0\nL2 {4}${digests[1]} +\\d+ B  layer 1$`, "m"));
});

test("inspect tells them as JSON, the configuration as it is", async () => {
  await using stage = await setStage();
  const { stdout } = await ociUnpack(["inspect", "--json", "-p", "linux/amd64", stage.name]);
  const data = JSON.parse(stdout);
  assert.deepEqual(data.config, JSON.parse(Buffer.from(sample.config.bytes).toString()));
  assert.equal(data.digest, sample.manifest.descriptor.digest);
  const [layer] = data.layers;
  const { digest, size } = sample.layers[0]?.descriptor ?? {};
  assert.deepEqual([data.layers.length, layer.digest, layer.sizeBytes], [2, digest, size]);
  assert.deepEqual(data.platforms, [{ os: "linux", architecture: "amd64" }]);
  assert.equal(
    data.totalBytes,
    sample.layers.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
});

test("an archive that lies here is not asked of a registry, and its kinds are named", async () => {
  await using place = await scratch();
  await writeFile(join(place.directory, "image.tar"), "");
  for (const args of [
    ["ls", "image.tar"],
    ["image.tar", "d"],
    ["inspect", "./image.tar"],
  ]) {
    const { status, stderr } = await ociUnpack(args, { directory: place.directory });
    assert.equal(status, 2);
    assert.match(stderr, /docker-archive:/);
  }
  const { stderr } = await ociUnpack(["cat", "image.tar", "etc/motd"], { directory: place.directory });
  assert.match(
    stderr,
    /^error: cannot use "image\.tar" as the name of an image: it is a file here\nhint: docker-archive:image\.tar is/,
  );
});

test("podman's storage is not asked of a registry, and the ways to what it has are named", async () => {
  const image = "containers-storage:localhost/app:1";
  for (const args of [
    [image, "d"],
    ["ls", image],
    ["inspect", image],
  ]) {
    const { status, stderr } = await ociUnpack(args);
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^error: cannot use "containers-storage:.*\nhint: .* docker-daemon:localhost\/app:1; or podman save/,
    );
  }
});

const wrong: readonly (readonly [args: readonly string[], message: string])[] = [
  [["ls"], "cannot list files: IMAGE is missing"],
  [["cat", "img"], "cannot show a file: PATH is missing"],
  [["cat", "img", "a", "b"], 'cannot show a file: unexpected argument "b"'],
  [["inspect", "img", "a"], 'cannot inspect an image: unexpected argument "a"'],
  [["cat", "--json", "img", "a"], "cannot write both a file and JSON to standard output"],
  [["cat", "--recursive", "img", "a"], 'cannot read the command line: unknown option "--recursive"'],
];
for (const [args, message] of half(wrong)) {
  test(`${args.join(" ")} is a wrong command line`, async () => {
    const { status, stderr } = await ociUnpack(args);
    assert.equal(status, 2);
    assert.ok(stderr.startsWith(`error: ${message}`) || stderr.includes(message), stderr);
  });
}

for (const name of ["ls", "cat", "inspect"]) {
  test(`oci-unpack ${name} --help tells how to use it`, async () => {
    const { status, stdout } = await ociUnpack([name, "--help"]);
    assert.equal(status, 0);
    assert.ok(stdout.startsWith(`Usage: oci-unpack ${name} `));
  });
}
