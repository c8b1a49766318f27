import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  type AddedFile,
  type ExportForm,
  exportRootfs,
  registrySource,
  type UnpackOptions,
  unpack,
  verify,
} from "../../src/index.ts";
import { output } from "../support/command.ts";
import { image, stored } from "../support/image.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, symlink as link, tar } from "../support/tar-builder.ts";
import { half, third } from "../support/thorough.ts";
import { skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

const platform = "linux/amd64";
const sample = image([
  tar(
    directory("usr", { mtime: 5 }),
    directory("usr/sbin", { mtime: 5 }),
    link("sbin", "usr/sbin"),
    link("out", "../../../.."),
    file("etc/motd", "of the image"),
  ),
]);

interface Stage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly name: string;
  /** The path of a file in a directory of this test. */
  path(name: string): string;
  unpacked(add: readonly AddedFile[], options?: UnpackOptions): Promise<ReturnType<typeof readTree>>;
}

async function setStage(): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry();
  const name = stored(registry, "some/image", sample);
  const path = (each: string) => join(place.directory, each);
  await writeFile(path("init"), "#!/bin/sh\n");
  await chmod(path("init"), 0o750);
  return {
    registry,
    name,
    path,
    async unpacked(add, options = {}) {
      const { rootfs } = await unpack(name, path("target"), { platform, add, ...options });
      return readTree(rootfs);
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

test("a file of this machine comes on top of the image, with the mode of its source and the time 0", async () => {
  await using stage = await setStage();
  const tree = await stage.unpacked([{ source: stage.path("init"), target: "/init" }]);
  const { type, mode, mtime } = tree.init ?? {};
  assert.deepEqual([type, mode, mtime], ["file", "0750", "0.000000000"]);
});

describe("a target is reached as a layer's entry reaches it", () => {
  test("through the image's symlinks, which never lead out of the root", async () => {
    await using stage = await setStage();
    const { rootfs } = await unpack(stage.name, stage.path("target"), {
      platform,
      add: [
        { source: stage.path("init"), target: "sbin/init" },
        { source: stage.path("init"), target: "/out/escaped" },
        { source: stage.path("init"), target: "/new/parents/../init" },
      ],
    });
    assert.deepEqual((await readdir(join(rootfs, "usr/sbin"))).sort(), ["init"]);
    assert.ok((await readdir(rootfs)).includes("escaped"));
    assert.deepEqual(await readdir(join(rootfs, "new")), ["init"]);
  });

  test("and replaces what is there", async () => {
    await using stage = await setStage();
    const { rootfs } = await unpack(stage.name, stage.path("target"), {
      platform,
      add: [
        { source: stage.path("init"), target: "etc/motd", mode: 0o4755 },
        { source: stage.path("init"), target: "sbin" },
      ],
    });
    assert.equal(await readFile(join(rootfs, "etc/motd"), "utf8"), "#!/bin/sh\n");
    const tree = readTree(rootfs);
    assert.deepEqual([tree["etc/motd"]?.mode, tree.sbin?.type], ["4755", "file"]);
  });

  test("verify tells it as added", async () => {
    await using stage = await setStage();
    await stage.unpacked([{ source: stage.path("init"), target: "/init" }]);
    const { differences } = await verify(stage.path("target"), stage.name, { platform });
    assert.deepEqual(
      differences.map(({ kind, path }) => [kind, path]),
      [["added", "init"]],
    );
  });
});

test("nothing of it is told as a layer or a download of the image", async () => {
  await using stage = await setStage();
  const told: string[] = [];
  const result = await unpack(stage.name, stage.path("target"), {
    platform,
    add: [{ source: stage.path("init"), target: "/init" }],
    onEvent: (event) => {
      if ("layer" in event) told.push(`${event.type} ${event.layer}`);
    },
  });
  assert.deepEqual([...new Set(told.map((each) => each.split(" ")[1]))], ["0"]);
  assert.equal(result.layers, 1);
  assert.equal(result.downloadedBytes, sample.layers[0]?.descriptor.size);
});

test("what is added is wanted too where only a part of the image is", async () => {
  await using stage = await setStage();
  await writeFile(stage.path("odd"), "");
  const add = [
    { source: stage.path("init"), target: "/init" },
    { source: stage.path("odd"), target: "/a[b]*" },
  ];
  const tree = await stage.unpacked(add, { include: ["etc"] });
  assert.deepEqual(Object.keys(tree).sort(), [".", "a[b]*", "etc", "etc/motd", "init"]);
});

test("what is added is wanted where symlinks on its way have led it, and no pattern is told as matching nothing", async () => {
  await using stage = await setStage();
  const add = [
    { source: stage.path("init"), target: "/sbin/init" },
    { source: stage.path("init"), target: "/out/escaped" },
    { source: stage.path("init"), target: "/gone/init" },
    { source: stage.path("init"), target: "/gone" },
  ];
  const kept = [".", "escaped", "etc", "etc/motd", "gone", "usr", "usr/sbin", "usr/sbin/init"];
  const { rootfs, warnings } = await unpack(stage.name, stage.path("some"), { platform, add, include: ["etc"] });
  assert.deepEqual(Object.keys(readTree(rootfs)).sort(), kept);
  assert.deepEqual(warnings, { DUPLICATE_ENTRY: 1 });
  const without = await unpack(stage.name, stage.path("less"), { platform, add, include: ["etc"], exclude: ["usr"] });
  assert.deepEqual(
    Object.keys(readTree(without.rootfs)).sort(),
    kept.filter((path) => !path.startsWith("usr")),
  );
});

for (const [form, tool] of [
  ["tar", "tar"],
  ["erofs", "mkfs.erofs"],
  ["squashfs", "sqfstar"],
  ["ext4", "mke2fs"],
] as const satisfies readonly (readonly [ExportForm, string])[]) {
  test(`${form}: it is there, and the same bytes each time`, { skip: skipWithout(tool) }, async () => {
    await using stage = await setStage();
    const add = [{ source: stage.path("init"), target: "/init" }];
    const made: Buffer[] = [];
    for (const name of ["first", "second", "without"]) {
      const options = name === "without" ? {} : { add };
      await exportRootfs(stage.name, stage.path(name), { platform, form, ...options });
      made.push(await readFile(stage.path(name)));
    }
    const [first, second, without] = made;
    assert.ok(first && second && without);
    assert.ok(first.equals(second));
    assert.ok(!first.equals(without));
    if (form === "tar")
      assert.match(await output("tar", ["-tvf", stage.path("first")]), /rwxr-x---.* 1970-01-01 .* init$/m);
  });
}

describe("what cannot be added is one error before anybody is asked", () => {
  const wrong: Readonly<Record<string, readonly [Partial<AddedFile>, RegExp]>> = {
    "a target that climbs out": [{ target: "a/../../b" }, /target "a\/..\/..\/b" leads out of the root$/],
    "the root itself": [{ target: "/." }, /is the root itself$/],
    "a directory's name": [{ target: "etc/" }, /is a directory's name$/],
    "a whiteout": [{ target: "etc/.wh.motd" }, /would remove a file/],
    "a source that is missing": [{ source: "/nowhere/at/all" }, /no such file or directory/],
    "a source that is a directory": [{ source: "/" }, /"\/" is not a regular file$/],
    "a source that is a device": [{ source: "/dev/null" }, /is not a regular file$/],
    "a mode with more than permissions": [{ mode: 0o100755 }, /its mode is more than 0o7777$/],
    "a user that cannot be": [{ uid: 2 ** 32 - 1 }, /nobody has the number 4294967295$/],
  };
  for (const [what, [changes, message]] of half(Object.entries(wrong))) {
    test(what, async () => {
      await using stage = await setStage();
      const add = [{ source: stage.path("init"), target: "/init", ...changes }];
      for (const verb of [unpack, exportRootfs]) {
        const made = verb(stage.name, stage.path("target"), { platform, add });
        await assert.rejects(made, { code: "INVALID_OPTION", message });
      }
      assert.deepEqual(stage.registry.requests, []);
      assert.deepEqual(await readdir(stage.path(".")), ["init"]);
    });
  }
});

test("a source that changes while it is read is an error, and nothing is left", async () => {
  await using stage = await setStage();
  await mkdir(stage.path("beside"));
  const options: UnpackOptions = {
    platform,
    source: registrySource(),
    add: [{ source: stage.path("init"), target: "/init" }],
    approve: () => writeFile(stage.path("init"), "#!/bin/bash"),
  };
  await assert.rejects(unpack(stage.name, stage.path("beside/target"), options), {
    code: "FILE_SYSTEM",
    message: /^cannot add "[^"]*init": it was changed while it was read$/,
  });
  assert.deepEqual(await readdir(stage.path("beside")), []);
});

describe("the command", () => {
  test("takes a mode and an owner before the source", async () => {
    await using stage = await setStage();
    await symlink(stage.path("init"), stage.path("755"));
    const added = ["--add-file", `600:12:13:${stage.path("init")}:/a`, "--add-file", `${stage.path("755")}:b`];
    const args = ["--output", "tar", "-o", stage.path("tar"), "-p", platform, ...added, stage.name];
    const { status, stderr } = await ociUnpack(args);
    assert.equal(status, 0, stderr);
    const listed = await output("tar", ["--numeric-owner", "-tvf", stage.path("tar")]);
    assert.match(listed, /^-rw------- 12\/13 .* a$/m);
    assert.match(listed, /^-rwxr-x--- 0\/0 .* b$/m);
  });

  const wrong: Readonly<Record<string, RegExp>> = {
    init: /cannot use --add-file "init": a source and a target are expected/,
    ":/init": /a source and a target are expected/,
    "888:init:/init": /"888" is no mode in octal digits/,
    "755:1:init:/init": /too many or too few colons/,
    "755:me:1:init:/init": /"me" is no number of a user or group/,
    "755:1:1:nowhere:/init": /cannot read "nowhere": no such file or directory/,
    "init:/..": /cannot use --add-file: its target "\/.." leads out of the root/,
  };
  for (const [text, message] of third(Object.entries(wrong))) {
    test(`refuses ${text}`, async () => {
      await using place = await scratch();
      const { status, stderr } = await ociUnpack([
        "--add-file",
        text,
        "127.0.0.1:1/x",
        join(place.directory, "target"),
      ]);
      assert.deepEqual([status, message.test(stderr)], [2, true], stderr);
      assert.deepEqual(await readdir(place.directory), []);
    });
  }

  test("refuses it for copies and overlays", async () => {
    for (const form of ["layout", "overlay"]) {
      const { status, stderr } = await ociUnpack(["--output", form, "--add-file", "a:/b", "127.0.0.1:1/x", "./target"]);
      assert.deepEqual(
        [status, stderr.includes("cannot use --add-file: it goes with --output rootfs")],
        [2, true],
        stderr,
      );
    }
  });
});
