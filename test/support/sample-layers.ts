import { Buffer } from "node:buffer";
import { directory, fifo, file, hardlink, opaque, symlink, tar, whiteout } from "./tar-builder.ts";

/**
 * Four layers that use what layers can say, within what every tool understands alike.
 *
 * What tools disagree about is left to tests of its own, so that here the trees must be equal to the last nanosecond.
 */
export function sampleLayers(): readonly Uint8Array[] {
  return [base(), additions(), removals(), replacements()];
}

/** A file capability as the kernel stores it: revision 2, effective, CAP_NET_RAW permitted (capability.h). */
export const rawSocketCapability = Buffer.from("0100000200200000000000000000000000000000", "hex");

const nanoseconds = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };

function base(): Uint8Array {
  return tar(
    directory("./", { mode: 0o755, mtime: { seconds: 1_600_000_000, nanoseconds: 1 } }),
    directory("bin"),
    file("bin/su", executable("su"), { mode: 0o4755 }),
    file("bin/wall", executable("wall"), { mode: 0o2755, gid: 5 }),
    file("bin/ping", executable("ping"), { mode: 0o755, xattrs: { "security.capability": rawSocketCapability } }),
    hardlink("bin/su2", "bin/su", { mode: 0o4755 }),
    directory("tmp", { mode: 0o1777 }),
    directory("var/", { mtime: nanoseconds }),
    directory("var/mail", { mode: 0o2775, gid: 8 }),
    directory("var/locked", { mode: 0o000, mtime: nanoseconds }),
    file("var/locked/inside", "written below a directory that nobody may enter", { mode: 0o000 }),
    directory("home"),
    directory("home/user", { uid: 1000, gid: 1001, mode: 0o700, xattrs: { "user.comment": "of a directory" } }),
    file("home/user/notes", "mine", { uid: 1000, gid: 1001, mode: 0o640, xattrs: { "user.comment": "of a file" } }),
    file("home/user/binary-xattr", "", { xattrs: { "user.binary": Buffer.from([0, 61, 10, 255]) } }),
    file("home/user/large-ids", "", { uid: 2_100_000, gid: 4_000_000_000 }),
    symlink("home/user/absolute", "/etc/hosts", { uid: 1000, gid: 1001, mtime: nanoseconds }),
    symlink("home/user/relative", "../../etc/hosts"),
    symlink("home/user/dangling", "nowhere/at/all"),
    directory("etc"),
    file("etc/hosts", "127.0.0.1 localhost\n", { mtime: nanoseconds }),
    file("etc/before-1970", "", { mtime: { seconds: -2, nanoseconds: 500_000_000 } }),
    file("etc/far-future", "", { mtime: { seconds: 5_000_000_000, nanoseconds: 7 } }),
    fifo("var/queue", { mode: 0o620, gid: 5, mtime: nanoseconds }),
    directory("names"),
    ...oddNames.map((name, index) => file(Buffer.concat([Buffer.from("names/"), name]), `name ${index}`)),
    directory("sizes"),
    ...[1, 511, 512, 513, 65_537, 3_000_001].map((size) => file(`sizes/${size}`, content(size))),
  );
}

function additions(): Uint8Array {
  return tar(
    hardlink("bin/su3", "bin/su"),
    hardlink("home/user/hosts", "/etc/hosts"),
    hardlink("home/user/absolute-again", "home/user/absolute"),
    symlink("usr", "bin"),
    file("usr/through-a-link", "lies in bin"),
    directory("cache"),
    directory("cache/deep"),
    file("cache/deep/one", "1"),
    file("cache/two", "2"),
    directory("opt"),
    directory("opt/old"),
    file("opt/old/gone", "hidden by the next layer"),
    file("opt/becomes-directory", ""),
    directory("opt/becomes-file"),
    file("opt/becomes-file/child", ""),
    directory("opt/becomes-symlink"),
    file("opt/becomes-symlink/child", ""),
    file("etc/linked", "shared"),
    hardlink("etc/linked-too", "etc/linked"),
    file("etc/removed", ""),
    directory("etc/", { mode: 0o751, mtime: { seconds: 1_650_000_000, nanoseconds: 999_999_999 } }),
  );
}

function removals(): Uint8Array {
  return tar(
    whiteout("etc/removed"),
    whiteout("etc/linked"),
    whiteout("opt/old"),
    whiteout("never/was/there"),
    directory("cache", { mode: 0o711, mtime: nanoseconds }),
    opaque("cache"),
    file("cache/new", "stays, whatever stands first"),
    whiteout("bin/su2"),
  );
}

function replacements(): Uint8Array {
  return tar(
    directory("opt/becomes-directory", { mode: 0o750, gid: 10 }),
    file("opt/becomes-directory/child", ""),
    file("opt/becomes-file", "a file now"),
    symlink("opt/becomes-symlink", "becomes-directory"),
    file("bin/su", "replaced; su3 keeps what it was", { mode: 0o755 }),
    directory("home/user", { uid: 1000, gid: 1000, mode: 0o755, mtime: nanoseconds }),
    file("home/user/notes", "mine, again", { uid: 1000, gid: 1000, mode: 0o600 }),
  );
}

const oddNames = [
  Buffer.from("caf\xe9", "latin1"), // not UTF-8
  Buffer.from([0xff, 0xfe, 0x80]),
  Buffer.from("späße 🎉"),
  Buffer.from("new\nline"),
  Buffer.from("back\\slash"),
  Buffer.from(" spaces  and\ttabs "),
  Buffer.from("C:colon"),
  Buffer.from("-dash"),
  Buffer.from("x".repeat(255)),
];

function executable(name: string): Uint8Array {
  return Buffer.concat([Buffer.from(`#!/bin/${name}\n`), content(20_000)]);
}

/** Bytes that repeat, but never within one window of deflate in the same phase. */
function content(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = index * 7 + (index >> 8) * 13 + (index >> 16);
  return bytes;
}
