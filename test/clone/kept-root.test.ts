import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { type UnpackOptions, verify } from "../../src/index.ts";
import { type Image, image } from "../support/image.ts";
import { reflinkingFileSystem, skipUnlessReflinks } from "../support/reflinks.ts";
import { directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { half, isThorough, shareOf } from "../support/thorough.ts";
import { readTree } from "../support/tree.ts";
import { differences } from "../support/tree-differences.ts";
import { richImage, setStage } from "./stage.ts";

const options: UnpackOptions = { devices: "create" };

/** A small one, of which everything is checked by name. */
const small: Image = image([
  tar(
    directory("bin"),
    file("bin/tool", "#!/bin/sh\n", { mode: 0o4755 }),
    hardlink("bin/again", "bin/tool"),
    directory("etc"),
    file("etc/name", "content"),
    file("etc/secret", "hidden", { mode: 0 }),
    symlink("etc/link", "name"),
  ),
]);

describe("a root filesystem of a tree that is kept", () => {
  test("is what the image says, to the last attribute", async () => {
    await using stage = await setStage(richImage());
    const made = await stage.unpack(options);
    const plain = readTree(made.rootfs);
    const verified = async (rootfs: string) => (await verify(dirname(rootfs), stage.name, options)).differences;
    const expected = await verified(made.rootfs);
    const words = { copy: "copied", hardlink: "hardlink" } as const;
    for (const [index, clone] of half(["copy", "hardlink"] as const, 1).entries()) {
      // Whoever comes first makes the tree.
      for (const how of index === 0 ? [undefined, words[clone]] : [words[clone]]) {
        const { rootfs, kept } = await stage.unpack({ ...options, clone });
        assert.equal(kept, how);
        assert.deepEqual(differences(readTree(rootfs), plain), [], clone);
        assert.deepEqual(await verified(rootfs), expected, clone);
      }
    }
  });

  test("shares its blocks with the kept one where the file system can", { skip: skipUnlessReflinks() }, async () => {
    await using disk = await reflinkingFileSystem();
    await using stage = await setStage(isThorough ? richImage() : small, {
      stores: disk.directory,
      targets: disk.directory,
    });
    const plain = readTree((await stage.unpack(options)).rootfs);

    await stage.unpack({ ...options, keep: true });
    const { rootfs, kept } = await stage.unpack({ ...options, clone: "reflink" });

    assert.equal(kept, "reflink");
    assert.deepEqual(differences(readTree(rootfs), plain), []);
    const { differences: found } = await verify(dirname(rootfs), stage.name, options);
    assert.deepEqual(found, []);
  });

  test("is given out with all that was told when it was made", async () => {
    await using stage = await setStage(small);
    const told: string[] = [];
    const first = await stage.unpack({ keep: true, add: [] });
    const second = await stage.unpack({ keep: true, onEvent: ({ type }) => told.push(type) });
    const { milliseconds: _first, rootfs: _rootfs, config: _config, downloadedBytes: _bytes, ...expected } = first;
    const { milliseconds: _second, rootfs, config: _other, downloadedBytes, kept, ...found } = second;
    assert.deepEqual(found, expected);
    assert.deepEqual([downloadedBytes, kept], [0, "copied"]);
    assert.ok(!told.includes("layer-started"), `${told}`);
    assert.equal(told.filter((type) => type === "sandbox").length, 1, `${told}`);
    assert.ok(statSync(rootfs).isDirectory());
  });

  test("has no files that are the store's, unless hard links were asked for", async () => {
    await using stage = await setStage(small);
    await stage.unpack({ keep: true });
    const [tree = ""] = await stage.trees();
    const kept = statSync(join(tree, "rootfs/etc/name")).ino;
    const copied = await stage.unpack({ clone: "copy" });
    const linked = await stage.unpack({ clone: "hardlink" });
    assert.notEqual(statSync(join(copied.rootfs, "etc/name")).ino, kept);
    assert.equal(statSync(join(linked.rootfs, "etc/name")).ino, kept);
    assert.equal(statSync(join(linked.rootfs, "bin")).ino === statSync(join(tree, "rootfs/bin")).ino, false);
  });

  test("lists what it has, as the one that was made of layers did", async () => {
    await using stage = await setStage(small);
    const [one, two] = [join(stage.directory, "one.mtree"), join(stage.directory, "two.mtree")];
    assert.equal((await stage.unpack({ keep: true, mtree: one })).kept, undefined);
    assert.equal((await stage.unpack({ keep: true, mtree: two })).kept, "copied");
    assert.deepEqual(readFileSync(two), readFileSync(one));
    assert.equal((await stage.unpack({ keep: true })).kept, undefined, "a tree without a list is another one");
  });

  const others: Readonly<Record<string, UnpackOptions>> = {
    "other owners": { owner: "ignore", recordOwners: true },
    "another part": { exclude: ["bin"] },
    "another limit": { limits: { entries: 1000 } },
    "no warnings": { strict: true },
    "an added file": { add: [{ source: "/proc/self/environ", target: "x" }] },
  };
  for (const [what, other] of shareOf(5, Object.entries(others))) {
    test(`is another one with ${what}`, async () => {
      await using stage = await setStage(small);
      const source = join(stage.directory, "source");
      writeFileSync(source, "added");
      const wanted = other.add === undefined ? other : { add: [{ source, target: "x" }] };
      await stage.unpack({ keep: true });
      const { kept } = await stage.unpack({ keep: true, ...wanted });
      assert.equal(kept, undefined);
      assert.equal((await stage.unpack({ keep: true, ...wanted })).kept, "copied");
      assert.equal((await stage.trees()).length, 2);
    });
  }
});

/** What somebody, or a disk, may do to a kept tree. The first two are tried always: they stand for all others. */
const changes: Readonly<Record<string, (rootfs: string, tree: string) => void>> = {
  "content of the same size, with its time put back": (rootfs) => {
    const path = join(rootfs, "etc/name");
    const { atime, mtime } = statSync(path);
    writeFileSync(path, "CONTENT");
    utimesSync(path, atime, mtime);
  },
  "a file more": (rootfs) => writeFileSync(join(rootfs, "etc/more"), ""),
  "content of another size": (rootfs) => appendFileSync(join(rootfs, "etc/name"), "more"),
  "another mode": (rootfs) => chmodSync(join(rootfs, "etc/name"), 0o666),
  "a mode that was changed in a directory": (rootfs) => chmodSync(join(rootfs, "etc"), 0o777),
  "a file less": (rootfs) => unlinkSync(join(rootfs, "etc/name")),
  "a file more where only a link was": (rootfs) => {
    unlinkSync(join(rootfs, "bin/again"));
    writeFileSync(join(rootfs, "bin/again"), "#!/bin/sh\n");
  },
  "a symlink in the place of a file": (rootfs) => {
    unlinkSync(join(rootfs, "etc/name"));
    symlinkSync("/etc/hostname", join(rootfs, "etc/name"));
  },
  "a symlink in the place of a directory": (rootfs) => {
    renameSync(join(rootfs, "etc"), join(rootfs, "../away"));
    symlinkSync("/etc", join(rootfs, "etc"));
  },
  "a symlink in the place of the root": (rootfs, tree) => {
    renameSync(rootfs, join(tree, "away"));
    symlinkSync("away", rootfs);
  },
  "a fifo in the place of a file": (rootfs) => {
    unlinkSync(join(rootfs, "etc/name"));
    execFileSync("mkfifo", [join(rootfs, "etc/name")]);
  },
  "a directory in the place of a file": (rootfs) => {
    unlinkSync(join(rootfs, "etc/name"));
    mkdirSync(join(rootfs, "etc/name"));
  },
  "a symlink to another place": (rootfs) => {
    unlinkSync(join(rootfs, "etc/link"));
    symlinkSync("secret", join(rootfs, "etc/link"));
  },
  "another list": (_, tree) => {
    const list = readFileSync(join(tree, "entries"), "utf8");
    chmodSync(join(tree, "entries"), 0o600);
    writeFileSync(join(tree, "entries"), list.replace('"secret"', '"public"'));
  },
  "a list that ends early": (_, tree) => {
    chmodSync(join(tree, "entries"), 0o600);
    writeFileSync(join(tree, "entries"), readFileSync(join(tree, "entries")).subarray(0, 300));
  },
  "no list": (_, tree) => rmSync(join(tree, "entries")),
  "another record": (_, tree) => {
    const record = readFileSync(join(tree, "record.json"), "utf8");
    writeFileSync(join(tree, "record.json"), record.replace("parts", "pants"));
  },
  "no root": (rootfs) => rmSync(rootfs, { recursive: true }),
};

describe("a kept tree that has", () => {
  for (const clone of half(["copy", "hardlink"] as const)) {
    const [always, further] = [Object.entries(changes).slice(0, 2), Object.entries(changes).slice(2)];
    for (const [what, change] of [...always, ...shareOf(8, further)]) {
      test(`${what} is made anew, and no root is made of it, by ${clone}`, async () => {
        await using stage = await setStage(small);
        await stage.unpack({ keep: true });
        const [tree = ""] = await stage.trees();
        const pristine = readTree(join(tree, "rootfs"));
        change(join(tree, "rootfs"), tree);

        const { kept, rootfs } = await stage.unpack({ clone });

        assert.equal(kept, undefined);
        assert.deepEqual(readTree(join(tree, "rootfs")), pristine);
        assert.equal(readFileSync(join(rootfs, "etc/name"), "utf8"), "content");
        assert.deepEqual(readdirSync(rootfs).sort(), ["bin", "etc"]);
        assert.deepEqual(readdirSync(join(rootfs, "etc")).sort(), ["link", "name", "secret"]);
        assert.deepEqual(readdirSync(join(stage.store.directory, "ingest")), []);
      });
    }
  }

  test("further names by its own first clone is recorded with them", async () => {
    await using stage = await setStage(small);
    await stage.unpack({ clone: "hardlink" });
    const [tree = ""] = await stage.trees();
    const list = readFileSync(join(tree, "entries"), "utf8");
    const { ctimeNs } = lstatSync(join(tree, "rootfs/etc/name"), { bigint: true });
    assert.ok(list.includes(`"ctime":[${ctimeNs / 1_000_000_000n},${ctimeNs % 1_000_000_000n}]`), list);
    assert.deepEqual(readdirSync(tree).sort(), ["entries", "record.json", "rootfs"]);
  });

  test("files with further names elsewhere serves, as long as they are as they were", async () => {
    await using stage = await setStage(small);
    await stage.unpack({ keep: true });
    const [tree = ""] = await stage.trees();
    const path = join(tree, "rootfs/etc/name");
    const before = lstatSync(path, { bigint: true }).ctimeNs;
    linkSync(path, join(stage.directory, "elsewhere"));
    assert.notEqual(lstatSync(path, { bigint: true }).ctimeNs, before);

    assert.equal((await stage.unpack({ keep: true })).kept, "copied");

    appendFileSync(join(stage.directory, "elsewhere"), "written by whoever has the other name");
    const { kept, rootfs } = await stage.unpack({ keep: true });
    assert.equal(kept, undefined);
    assert.equal(readFileSync(join(rootfs, "etc/name"), "utf8"), "content");
  });
});
