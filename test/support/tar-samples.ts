import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  opaque,
  paxGlobal,
  symlink,
  tar,
  tarWithoutEnd,
  whiteout,
} from "./tar-builder.ts";
import { joined } from "./tar-header.ts";
import { sparseOldGnu, sparsePax00, sparsePax01, sparsePax10 } from "./tar-sparse.ts";

const long = `${"directory/".repeat(15)}file`;
const runs = Array.from({ length: 30 }, (_, index) => ({ offset: index * 4096, content: `data of run ${index}` }));
const sparse = { runs, size: 200_000 };

/** Archives that between them hold every dialect and every kind of ending. */
export const sampleArchives = {
  "a layer": tar(
    directory("etc", { mode: 0o700 }),
    file("etc/passwd", "root:x:0:0\n".repeat(100)),
    symlink("etc/mtab", "/proc/mounts"),
    hardlink("etc/passwd-", "etc/passwd"),
    file("bin/su", new Uint8Array(2048), { mode: 0o4755, xattrs: { "security.capability": "\x01\0\0\x02" } }),
    whiteout("etc/shadow"),
    opaque("var"),
    fifo("run/initctl"),
    device("dev/null", "character", [1, 3]),
  ),
  pax: tar(
    paxGlobal({ comment: "sample" }),
    file(long, "x".repeat(511), { mtime: { seconds: -2, nanoseconds: 5 }, uid: 3_000_000, atime: 5 }),
    symlink(`${long}-link`, long),
    file("empty", "", { pax: { "LIBARCHIVE.xattr.user.a%20b": "AAEC", "SCHILY.acl.access": "u::rwx,g::r-x,o::---" } }),
  ),
  gnu: tar(
    file(long, "x".repeat(513), { dialect: "gnu", mtime: -7, uid: 3_000_000, atime: 9 }),
    hardlink(`${long}-link`, long, { dialect: "gnu" }),
    file("next", "y", { dialect: "gnu" }),
  ),
  "old dialects": tar(
    file("v7", "x", { dialect: "v7" }),
    file("d/", "", { dialect: "v7", header: { typeFlag: "\0" } }),
    file(long, "y".repeat(512), { dialect: "ustar" }),
    file(long, "z", { dialect: "star", atime: 1 }),
  ),
  sparse: tar(
    sparseOldGnu("old", sparse),
    sparsePax00("0.0", sparse),
    sparsePax01("0.1", sparse),
    sparsePax10("1.0", sparse),
    file("after", "end"),
  ),
  "no end marker": tarWithoutEnd(file("f", "x")),
  "no padding": tarWithoutEnd(file("f", "x")).slice(0, 513),
  "bytes after the end": joined(tar(file("f", "x")), "not an archive", new Uint8Array(1000)),
} as const;
