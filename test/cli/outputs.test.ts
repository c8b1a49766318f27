import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { CopyResult, ExportResult, OverlayResult } from "../../src/index.ts";
import { outcomeOf, output } from "../support/command.ts";
import { type Image, image, imageIndex } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { half, third } from "../support/thorough.ts";
import { skipUnlessRoot, skipUnlessWhiteouts, skipWithout } from "../support/tools.ts";

const sample = image(sampleLayers());
const other = image([], { platform: { os: "linux", architecture: "s390x" } });

async function setStage(first: Image = sample): Promise<Scratch & { readonly name: string }> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "both", images: [first, other], index: imageIndex([first, other]) }]);
  return { ...place, name: `oci:${layout}:both` };
}

test("--output layout copies an image for one platform, or for all", async () => {
  await using stage = await setStage();
  for (const [args, digest] of [
    [["-p", "linux/amd64"], sample.manifest.descriptor.digest],
    [["--all-platforms"], imageIndex([sample, other]).descriptor.digest],
  ] as const) {
    const path = join(stage.directory, digest.slice(7, 15));
    const { stdout, stderr } = await ociUnpack(["--output", "layout", "-o", path, ...args, "--json", "-q", stage.name]);
    assert.equal(stderr, "");
    assert.equal((JSON.parse(stdout) as CopyResult).digest, digest);
    const { manifests } = JSON.parse(await readFile(join(path, "index.json"), "utf8"));
    assert.equal(manifests[0].digest, digest);
  }
});

test("an archive goes into a file, or through a pipe, with the same bytes", async () => {
  await using stage = await setStage();
  const file = join(stage.directory, "image.tar");
  const args = ["--output", "docker-archive", "-p", "linux/amd64"];
  const { status, stderr } = await ociUnpack([...args, "-o", file, stage.name]);
  assert.deepEqual([status, /^copied /m.test(stderr)], [0, true], stderr);
  const pipe = `"$0" "$@" -q -o - | cat > ${stage.directory}/piped.tar`;
  await outcomeOf("sh", ["-c", pipe, process.execPath, commandEntry, ...args, stage.name]);
  assert.ok((await readFile(file)).equals(await readFile(join(stage.directory, "piped.tar"))));
});

test("whoever reads an archive and goes away is told of, and nothing hangs", async () => {
  await using stage = await setStage(image([tar(file("more than a pipe holds", randomBytes(1_000_000)))]));
  const args = ["--output", "oci-archive", "-p", "linux/amd64", "-q", "-o", "-", stage.name];
  const script = `{ "$0" "$@"; echo $? > ${stage.directory}/status; } | head -c 1000 > /dev/null`;
  const { stderr } = await outcomeOf("sh", ["-c", script, process.execPath, commandEntry, ...args]);
  assert.match(stderr, /^error: cannot write the output: broken pipe \(EPIPE\)/);
  assert.equal(await readFile(join(stage.directory, "status"), "utf8"), "1\n");
});

test("--output overlay makes directories of layers, and says how to mount them", {
  skip: skipUnlessRoot() || skipUnlessWhiteouts(),
}, async () => {
  await using stage = await setStage();
  const target = join(stage.directory, "overlay");
  const args = ["--output", "overlay", "-p", "linux/amd64", "--store", join(stage.directory, "store"), stage.name];
  const { status, stderr } = await ociUnpack([...args, target]);
  assert.deepEqual([status, stderr.includes(`mount it with: sh ${target}/mount.sh`)], [0, true], stderr);
  assert.deepEqual((await readdir(join(target, "layers"))).sort(), ["0", "1", "2", "3", "upper", "work"]);
  const again = await ociUnpack([...args, `${target}-again`, "--json"]);
  assert.equal((JSON.parse(again.stdout) as OverlayResult).reusedLayers, 4);
  assert.match(again.stderr, /4 layers of these came from the store/);
});

test("--output tar writes all files into one archive, in a file or through a pipe", {
  skip: skipWithout("tar"),
}, async () => {
  await using stage = await setStage();
  const path = join(stage.directory, "rootfs.tar");
  const args = ["--output", "tar", "-p", "linux/amd64", stage.name];
  const { status, stderr } = await ociUnpack([...args, "-o", path]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^wrote oci:\S+ to \/\S+\/rootfs\.tar \(tar, 3\.\d\d MB\)$/m);
  assert.match(await output("tar", ["-tf", path]), /^\.\/\nbin\/\nbin\/ping\n/);
  await output("sh", [
    "-c",
    `"$0" "$@" -q -o - > ${stage.directory}/piped.tar`,
    process.execPath,
    commandEntry,
    ...args,
  ]);
  assert.ok((await readFile(path)).equals(await readFile(join(stage.directory, "piped.tar"))));
});

test("--output ext4 makes a file system of the size that is asked for", { skip: skipWithout("mke2fs") }, async () => {
  await using stage = await setStage();
  const path = join(stage.directory, "root.ext4");
  const args = ["--output", "ext4", "--size", "64M", "-o", path, "-p", "linux/amd64", "--json", "-q", stage.name];
  const { status, stdout, stderr } = await ociUnpack(args, { env: { PATH: "/usr/bin:/bin" } });
  assert.equal(status, 0, stderr);
  const { form, bytes, file: made } = JSON.parse(stdout) as ExportResult;
  assert.deepEqual({ form, bytes, made }, { form: "ext4", bytes: 64 * 1024 * 1024, made: path });
});

test("SOURCE_DATE_EPOCH is the only time in what is made, so that it is the same at any time and in any zone", {
  skip: skipWithout("tar", "mkfs.erofs", "sqfstar", "mke2fs"),
}, async () => {
  await using stage = await setStage(image([tar(file("implied/a", "1"))]));
  const made = async (form: string, name: string, environment: Readonly<Record<string, string>>) => {
    const path = join(stage.directory, `${name}.${form}`);
    const args = ["--output", form, "-o", path, "-p", "linux/amd64", "-q", stage.name];
    const { status, stderr } = await ociUnpack(args, { env: { PATH: process.env.PATH ?? "", ...environment } });
    assert.deepEqual([status, stderr], [0, ""]);
    return path;
  };
  const forms = ["tar", "erofs", "squashfs", "ext4"];
  const early = { SOURCE_DATE_EPOCH: "86400", TZ: "UTC" };
  const first = await Promise.all(forms.map((form) => made(form, "first", early)));
  await setTimeout(1000 - (Date.now() % 1000) + 10); // file systems count whole seconds
  for (const [index, form] of half([...forms.entries()])) {
    const bytes = await readFile(first[index] ?? "");
    assert.ok(bytes.equals(await readFile(await made(form, "again", { ...early, TZ: "Asia/Tokyo" }))), form);
    assert.ok(!bytes.equals(await readFile(await made(form, "later", { SOURCE_DATE_EPOCH: "172800" }))), form);
  }
  const [archive = "", , , ext4 = ""] = first;
  assert.match(await output("tar", ["--utc", "--full-time", "-tvf", archive]), /1970-01-02 00:00:00 implied\//);
  assert.match(
    await output("dumpe2fs", ["-h", ext4], { environment: { TZ: "UTC", PATH: `${process.env.PATH}:/usr/sbin:/sbin` } }),
    /created: +Fri Jan +2 00:00:00 1970/,
  );
});

test("--include and --exclude take a part of the image", async () => {
  await using stage = await setStage();
  const target = join(stage.directory, "part");
  const patterns = ["--include", "etc", "--include", "bin/su", "--exclude", "**/linked-*"];
  const { status, stderr } = await ociUnpack([...patterns, "-p", "linux/amd64", stage.name, target]);
  assert.equal(status, 0, stderr);
  const found = await readdir(join(target, "rootfs"), { recursive: true });
  assert.deepEqual(found.sort(), ["bin", "bin/su", "etc", "etc/before-1970", "etc/far-future", "etc/hosts"]);
});

const wrong: readonly (readonly [args: readonly string[], message: string])[] = [
  [
    ["--output", "layout", "--include", "etc", "-o", "x", "img"],
    "cannot use --include: it goes with --output rootfs, tar, erofs, squashfs, ext4, files",
  ],
  [
    ["--output", "layout", "--store", "s", "--keep", "-o", "x", "img"],
    "cannot use --keep: it goes with --output rootfs, tar, erofs, squashfs, ext4",
  ],
  [
    ["--output", "overlay", "--store", "s", "--keep", "img", "d"],
    "cannot use --keep: it goes with --output rootfs, tar, erofs, squashfs, ext4",
  ],
  [
    ["--output", "tar", "--keep", "-o", "x", "img"],
    "cannot keep the output: there is no store that it could be kept in",
  ],
  [
    ["--output", "tar", "--store", "s", "--clone", "copy", "-o", "x", "img"],
    "cannot use --clone: it goes with --output rootfs",
  ],
  [["--clone", "copy", "img", "d"], "cannot keep the output: there is no store that it could be kept in"],
  [["--keep", "img", "d"], "cannot keep the output: there is no store that it could be kept in"],
  [["--output", "tar", "img"], "cannot make tar: the destination is missing"],
  [["--output", "overlay", "--mtree", "x", "img", "d"], "cannot use --mtree: it goes with --output rootfs"],
  [["--output", "erofs", "-o", "-", "img"], "cannot make erofs on standard output: a file system is made in a file"],
  [["--output", "tar", "--owner", "ignore", "-o", "x", "img"], "cannot use --owner: it goes with --output rootfs"],
  [
    ["--output", "layout", "--rootless", "-o", "x", "img"],
    "cannot use --rootless: it goes with --output rootfs or overlay: in a file or a copy, owners are the image's",
  ],
  [
    ["--output", "docker-archive", "--devices", "create", "-o", "x", "img"],
    "cannot use --devices: it goes with --output rootfs, tar, erofs, squashfs, ext4, overlay",
  ],
  [
    ["--output", "erofs", "--verity-file", "-", "-o", "x", "img"],
    "cannot write the hash tree to standard output: it has to be a file\nhint: a file of that name is ./-\n",
  ],
  [
    ["--output", "erofs", "--verity-file", "x", "-o", "x", "img"],
    "cannot use --verity-file: it is the file of the file system\nhint: --verity puts the hash tree there\n",
  ],
  [["--output", "squashfs", "--size", "1G", "-o", "x", "img"], "cannot use --size: it goes with --output ext4"],
  [
    ["--output", "ext4", "--size", "big", "-o", "x", "img"],
    'cannot use --size: a size such as 500M or 10G is expected, found "big"',
  ],
];
for (const [args, message] of third(wrong)) {
  test(`${args.join(" ")} is a wrong command line`, async () => {
    const { status, stderr } = await ociUnpack(args);
    assert.equal(status, 2);
    assert.ok(stderr.startsWith(`error: ${message}`), stderr);
  });
}
