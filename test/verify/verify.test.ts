import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  sourceFor,
  store,
  storedNameFor,
  storedSource,
  type UnpackOptions,
  unpack,
  unpackOverlay,
  verify,
} from "../../src/index.ts";
import { asUser, ordinaryUser, program, skipUnlessNodeIsOpen, skipWithoutUserNamespaces } from "../hostile/as-user.ts";
import { accessControlList } from "../support/acl.ts";
import { outcomeOf } from "../support/command.ts";
import { type Image, image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { withBody } from "../support/registry-reply.ts";
import { removeTree } from "../support/remove-tree.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { device, directory, fifo, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";
import { shareOf, third } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

const platform = "linux/amd64";
const skip = skipUnlessRoot();

interface Stage extends Scratch {
  readonly registry: RegistryDouble;
  readonly reference: string;
  readonly target: string;
  readonly rootfs: string;
}

/** An image in a registry, and unpacked. */
async function setStage(one: Image, options: UnpackOptions = {}): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry();
  const reference = stored(registry, "some/image", one);
  const target = join(place.directory, "target");
  const { rootfs } = await unpack(reference, target, { platform, ...options });
  return {
    ...{ directory: place.directory, registry, reference, target, rootfs },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

test("what was just unpacked is the same, to the last attribute, and stays as it was", { skip }, async () => {
  await using stage = await setStage(image(sampleLayers()));
  const before = readTree(stage.target);
  const accessed = () => ["", "etc", "etc/hosts"].map((path) => statSync(join(stage.rootfs, path)).atimeMs);
  const accessedBefore = accessed();
  const { differences, differenceCount, entries, digest, reference } = await verify(stage.target, stage.reference);
  assert.deepEqual([differences, differenceCount], [[], 0]);
  assert.deepEqual(accessed(), accessedBefore);
  assert.equal(entries, Object.keys(readTree(stage.rootfs)).length);
  assert.deepEqual([digest, reference], [image(sampleLayers()).manifest.descriptor.digest, stage.reference]);
  assert.deepEqual(readTree(stage.target), before);
});

/** Of the two users only one has a place in the maps below. */
const listForSomebody = accessControlList(
  ...([
    ["user", 6],
    ["user", 6, 5],
    ["user", 6, 100_000],
    ["group", 4],
    ["mask", 6],
    ["other", 4],
  ] as const),
);
const capabilities = Buffer.from("0100000200040000000000000000000000000000", "hex");

const owned = image([
  tar(
    file("etc/theirs", "1", { uid: 1000, gid: 50, mode: 0o640 }),
    directory("etc", { uid: 3, gid: 4, mode: 0o2750 }),
    device("dev/null", "character", [1, 3], { uid: 7 }),
    symlink("etc/link", "theirs", { uid: 1000 }),
    fifo("queue", { gid: 9 }),
    file("listed", "", { xattrs: { "user.a": "1", "user.overlay.b": "2", "trusted.c": "3" } }),
    file("old", "", { mtime: { seconds: 5_000_000_000, nanoseconds: 7 } }),
    hardlink("listed-too", "listed"),
    file("for-somebody", "", { mode: 0o644, xattrs: { "system.posix_acl_access": listForSomebody } }),
    file("ping", "", { mode: 0o755, xattrs: { "security.capability": capabilities } }),
  ),
  tar(file("link/below", "1"), symlink("kept", "etc")),
  tar(directory("kept"), file("kept/inside", "2")),
]);

describe("an unpacking that did something else than the default is the same with the same options:", { skip }, () => {
  const everybody = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
  const cases: Readonly<Record<string, UnpackOptions>> = {
    "owners ignored": { owner: "ignore" },
    "owners noted": { owner: "ignore", recordOwners: true, devices: "placeholder" },
    "owners shifted": { uidMap: everybody, gidMap: everybody },
    "devices made": { devices: "create" },
    "files for devices": { devices: "placeholder" },
    "files for devices, noted": { devices: "placeholder", recordOwners: true },
    "attributes included": { xattrInclude: ["user.overlay.*"] },
    "attributes excluded": { xattrExclude: ["user.*"] },
    "links to directories kept": { keepDirlinks: true },
    "times of nobody's": { sourceDateEpoch: 1_234_567_890 },
    "a part": { include: ["etc", "listed-too"], exclude: ["etc/link"] },
  };
  for (const [what, options] of third(Object.entries(cases))) {
    test(what, async () => {
      await using stage = await setStage(owned, options);
      assert.deepEqual((await verify(stage.target, stage.reference, options)).differences, []);
      const { differenceCount } = await verify(stage.target, stage.reference);
      assert.notEqual(differenceCount, 0, "and different without them");
    });
  }
});

test("what the kernel and the file system make of an attribute is no difference", async () => {
  const known = process.getuid?.(); // an id that a user namespace has, if this is one
  const lists = {
    trivial: [acl(0x01, 6), acl(0x04, 4), acl(0x20, 4)],
    real: [acl(0x01, 6), acl(0x02, 7, known), acl(0x04, 4), acl(0x10, 5), acl(0x20, 4)],
  };
  const files = Object.entries(lists).map(([name, entries]) => {
    const value = Buffer.concat([Buffer.from([2, 0, 0, 0]), ...entries]);
    return file(name, "", { mode: 0o644, xattrs: { "system.posix_acl_access": value } });
  });
  const ages = [-70_000_000_000, 70_000_000_000].map((seconds) => {
    return file(`${seconds}`, "", { mtime: { seconds, nanoseconds: 7 } });
  });
  await using stage = await setStage(image([tar(...files, ...ages, symlink("link", "x"))]));
  assert.deepEqual((await verify(stage.target, stage.reference)).differences, []);
  chmodSync(join(stage.rootfs, "real"), 0o600);
  execFileSync("touch", ["-d", "@1700000000", join(stage.rootfs, "70000000000")]);
  assert.deepEqual((await verify(stage.target, stage.reference)).differences, [
    { kind: "changed", path: "70000000000", parts: ["time"] },
    { kind: "changed", path: "real", parts: ["xattrs"] },
  ]);
});

/** An entry of an access-control list as the kernel has it (linux/posix_acl_xattr.h). */
function acl(tag: number, permissions: number, id = 0xffffffff): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(tag, 0);
  bytes.writeUInt16LE(permissions, 2);
  bytes.writeUInt32LE(id, 4);
  return bytes;
}

test("in a bundle the image's configuration counts, not the container's", async () => {
  await using stage = await setStage(image([tar(file("a", "1"))]), { bundle: true });
  writeFileSync(join(stage.target, "config.json"), "{}");
  assert.deepEqual((await verify(stage.target, stage.reference)).differences, []);
});

test("a file of terabytes, almost all holes, is compared at once, and what hides in a hole is found", async () => {
  const size = 2 ** 42;
  const sparse = {
    size,
    runs: [
      { offset: 8192, content: "data" },
      { offset: size - 4096, content: "end" },
    ],
  };
  const options = { limits: { apparentFileBytes: 2 ** 43 } };
  await using stage = await setStage(image([tar(sparsePax10("large", sparse))]), options);
  const path = join(stage.rootfs, "large");
  assert.deepEqual((await verify(stage.target, stage.reference, options)).differences, []);
  execFileSync("dd", ["if=/dev/zero", `of=${path}`, "bs=4096", "seek=1000", "count=1", "conv=notrunc", "status=none"]);
  execFileSync("touch", ["-d", "@1000000000", path]);
  assert.deepEqual((await verify(stage.target, stage.reference, options)).differences, [], "zeros are as good");
  execFileSync("dd", [`of=${path}`, "bs=1", `seek=${2 ** 41}`, "conv=notrunc", "status=none"], { input: "x" });
  execFileSync("touch", ["-d", "@1000000000", path]);
  const { differences } = await verify(stage.target, stage.reference, options);
  assert.deepEqual(differences, [{ kind: "changed", path: "large", parts: ["content"] }]);
});

test("a name that stands for another image by now is an error that says so", async () => {
  await using stage = await setStage(image([tar(file("a", "1"))]));
  stored(stage.registry, "some/image", image([tar(file("a", "2"))]));
  await assert.rejects(verify(stage.target, stage.reference), {
    code: "DIGEST_MISMATCH",
    message: /^cannot verify ".*": its configuration is sha256:\w+, that of ".*" is sha256:\w+$/,
    hint: /name the one that was unpacked by its digest/,
  });
});

test("layers that are not what the manifest says prove nothing", async () => {
  await using stage = await setStage(image([tar(file("a", "1"))]));
  stage.registry.next(
    /\/blobs\//,
    withBody((bytes) => bytes),
  );
  stage.registry.next(
    /\/blobs\//,
    withBody((bytes) => bytes.map((byte) => byte ^ 1)),
  );
  await assert.rejects(verify(stage.target, stage.reference), { code: "DIGEST_MISMATCH" });
});

test("a directory that no image was unpacked into is an error that says so", async () => {
  await using place = await scratch();
  const hint = /the directory that an image was unpacked into/;
  await assert.rejects(verify(place.directory, "localhost:1/x"), {
    code: "NOT_FOUND",
    message: /no config.json/,
    hint,
  });
  writeFileSync(join(place.directory, "config.json"), '{"rootfs":{"type":"layers","diff_ids":[]}}');
  await assert.rejects(verify(place.directory, "localhost:1/x"), { code: "NOT_FOUND", message: /no directory/, hint });
  mkdirSync(join(place.directory, "fifo"));
  execFileSync("mkfifo", [join(place.directory, "fifo/config.json")]);
  await assert.rejects(verify(join(place.directory, "fifo"), "localhost:1/x"), { message: /: it is no file$/ });
  execFileSync("ln", ["-s", "/", join(place.directory, "rootfs")]);
  await assert.rejects(verify(place.directory, "localhost:1/x"), { code: "NOT_FOUND", message: /no directory/, hint });
});

test("an overlay that is not mounted is an error that says so, whether its mount point is there or not", {
  skip,
}, async () => {
  await using place = await scratch();
  await using registry = await startRegistry();
  const target = join(place.directory, "overlay");
  await unpackOverlay(stored(registry, "some/image", image([tar(file("a", "1"))])), target, { platform });
  const expected = {
    code: "NOT_FOUND",
    message: /: it is an overlay, and not mounted$/,
    hint: /^mount it first, at its place: sh .*\/overlay\/mount.sh$/,
  };
  await assert.rejects(verify(target, "localhost:1/x"), expected);
  mkdirSync(join(target, "rootfs"));
  await assert.rejects(verify(target, "localhost:1/x"), expected);
});

test("a deep tree is compared to its end", async () => {
  const path = `${"d/".repeat(1000)}`;
  await using stage = await setStage(image([tar(file(`${path}f`, "1"))]));
  const { entries, differences } = await verify(stage.target, stage.reference);
  removeTree(stage.directory);
  assert.deepEqual([entries, differences], [1002, []]);
});

test("of millions of differences ten thousand are listed, and all are counted", { skip }, async () => {
  await using stage = await setStage(image([tar(directory("d"))]));
  for (let index = 0; index < 10_050; index += 1) writeFileSync(join(stage.rootfs, "d", String(index)), "");
  const { differences, differenceCount } = await verify(stage.target, stage.reference);
  assert.deepEqual([differences.length, differenceCount], [10_000, 10_050]);
});

test("a store knows the image by the configuration in the directory", async () => {
  await using stage = await setStage(image([tar(file("a", "1"))]));
  const kept = store(join(stage.directory, "store"));
  await assert.rejects(storedNameFor(stage.target, kept), { code: "NOT_FOUND", message: /there is none/ });
  const others = [stored(stage.registry, "another/image", image([tar(file("a", "2"))])), stage.reference];
  for (const [index, reference] of others.entries()) {
    await using source = storedSource(sourceFor(reference), kept);
    await unpack(reference, join(stage.directory, String(index)), { platform, source });
  }
  assert.equal(await storedNameFor(stage.target, kept), stage.reference);
  writeFileSync(join(stage.target, "config.json"), '{"rootfs":{"type":"layers","diff_ids":[]}}');
  await assert.rejects(storedNameFor(stage.target, kept), { code: "NOT_FOUND", hint: /name the image too/ });
});

describe("an ordinary user", { skip: skip || skipWithout("setpriv") || skipUnlessNodeIsOpen() }, () => {
  const options = ["--devices", "create", "-p", platform];

  /** The image, unpacked by an ordinary user. `again` runs the command as that user. */
  async function unpackedByUser(one: Image, args: readonly string[]) {
    const place = await scratch();
    const command = program();
    chmodSync(place.directory, 0o755);
    const layout = join(place.directory, "layout");
    await writeImageLayout(layout, [{ tag: "x", images: [one] }]);
    const home = join(place.directory, "home");
    mkdirSync(home);
    chownSync(home, ordinaryUser.uid, ordinaryUser.gid);
    const target = join(home, "target");
    const name = `oci:${layout}:x`;
    const { status, stderr } = await command.run(ordinaryUser, [...args, name, target], home);
    assert.equal(status, 0, stderr);
    return {
      ...{ target, rootfs: join(target, "rootfs"), name, home, command },
      verified: () => command.run(ordinaryUser, ["verify", ...args, target, name], home),
      async [Symbol.asyncDispose]() {
        await place[Symbol.asyncDispose]();
      },
    };
  }

  for (const more of shareOf(4, [[], ["--rootless"], ["--owner", "preserve"], ["--owner", "preserve", "--rootless"]])) {
    test(`finds unchanged what an ordinary user can have of an image ${more.join(" ")}`, async () => {
      await using stage = await unpackedByUser(owned, [...options, ...more]);
      const { status, stdout, stderr } = await stage.verified();
      assert.deepEqual([status, stdout], [0, ""], stderr);
      writeFileSync(join(stage.rootfs, "etc/theirs"), "2");
      assert.equal((await stage.verified()).stdout, "changed     etc/theirs (time, content)\n");
    });
  }

  test("finds an owner that is noted otherwise", { skip: skipWithout("setfattr") }, async () => {
    await using stage = await unpackedByUser(owned, [...options, "--rootless"]);
    const path = join(stage.rootfs, "etc/theirs");
    execFileSync("setfattr", ["-n", "user.containers.override_stat", "-v", "0:0:0640:file", path]);
    assert.equal((await stage.verified()).stdout, "changed     etc/theirs (owner)\n");
  });

  test("is told what nobody but root may read, and reads it as root of a user namespace", {
    skip: skipWithoutUserNamespaces(),
  }, async () => {
    const closed = image([tar(file("shadow", "secret", { mode: 0 }), directory("d", { mode: 0 }), file("d/x", "1"))]);
    await using stage = await unpackedByUser(closed, ["-p", platform]);
    const { status, stdout, stderr } = await stage.verified();
    assert.deepEqual([status, stdout], [3, "unreadable  d\nunreadable  shadow\n"]);
    assert.match(stderr, /unshare --map-root-user/);
    const args = ["--map-root-user", process.execPath, stage.command.entry, "verify", stage.target, stage.name];
    const inside = await outcomeOf("setpriv", asUser(ordinaryUser, "unshare", args), {
      ...{ environment: { HOME: stage.home }, directory: "/" },
    });
    assert.deepEqual([inside.status, inside.stdout], [0, ""], inside.stderr);
  });
});

test("a tree of any depth is compared by a process that may open few files", async () => {
  await using place = await scratch();
  const script = fileURLToPath(new URL("compared-with-few-handles.js", import.meta.url));
  const command = 'ulimit -n 64 && exec "$@"';
  const args = ["-c", command, "sh", process.execPath, script, place.directory, "2000"];
  const { stdout, stderr } = spawnSync("sh", args, { encoding: "utf8" });
  assert.equal(stdout, "2003 compared, 0 different\n", stderr);
});

test("of very long paths only some are told, and all are counted", async () => {
  const deep = Array.from({ length: 240 }, () => "d".repeat(250)).join("/");
  const files = Array.from({ length: 300 }, (_, n) => file(`${deep}/${n}`, "", { xattrs: { "user.a": "1" } }));
  await using stage = await setStage(image([tar(...files)]), { xattrExclude: ["user.a"] });
  const { differences, differenceCount } = await verify(stage.target, stage.reference);
  assert.equal(differenceCount, 300);
  const bytes = differences.reduce((sum, { path }) => sum + path.length, 0);
  assert.ok(bytes > 15 * 1024 ** 2 && bytes <= 16 * 1024 ** 2, `${bytes} bytes of paths were told`);
});
