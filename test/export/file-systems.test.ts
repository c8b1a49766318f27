import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { type ExportForm, type ExportOptions, type ExportResult, exportRootfs } from "../../src/index.ts";
import type { Listing } from "../model/listing.ts";
import { image, stored } from "../support/image.ts";
import { mounted } from "../support/mounted.ts";
import { startRegistry } from "../support/registry-double.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";
import { skipUnlessMounting, skipWithout, type Tool } from "../support/tools.ts";
import { merged } from "../tree/merged.ts";
import { kept } from "./kept.ts";

type FileSystem = Exclude<ExportForm, "tar">;
const tools: Readonly<Record<FileSystem, Tool>> = { erofs: "mkfs.erofs", squashfs: "sqfstar", ext4: "mke2fs" };
const forms = Object.keys(tools) as FileSystem[];
const platform = "linux/amd64";

const holed = {
  runs: [
    { offset: 5, content: "data" },
    { offset: 1_000_000, content: "more" },
  ],
  size: 3_000_000,
};
const layers = [
  ...sampleLayers(),
  tar(
    sparsePax10("sparse", holed),
    directory("./", { mode: 0o750, xattrs: { "user.root": "\xff1", "user.a name": "2" } }),
    directory("attributes", { xattrs: { "user.a": "1" }, mtime: -100 }),
    file("attributes/of-a-file", "", { xattrs: { "trusted.a": "\xff", "security.b": "2" } }),
    file("attributes/with-an-equals-sign", "", { pax: { "LIBARCHIVE.xattr.user.a%3Db": "Mg" } }),
    symlink("attributes/of-a-link", "x", { xattrs: { "trusted.c": "3" }, mtime: 2 ** 33 }),
    hardlink("attributes/of-a-link-too", "attributes/of-a-link"),
    file("attributes/a-quarter-second", "", { pax: { mtime: "1234567890.25" } }),
    symlink("attributes/long", "t".repeat(3000)),
  ),
];

async function exported(
  form: FileSystem,
  archives: readonly Uint8Array[],
  path: string,
  options: ExportOptions = {},
): Promise<ExportResult> {
  await using registry = await startRegistry();
  const reference = stored(registry, "some/image", image(archives));
  return await exportRootfs(reference, path, { platform, form, ...options });
}

/** What the kernel shows of a file system. */
async function shown(form: FileSystem, path: string): Promise<Listing> {
  const [{ "lost+found": _lostAndFound, ...tree } = {}] = await mounted([
    { type: form, source: path, options: ["loop", "ro"] },
  ]);
  return tree;
}

for (const form of forms) {
  describe(`as ${form}`, { skip: skipWithout(tools[form]) }, () => {
    test("the kernel shows what the layers say, as far as such a file system keeps it", {
      skip: skipUnlessMounting(),
    }, async () => {
      await using place = await scratch();
      const path = join(place.directory, form);
      const { bytes, skipped, file: exportedFile } = await exported(form, layers, path);
      assert.deepEqual({ bytes, exportedFile }, { bytes: (await stat(path)).size, exportedFile: path });
      const whole = merged(layers).outcome as Listing;
      const wanted = kept(form, whole);
      assert.deepEqual(await shown(form, path), wanted);
      if (form === "ext4") execFileSync("e2fsck", ["-fn", path], { stdio: "pipe" });
      const lost = Object.entries(whole).filter(
        ([name, { xattrs }]) => Object.keys(xattrs).join() !== Object.keys(wanted[name]?.xattrs ?? {}).join(),
      );
      const told = skipped
        .filter(({ reason }) => reason === "xattr-unsupported")
        .map(({ path }) => path.replace(/\/$/, ""));
      const names = lost.filter(
        ([, { sameFileAs }], index) => sameFileAs === undefined || lost[index]?.[0] === sameFileAs,
      );
      assert.deepEqual([...new Set(told)].sort(), names.map(([name]) => name).sort(), "what is lost is told");
    });

    test("the same image makes the same bytes", async () => {
      await using place = await scratch();
      const paths = [join(place.directory, "one"), join(place.directory, "two")];
      for (const path of paths) await exported(form, layers, path);
      execFileSync("cmp", paths);
      assert.deepEqual((await readdir(place.directory)).sort(), ["one", "two"]);
    });

    test("a full disk leaves nothing", { skip: skipUnlessMounting() }, async () => {
      await using place = await scratch();
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=7m", "tmpfs", place.directory]);
      try {
        const archive = tar(file("large", randomBytes(5_000_000)));
        await assert.rejects(exported(form, [archive], join(place.directory, "image")), { code: "NO_SPACE" });
        assert.deepEqual(await readdir(place.directory), []);
      } finally {
        execFileSync("umount", [place.directory]);
      }
    });

    test("a program that makes an empty one and says that all is well has failed", async () => {
      await using place = await scratch();
      const target = join(place.directory, "target");
      await mkdir(target);
      const script = `#!/bin/sh
        /bin/cat > /dev/null
        for each; do case $each in /*) /usr/bin/head -c 4096 /dev/zero > "$each" ;; esac; done`;
      await writeFile(join(place.directory, tools[form]), script, { mode: 0o755 });
      const archives = [tar(directory("a"), file("a/b"), hardlink("a/c", "a/b"))];
      await assert.rejects(exported(form, archives, join(target, "image"), { toolPath: place.directory }), {
        code: "TOOL_FAILED",
        message: `cannot make the file system: ${tools[form]} made 0 of 3 files and directories`,
      });
      assert.deepEqual(await readdir(target), []);
    });

    test("a missing program is told with its package before anything is asked for", async () => {
      await using place = await scratch();
      await using registry = await startRegistry();
      const reference = stored(registry, "some/image", image(layers));
      const path = join(place.directory, "image");
      const hint = { erofs: /erofs-utils/, squashfs: /squashfs-tools/, ext4: /e2fsprogs/ }[form];
      const options = { platform, form, toolPath: place.directory };
      await assert.rejects(exportRootfs(reference, path, options), {
        ...{ code: "TOOL_MISSING", message: `cannot run ${tools[form]}: it is not installed`, hint },
      });
      assert.deepEqual(registry.requests, []);
      assert.deepEqual(await readdir(place.directory), []);
    });
  });
}

test("an ext4 file system has the size that the caller says, and room for as many files", {
  skip: skipWithout("mke2fs"),
}, async () => {
  await using place = await scratch();
  const path = join(place.directory, "image");
  assert.equal(
    (await exported("ext4", [tar(file("a", "1"))], path, { sizeBytes: 64 * 1024 * 1024 })).bytes,
    64 * 1024 * 1024,
  );
  const told = execFileSync("dumpe2fs", ["-h", path], { encoding: "utf8", stdio: "pipe" });
  assert.match(told, /^Inode count: +4096$/m);
  const small = exported("ext4", [tar(file("a", "x".repeat(9_000_000)))], `${path}2`, { sizeBytes: 8 * 1024 * 1024 });
  await assert.rejects(small, ({ code }) => code === "TOOL_FAILED" || code === "NO_SPACE");
  assert.deepEqual(await readdir(place.directory), ["image"]);
});

test("a file system is not made in a stream", async () => {
  await assert.rejects(exportRootfs("localhost:1/x", new PassThrough(), { form: "erofs" }), {
    ...{ code: "INVALID_OPTION", message: "cannot make a file system in a stream: it has to be a file" },
  });
});
