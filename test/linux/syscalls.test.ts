import assert from "node:assert/strict";
import { constants, lstatSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { changeMode, changeModeAt, changeOwnerAt, changeTimes, changeTimesAt } from "../../src/linux/attributes.ts";
import { readSome, setSize, writeSome, writeSomeAt } from "../../src/linux/content.ts";
import { readEntries, rewindEntries } from "../../src/linux/directory-entries.ts";
import { errnos, SystemError } from "../../src/linux/errno.ts";
import { statAt, statOf } from "../../src/linux/stat.ts";
import {
  closeDescriptor,
  makeDirectoryAt,
  makeLinkAt,
  makeNodeAt,
  makeSymlinkAt,
  openAt,
  openDirectoryAt,
  openDirectoryBeneath,
  openDirectoryPath,
  readSymlinkAt,
  removeDirectoryAt,
  renameAt,
  unlinkAt,
} from "../../src/linux/syscalls.ts";
import { listXattrs, listXattrsAt, readXattrAt, removeXattr, setXattr, setXattrAt } from "../../src/linux/xattrs.ts";
import { type ByteString, byteStringOf } from "../../src/tar/byte-string.ts";
import { scratch } from "../support/scratch.ts";
import { skipUnlessMounting, skipUnlessRoot } from "../support/tools.ts";

const name = byteStringOf;
const newFile = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;

/** Runs a test with an empty directory: its path and a handle on it. */
async function inDirectory(work: (directory: number, path: string) => void | Promise<void>): Promise<void> {
  await using temporary = await scratch();
  const directory = openDirectoryPath(temporary.directory);
  try {
    await work(directory, temporary.directory);
  } finally {
    closeDescriptor(directory);
  }
}

describe("names relative to a directory", () => {
  test("a name reaches the kernel byte by byte, whether it is UTF-8 or not", () =>
    inDirectory((directory) => {
      const odd = "\xff\xfe caf\u00e9\n\\" as ByteString;
      closeDescriptor(openAt(directory, odd, newFile, 0o600));
      assert.deepEqual(readEntries(directory), [{ name: odd, isDirectory: false }]);
    }));

  test("a name with a NUL inside never becomes another name", () =>
    inDirectory((directory) => {
      assert.throws(() => openAt(directory, "a\0b" as ByteString, newFile, 0o600), /contains a NUL byte/);
      assert.deepEqual(readEntries(directory), []);
    }));

  test("a name that is too long is the kernel's to refuse", () =>
    inDirectory((directory) => {
      for (const length of [256, 4095, 4096, 70_000]) {
        assert.equal(makeDirectoryAt(directory, name("n".repeat(length)), 0o700), -errnos.ENAMETOOLONG);
      }
    }));

  test("directories, links, fifos and devices are made, renamed and removed by name", () =>
    inDirectory((directory, path) => {
      assert.equal(makeDirectoryAt(directory, name("d"), 0o700), 0);
      assert.equal(makeSymlinkAt(directory, name("s"), name("to/where")), 0);
      assert.equal(makeNodeAt(directory, name("p"), constants.S_IFIFO | 0o600, 0, 0), 0);
      assert.equal(makeLinkAt(directory, name("s"), directory, name("t")), 0);
      assert.equal(readSymlinkAt(directory, name("t")), "to/where");
      assert.equal(readlinkSync(join(path, "t")), "to/where");
      assert.ok(lstatSync(join(path, "p")).isFIFO());
      assert.equal(renameAt(directory, name("t"), directory, name("u")), 0);
      assert.equal(unlinkAt(directory, name("u")), 0);
      assert.equal(unlinkAt(directory, name("d")), -errnos.EISDIR);
      assert.equal(removeDirectoryAt(directory, name("d")), 0);
      assert.equal(readSymlinkAt(directory, name("p")), -errnos.EINVAL);
      assert.equal(readSymlinkAt(directory, name("no")), -errnos.ENOENT);
    }));

  test("a device gets the numbers that were asked for", { skip: skipUnlessRoot() }, () =>
    inDirectory((directory) => {
      for (const [major, minor] of [
        [1, 3],
        [4095, 1_048_575],
        [0, 0],
        [8, 256],
      ] as const) {
        assert.equal(makeNodeAt(directory, name("n"), constants.S_IFCHR | 0o600, major, minor), 0);
        const stat = statAt(directory, name("n"));
        assert.ok(typeof stat !== "number");
        assert.deepEqual([stat.type, stat.deviceMajor, stat.deviceMinor], ["character-device", major, minor]);
        unlinkAt(directory, name("n"));
      }
    }),
  );
});

describe("opening a directory beneath another", () => {
  test("several components open at once", () =>
    inDirectory(async (directory, path) => {
      await mkdir(join(path, "a/b/c"), { recursive: true });
      const opened = openDirectoryBeneath(directory, name("a/b/c"));
      assert.ok(opened >= 0);
      assert.deepEqual(statOf(opened), statAt(directory, name("a/b/c")));
      closeDescriptor(opened);
    }));

  test("a symlink anywhere on the way, `..` and mount points are refused", () =>
    inDirectory(async (directory, path) => {
      await mkdir(join(path, "a/b"), { recursive: true });
      symlinkSync("a", join(path, "s"));
      symlinkSync("b", join(path, "a/t"));
      assert.equal(openDirectoryBeneath(directory, name("s/b")), -errnos.ELOOP);
      assert.equal(openDirectoryBeneath(directory, name("a/t")), -errnos.ENOTDIR);
      assert.equal(openDirectoryBeneath(directory, name("a/../..")), -errnos.EXDEV);
      const root = openDirectoryPath("/");
      assert.equal(openDirectoryBeneath(root, name("proc/self")), -errnos.EXDEV);
      closeDescriptor(root);
    }));

  test("a single name opens no symlink either", () =>
    inDirectory((directory, path) => {
      symlinkSync("/", join(path, "s"));
      assert.equal(openDirectoryAt(directory, name("s")), -errnos.ENOTDIR);
    }));

  test("a directory that is not there is an error that shows the call", () => {
    assert.throws(
      () => openDirectoryPath("/no/such"),
      (error) =>
        error instanceof SystemError &&
        error.errno === "ENOENT" &&
        /^cannot open the directory "\/no\/such": openat\(.*\) failed with ENOENT/.test(error.message),
    );
  });
});

describe("files", () => {
  test("bytes are written, read, and a hole is left where nothing was", () =>
    inDirectory((directory, path) => {
      const file = openAt(directory, name("f"), newFile, 0o600);
      const shared = new Uint8Array(new SharedArrayBuffer(4));
      shared.set([97, 98, 99, 100]);
      assert.equal(writeSome(file, shared), 4);
      assert.equal(writeSomeAt(file, shared.subarray(2), 6), 2);
      assert.equal(setSize(file, 10), 0);
      assert.equal(readFileSync(join(path, "f"), "latin1"), "abcd\0\0cd\0\0");
      const again = openAt(directory, name("f"), constants.O_RDONLY);
      const bytes = new Uint8Array(16);
      assert.deepEqual([readSome(again, bytes), readSome(again, bytes)], [10, 0]);
      closeDescriptor(again);
      closeDescriptor(file);
    }));

  test("times are set to the nanosecond, before 1970 too, of a symlink itself", () =>
    inDirectory((directory, path) => {
      const before = { seconds: -86_400, nanoseconds: 1 };
      const after = { seconds: 5_000_000_000, nanoseconds: 999_999_999 };
      symlinkSync("f", join(path, "s"));
      const file = openAt(directory, name("f"), newFile, 0o600);
      assert.equal(changeTimes(file, after, before), 0);
      assert.equal(changeTimesAt(directory, name("s"), before, after), 0);
      const [one, other] = [statOf(file), statAt(directory, name("s"))];
      assert.ok(typeof one !== "number" && typeof other !== "number");
      assert.deepEqual([one.atime, one.mtime, other.atime, other.mtime], [after, before, before, after]);
      closeDescriptor(file);
    }));

  test("owner and mode are set, of a symlink the owner only", { skip: skipUnlessRoot() }, () =>
    inDirectory((directory, path) => {
      writeFileSync(join(path, "f"), "");
      symlinkSync("f", join(path, "s"));
      const file = openAt(directory, name("f"), constants.O_RDONLY);
      assert.equal(changeMode(file, 0o4710), 0);
      assert.equal(changeOwnerAt(directory, name("s"), 2 ** 32 - 2, 7), 0);
      assert.equal(changeModeAt(directory, name("s"), 0o777), -errnos.ENOTSUP);
      const [one, other] = [lstatSync(join(path, "f")), lstatSync(join(path, "s"))];
      assert.deepEqual([one.mode & 0o7777, one.uid, other.uid, other.gid], [0o4710, 0, 2 ** 32 - 2, 7]);
      closeDescriptor(file);
    }),
  );

  test("extended attributes are binary, may be empty, and are listed and removed by name", () =>
    inDirectory((directory) => {
      const file = openAt(directory, name("f"), newFile, 0o600);
      const value = Uint8Array.of(0, 255, 61, 10);
      assert.equal(setXattr(file, name("user.binary"), value), 0);
      assert.equal(setXattr(file, name("user.empty"), new Uint8Array(0)), 0);
      const listed = listXattrs(file);
      assert.ok(typeof listed !== "number");
      assert.deepEqual([...listed].sort(), ["user.binary", "user.empty"]);
      assert.deepEqual(readXattrAt(directory, name("f"), name("user.binary")), value);
      assert.equal(removeXattr(file, name("user.binary")), 0);
      assert.deepEqual(listXattrsAt(directory, name("f")), ["user.empty"]);
      closeDescriptor(file);
    }));

  test("extended attributes come whole, however many and long they are", () =>
    inDirectory((directory) => {
      const file = openAt(directory, name("f"), newFile, 0o600);
      const names = Array.from({ length: 16 }, (_, index) => name(`user.${"long".repeat(20)}${10 + index}`));
      const value = new Uint8Array(1500).fill(7);
      for (const [index, each] of names.entries())
        assert.equal(setXattr(file, each, index === 0 ? value : new Uint8Array(0)), 0);
      for (const listed of [listXattrs(file), listXattrsAt(directory, name("f"))]) {
        assert.ok(typeof listed !== "number");
        assert.deepEqual([...listed].sort(), names);
      }
      assert.deepEqual(readXattrAt(directory, name("f"), names[0] ?? name("")), value);
      closeDescriptor(file);
    }));

  test("an extended attribute of a symlink is its own", { skip: skipUnlessMounting() }, () =>
    inDirectory((directory, path) => {
      writeFileSync(join(path, "f"), "");
      symlinkSync("f", join(path, "s"));
      assert.equal(setXattrAt(directory, name("s"), name("trusted.a"), Uint8Array.of(1)), 0);
      assert.deepEqual(listXattrsAt(directory, name("s")), ["trusted.a"]);
      assert.deepEqual(listXattrsAt(directory, name("f")), []);
    }),
  );
});

test("a directory of any size is listed whole, and again after a rewind", () =>
  inDirectory((directory, path) => {
    const names = Array.from({ length: 3000 }, (_, index) => `a-rather-long-name-${index}`).sort();
    for (const each of names) writeFileSync(join(path, each), "");
    for (let round = 0; round < 2; round += 1) {
      const found: string[] = [];
      for (let entries = readEntries(directory); ; entries = readEntries(directory)) {
        assert.ok(typeof entries !== "number");
        if (entries.length === 0) break;
        found.push(...entries.map((entry) => entry.name));
      }
      assert.deepEqual(found.sort(), names);
      rewindEntries(directory);
    }
  }));
