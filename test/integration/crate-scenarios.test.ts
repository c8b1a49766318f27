import assert from "node:assert/strict";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isOciUnpackError, type OciUnpackEvent, type UnpackResult, unpack } from "../../src/index.ts";
import { type Image, image, layer, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { scratch } from "../support/scratch.ts";
import { directory, file, hardlink, opaque, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { skipUnlessRoot } from "../support/tools.ts";

// What the Rust crate of the same name proves with its tests and its three Dockerfiles, told anew.

test("layers in all encodings become one tree, in which whiteouts have removed what they name", async () => {
  const layers = [
    tar(directory("abc"), file("abc/def", "from the first"), file("./0/1", "with a dot before it")),
    tar(
      directory("real/inner"),
      symlink("real/link", "../../../../../real/inner"),
      file("./real/link/file", "stays within the root"),
    ),
    tar(...["0/1", "0/2", "1/3", "1/4", "2/5"].map((path) => file(`w/${path}`, path))),
    tar(whiteout("w/0/1"), whiteout("w/0/never-there"), opaque("w/1"), whiteout("w/2")),
    tar(file("from-zstd", "01234")),
  ];
  const encodings = ["gzip", "plain", "plain", "gzip", "zstd"] as const;
  const mixed = image(layers, { layers: layers.map((archive, index) => layer(archive, encodings[index] ?? "gzip")) });

  await unpacked(mixed, async ({ rootfs, config }) => {
    assert.deepEqual(await files(rootfs), {
      "0/1": "with a dot before it",
      "abc/def": "from the first",
      "from-zstd": "01234",
      "real/inner/file": "stays within the root",
      "real/link": "-> ../../../../../real/inner",
      "w/0/2": "0/2",
    });
    assert.deepEqual(await readdir(join(rootfs, "w")), ["0", "1"]);
    assert.deepEqual(await readdir(join(rootfs, "w/1")), []);
    assert.deepEqual(await readFile(config), Buffer.from(mixed.config.bytes));
  });
});

for (const [name, meaning] of [
  [".wh..", "the directory itself"],
  [".wh...", "its parent"],
] as const) {
  test(`a whiteout of ${meaning} is refused`, async () => {
    const hostile = image([tar(file("w/0/1", "below")), tar(file(`w/0/${name}`))]);
    await assert.rejects(
      unpacked(hostile, async () => {}),
      (error) => isOciUnpackError(error, "ENTRY_REFUSED"),
    );
  });
}

test("a registry that wants a token is asked for one, once, with the service and scope that it named", async () => {
  await using registry = await startRegistry({ access: { type: "token" } });
  await using target = await scratch();
  const reference = stored(registry, "foo/bar", image([tar(file("a", "1")), tar(file("b", "2"))]));
  const events: OciUnpackEvent[] = [];

  await unpack(reference, join(target.directory, "image"), {
    platform: "linux/amd64",
    onEvent: (event) => void events.push(event),
  });

  const tokens = registry.requests.filter(({ path }) => path.startsWith("/token"));
  assert.equal(tokens.length, 1);
  assert.deepEqual(
    [...new URL(tokens[0]?.path ?? "", registry.url).searchParams].filter(([key]) => key !== "client_id").toSorted(),
    [
      ["scope", "repository:foo/bar:pull"],
      ["service", "double"],
    ],
  );
  assert.deepEqual(
    events.filter(({ type }) => type === "authenticate"),
    [{ type: "authenticate", realm: `${registry.url}/token`, scheme: "bearer" }],
  );
  const blobs = registry.requests.filter(({ path }) => path.includes("/blobs/"));
  assert.deepEqual(
    new Set(blobs.map(({ headers }) => headers.authorization)),
    new Set([`Bearer ${registry.tokens[0]}`]),
  );
});

test("an owner or a mode that an upper layer changes is the file's in the end", {
  skip: skipUnlessRoot(),
}, async () => {
  const owned = (uid: number, mode: number) => file("wd/f0", "content", { uid, gid: 3001, mode });
  const chown = image([
    tar(directory("wd"), owned(3000, 0o644)),
    tar(directory("wd"), owned(4000, 0o644)),
    tar(directory("wd"), owned(4000, 0o6644)),
  ]);
  await unpacked(chown, async ({ rootfs }) => {
    const { uid, gid, mode } = await lstat(join(rootfs, "wd/f0"));
    assert.deepEqual({ uid, gid, mode: mode & 0o7777 }, { uid: 4000, gid: 3001, mode: 0o6644 });
  });
});

test("hard links join files across layers and through symlinks", async () => {
  const links = image([
    tar(directory("bin"), file("bin/env", "a program", { mode: 0o755 }), symlink("usr", ".")),
    tar(directory("bin"), file("bin/env", "a program", { mode: 0o755 }), hardlink("bin/env2", "bin/env")),
    tar(directory("0"), file("0/data", "8 bytes."), hardlink("0/data2", "0/data")),
    tar(directory("0"), file("0/data", "8 bytes.", { mode: 0o522 }), hardlink("0/data2", "0/data")),
    tar(directory("1"), symlink("1/X", "../../../../0"), hardlink("1/data2", "1/X/data2")),
  ]);
  await unpacked(links, async ({ rootfs }) => {
    const inode = async (path: string) => (await lstat(join(rootfs, path))).ino;
    assert.equal(await inode("bin/env2"), await inode("bin/env"));
    assert.equal(await inode("0/data2"), await inode("0/data"));
    assert.equal(await inode("1/data2"), await inode("0/data"));
    assert.equal((await lstat(join(rootfs, "0/data"))).nlink, 3);
    assert.equal((await lstat(join(rootfs, "1/data2"))).mode & 0o7777, 0o522);
  });
});

test("what a layer removes and makes anew is the new one alone", async () => {
  const whiteouts = image([
    tar(
      ...["ssl/cert.pem", "ssl/private/key", "nsswitch.conf", "apk/keys/one", "apk/world", "hosts"].map((path) =>
        file(`etc/${path}`, "old"),
      ),
    ),
    tar(directory("etc"), whiteout("etc/ssl"), whiteout("etc/nsswitch.conf")),
    tar(directory("etc"), directory("etc/apk"), opaque("etc/apk"), file("etc/apk/keys", "a file now")),
    tar(directory("etc"), directory("etc/apk"), file("etc/apk/example", "new")),
  ]);
  await unpacked(whiteouts, async ({ rootfs }) => {
    assert.deepEqual(await files(rootfs), {
      "etc/apk/example": "new",
      "etc/apk/keys": "a file now",
      "etc/hosts": "old",
    });
  });
});

/** Unpacks an image from a registry double with the threads confined and looks at what came of it. */
async function unpacked(content: Image, look: (result: UnpackResult) => Promise<void>): Promise<void> {
  await using registry = await startRegistry();
  await using target = await scratch();
  const reference = stored(registry, "foo/bar", content);
  await look(await unpack(reference, join(target.directory, "image"), { platform: "linux/amd64" }));
}

/** Path to content of all files below a directory; of a symlink, where it leads. */
async function files(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of (await readdir(root, { recursive: true })).toSorted()) {
    const stats = await lstat(join(root, path));
    if (stats.isSymbolicLink()) found[path] = `-> ${await readlink(join(root, path))}`;
    else if (stats.isFile()) found[path] = await readFile(join(root, path), "utf8");
  }
  return found;
}
