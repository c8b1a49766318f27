import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { volumeMounts } from "../../src/bundle/bundle.ts";
import { ContainerPaths, workingDirectoryOf } from "../../src/bundle/container-paths.ts";
import { scratch } from "../support/scratch.ts";

/** Symlinks by their paths, in a root filesystem with a few directories and a file. */
type Links = Readonly<Record<string, string>>;

test("a working directory in /proc or /sys is refused, however it is written (CVE-2024-21626)", async () => {
  await using place = await scratch();
  using places = await placesIn(place.directory, {});
  for (const path of [
    ...["/proc/self/fd/8", "/proc", "proc/1/cwd", "//proc//self/", "/./proc/self/fd", "/a/../proc/self/fd/8"],
    ...["/missing/../proc/self/fd/8", "/../../proc/self/fd/8", "/sys", "/sys/kernel/fd", "/dev/fd/8", "/dev/stdin"],
  ]) {
    assert.throws(() => workingDirectoryOf(path, places), { code: "INVALID_CONFIG" }, path);
  }
  for (const path of ["/", "", "/a/b", "srv/made/here", "/process", "/a/proc", "/dev", "/dev/shm", "/file/proc"]) {
    assert.equal(workingDirectoryOf(path, places), path.startsWith("/") ? path : `/${path}`);
  }
});

test("and so is one that leads there through the image's symlinks, whatever the image has there itself", async () => {
  const links = {
    w: "/proc/self/fd/8",
    "a/relative": "../../../proc/self",
    chain: "a/relative",
    "dev/fd": "/a/b",
    "proc/self": "/a",
    "sys/fd": "/a",
    x: "dev",
    loop: "loop",
  };
  await using place = await scratch();
  using places = await placesIn(place.directory, links);
  for (const path of ["/w", "w", "/w/x", "/a/relative", "/chain/fd/8", "/dev/fd/8", "/proc/self", "/sys/fd", "/x/fd"]) {
    assert.throws(() => workingDirectoryOf(path, places), { code: "INVALID_CONFIG" }, path);
  }
  assert.throws(() => workingDirectoryOf("/loop", places), { code: "ENTRY_REFUSED" });
  assert.equal(workingDirectoryOf("/x/shm", places), "/x/shm");
});

test("a volume in /proc is refused, which a runtime would believe (CVE-2019-16884); one in /sys is not", async () => {
  await using place = await scratch();
  using places = await placesIn(place.directory, { w: "/proc/self/attr" });
  for (const volume of ["/proc", "/proc/self/attr", "/w", "/w/exec", "/dev/fd", "proc/self", "w"]) {
    assert.throws(() => volumeMounts([volume], places), { code: "INVALID_CONFIG", message: /leads into \/proc$/ });
  }
  assert.equal(volumeMounts(["/sys/fs/cgroup", "/data"], places).length, 2);
});

test("a volume that is not absolute begins at the root, and one that is no plain path is refused", async () => {
  await using place = await scratch();
  using places = await placesIn(place.directory, {});
  const destinations = volumeMounts(["data/in", "/data", "data-2"], places).map(({ destination }) => destination);
  assert.deepEqual(destinations, ["/data", "/data-2", "/data/in"]);
  for (const volume of ["../data", "/a/../b", "a\0b"]) {
    assert.throws(() => volumeMounts([volume], places), { code: "INVALID_CONFIG", message: /it is no plain path$/ });
  }
  // All that is in the image would be hidden.
  for (const volume of ["", "/", ".", "./", "//."]) {
    assert.throws(() => volumeMounts([volume], places), { code: "INVALID_CONFIG", message: /it is the root itself$/ });
  }
});

test("an image whose /proc, /sys or /dev is a symlink is none to run: a runtime might mount where it leads", async () => {
  for (const name of ["proc", "sys", "dev"]) {
    await using place = await scratch();
    await symlink("/a", join(place.directory, name));
    assert.throws(() => new ContainerPaths(place.directory), { code: "INVALID_CONFIG", message: /symbolic link/ });
  }
});

test("paths of which nobody would see the end, or another end than a runtime, are refused", async () => {
  await using place = await scratch();
  using places = await placesIn(place.directory, { "a/up": "..".concat("/a/up/..".repeat(400)) });
  for (const path of [`/${"a/".repeat(2048)}`, "/a\0/../proc", "/a/up"]) {
    assert.throws(() => workingDirectoryOf(path, places), { name: "OciUnpackError" }, path.slice(0, 20));
  }
  const many = Array.from({ length: 6_000 }, (_, number) => `/a/${number}`);
  assert.throws(() => volumeMounts(many, places), { code: "INVALID_CONFIG", message: /more than 10000 names$/ });
});

async function placesIn(directory: string, links: Links): Promise<ContainerPaths> {
  for (const path of ["a/b", "proc", "sys", "dev"]) await mkdir(join(directory, path), { recursive: true });
  await writeFile(join(directory, "file"), "");
  for (const [path, target] of Object.entries(links)) await symlink(target, join(directory, path));
  return new ContainerPaths(directory);
}
