import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { accessControlList } from "../support/acl.ts";
import {
  directory,
  entry,
  file,
  gnuLongLink,
  gnuLongName,
  hardlink,
  magics,
  paxGlobal,
  symlink,
  tar,
  tarWithoutEnd,
} from "../support/tar-builder.ts";
import { base256, body, checksum, header, joined } from "../support/tar-header.ts";
import { type SparseFile, sparseOldGnu, sparsePax00, sparsePax01, sparsePax10 } from "../support/tar-sparse.ts";
import { is } from "./expected.ts";
import type { LayerRule } from "./rule.ts";

const long = `${"d".repeat(90)}/${"f".repeat(95)}`;
const zeroBlock = new Uint8Array(512);
const notUtf8 = (text: string) => new Uint8Array(Buffer.from(`\xff${text}\x80`, "latin1"));

/** More segments than fit into a header, and into the block that follows it. */
const manyRuns: SparseFile = {
  runs: [
    ...Array.from({ length: 30 }, (_, index) => ({ offset: index * 8192, content: `${index % 10}`.repeat(512) })),
    { offset: 30 * 8192, content: "" }, // GNU tar ends every map like this
  ],
  size: 30 * 8192,
};
const manyRunsContent = Array.from({ length: 30 }, (_, index) => `${index % 10}`.repeat(512).padEnd(8192, "\0")).join(
  "",
);
const sparseFormats = {
  "old GNU": sparseOldGnu,
  "pax 0.0": sparsePax00,
  "pax 0.1": sparsePax01,
  "pax 1.0": sparsePax10,
};

/** A header whose checksum counts bytes as signed ones, as some old writers did. */
function withSignedChecksum(path: string): Uint8Array {
  const fields = { name: path, mode: 0o644, mtime: 1_000_000_000, typeFlag: "0", ...magics.ustar };
  const unsigned = header(fields);
  const highBytes = unsigned.filter((byte) => byte > 127).length;
  const signed = checksum(unsigned) - 256 * highBytes;
  return header({ ...fields, checksum: `${signed.toString(8).padStart(6, "0")}\0 ` });
}

/** Rules D1–D20: what archives of each dialect mean, one rule for each row of the table of tar dialects. */
export const dialectRules: readonly LayerRule[] = [
  {
    rule: "D1",
    claim: "v7, ustar, star, GNU and pax headers may stand in one archive",
    layers: [
      tar(...(["v7", "ustar", "star", "gnu", "pax"] as const).map((dialect) => file(dialect, dialect, { dialect }))),
    ],
    outcome: { gnu: "gnu", pax: "pax", star: "star", ustar: "ustar", v7: "v7" },
  },
  ...(["ustar", "star"] as const).map((dialect) => ({
    rule: "D1",
    claim: `a path longer than 100 bytes is read from the prefix of ${dialect}`,
    layers: [tar(file(long, "1", { dialect }))],
    outcome: { ["d".repeat(90)]: is.implied(), [long]: "1" },
  })),
  {
    rule: "D1",
    claim: "v7 has no prefix, whatever stands in its place",
    layers: [tar(file("a", "1", { dialect: "v7", header: { prefix: "p" } }))],
    outcome: { a: "1" },
  },
  {
    rule: "D2",
    claim: "a GNU long name and a GNU long link target take the place of the header's",
    layers: [tar(symlink(long, `/${"t".repeat(200)}`, { dialect: "gnu" }))],
    outcome: { ["d".repeat(90)]: is.implied(), [long]: is.symlink(`/${"t".repeat(200)}`) },
  },
  {
    rule: "D2",
    claim: "of several GNU long names before one entry the last counts, and for that entry only",
    layers: [
      tar(
        gnuLongName("first"),
        gnuLongLink("one"),
        gnuLongName("second"),
        gnuLongLink("two"),
        symlink("short", "t"),
        file("a", "1"),
      ),
    ],
    outcome: { a: "1", second: is.symlink("two") },
  },
  {
    rule: "D2",
    claim: "a GNU long name of more than a mebibyte is more than an archive may ask for",
    layers: [tar(gnuLongName("n".repeat(1024 * 1024)), file("a"))],
    outcome: "LIMIT_EXCEEDED",
  },
  {
    rule: "D3",
    claim: "a pax path and a pax link target take the place of the header's",
    layers: [tar(symlink("short", "t", { pax: { path: long, linkpath: `/${"t".repeat(200)}` } }), file("a", "1"))],
    outcome: { a: "1", ["d".repeat(90)]: is.implied(), [long]: is.symlink(`/${"t".repeat(200)}`) },
  },
  {
    rule: "D4",
    claim: "a pax size, uid and gid take the place of the header's, and the next entry stands behind that size",
    layers: [
      tar(
        file("a", "x".repeat(600), { header: { size: 0, uid: 7, gid: 8 }, pax: { size: "600", uid: "5", gid: "6" } }),
        file("b", "2"),
      ),
    ],
    outcome: { a: is.file("x".repeat(600), { uid: 5, gid: 6 }), b: "2" },
  },
  {
    rule: "D5",
    claim: "pax times, those of access among them, are kept to the nanosecond",
    layers: [tar(file("a", "1", { pax: { mtime: "1350244992.023960108", atime: "-1.5" } }))],
    outcome: { a: is.file("1", { mtime: [1_350_244_992, 23_960_108] }) },
    also: (rootfs) => {
      assert.equal(lstatSync(join(rootfs, "a"), { bigint: true }).atimeNs, -1_500_000_000n);
    },
  },
  {
    rule: "D6",
    claim: "a pax global header changes no later entry, and one that would is reported",
    layers: [tar(paxGlobal({ path: "elsewhere", size: "0", uid: "5", mtime: "7" }), file("a", "1"), file("b", "2"))],
    outcome: { a: "1", b: "2" },
    warnings: ["GLOBAL_HEADER_IGNORED"],
  },
  {
    rule: "D6",
    claim: "a pax global header that holds a comment, as git writes it, means nothing",
    layers: [tar(paxGlobal({ comment: "0123456789abcdef0123456789abcdef01234567" }), file("a", "1"))],
    outcome: { a: "1" },
  },
  {
    rule: "D7",
    claim: "an extended attribute in SCHILY.xattr may have a value of any bytes",
    layers: [tar(file("a", "1", { xattrs: { "user.a": Uint8Array.of(0, 0xff, 0x3d, 0x0a), "user.b": "" } }))],
    outcome: { a: is.file("1", { xattrs: { "user.a": Uint8Array.of(0, 0xff, 0x3d, 0x0a), "user.b": "" } }) },
  },
  {
    rule: "D7",
    claim: "a pax keyword ends at its first equals sign, and so does the name of an attribute",
    layers: [tar(file("a", "1", { xattrs: { "user.a=b": "c" } }))],
    outcome: { a: is.file("1", { xattrs: { "user.a": "b=c" } }) },
  },
  {
    rule: "D7",
    claim: "a NUL in the name of an attribute makes the archive invalid",
    layers: [tar(file("a", "1", { xattrs: { "user.a\0b": "c" } }))],
    outcome: "INVALID_ARCHIVE",
  },
  {
    rule: "D8",
    claim: "an extended attribute in LIBARCHIVE.xattr is decoded, an equals sign in its name too",
    layers: [tar(file("a", "1", { pax: { "LIBARCHIVE.xattr.user.a%3Db": "AP89Cg" } }))],
    outcome: { a: is.file("1", { xattrs: { "user.a=b": Uint8Array.of(0, 0xff, 0x3d, 0x0a) } }) },
  },
  {
    rule: "D8",
    claim: "a label in RHT.security.selinux is left out like any label of another machine",
    layers: [tar(file("a", "1", { pax: { "RHT.security.selinux": "system_u:object_r:etc_t:s0\0" } }))],
    outcome: { a: "1" },
    skipped: ["xattr-filtered"],
  },
  {
    rule: "D8",
    claim: "an access-control list in SCHILY.acl becomes the attribute that Linux keeps it in",
    layers: [
      tar(
        file("a", "1", {
          mode: 0o640,
          pax: { "SCHILY.acl.access": "user::rw-,user:5:r--,group::r--,mask::r--,other::---" },
        }),
        directory("d", { mode: 0o750, pax: { "SCHILY.acl.default": "user::rwx,group::r-x,other::---" } }),
      ),
    ],
    outcome: {
      a: is.file("1", {
        mode: 0o640,
        xattrs: {
          "system.posix_acl_access": accessControlList(
            ["user", 6],
            ["user", 4, 5],
            ["group", 4],
            ["mask", 4],
            ["other", 0],
          ),
        },
      }),
      d: is.directory({
        mode: 0o750,
        xattrs: { "system.posix_acl_default": accessControlList(["user", 7], ["group", 5], ["other", 0]) },
      }),
    },
  },
  {
    rule: "D8",
    claim: "an access-control list that cannot be expressed in numbers is left out and reported",
    layers: [
      tar(file("a", "1", { pax: { "SCHILY.acl.access": "user::rw-,user:bob:rwx,group::r--,mask::rwx,other::r--" } })),
    ],
    outcome: { a: "1" },
    warnings: ["XATTR_NOT_APPLIED"],
  },
  {
    rule: "D9",
    claim: "file flags in SCHILY.fflags mean nothing, on a directory or a symlink either",
    layers: [
      tar(
        directory("d", { pax: { "SCHILY.fflags": "uappnd,nodump" } }),
        file("d/a", "1"),
        symlink("s", "d", { pax: { "SCHILY.fflags": "schg" } }),
      ),
    ],
    outcome: { d: is.directory(), "d/a": "1", s: is.symlink("d") },
  },
  ...Object.entries(sparseFormats).map(([format, sparse]) => ({
    rule: "D10",
    claim: `a sparse file of many segments in the ${format} format is read to its end, and the next entry stands behind it`,
    layers: [tar(sparse("a", manyRuns), file("b", "2"))],
    outcome: { a: is.file(manyRunsContent), b: "2" },
  })),
  {
    rule: "D11",
    claim: "owners, sizes and times may be binary numbers, times negative ones",
    layers: [
      tar(
        file("a", "123", {
          dialect: "gnu",
          header: { uid: base256(3_000_000, 8), gid: base256(5, 8), size: base256(3, 12), mtime: base256(-1, 12) },
        }),
        file("b", "2"),
      ),
    ],
    outcome: { a: is.file("123", { uid: 3_000_000, gid: 5, mtime: -1 }), b: "2" },
  },
  ...Object.entries({ "is negative": -512, "no number holds": 2n ** 70n }).map(([which, size]) => ({
    rule: "D11",
    claim: `a binary size that ${which} makes the archive invalid`,
    layers: [tar(file("a", "", { dialect: "gnu", header: { size: base256(size, 12) } }))],
    outcome: "INVALID_ARCHIVE" as const,
  })),
  {
    rule: "D12",
    claim: "an entry of type NUL whose name ends in a slash is a directory, where a record gives the name too",
    layers: [
      tar(
        file("d/", "", { mode: 0o750, header: { typeFlag: "\0" } }),
        file("d/a", "1", { header: { typeFlag: "\0" } }),
        file("e", "", { mode: 0o700, header: { typeFlag: "\0" }, pax: { path: "f/" } }),
      ),
    ],
    outcome: { d: is.directory({ mode: 0o750 }), "d/a": "1", f: is.directory({ mode: 0o700 }) },
  },
  {
    rule: "D13",
    claim: "a contiguous file is a file",
    layers: [tar(entry("7", "a", "", Buffer.from("1")), file("b", "2"))],
    outcome: { a: "1", b: "2" },
  },
  {
    rule: "D14",
    claim: "a volume's label is no entry",
    layers: [tar(entry("V", "label", "", new Uint8Array(0)), file("a", "1"))],
    outcome: { a: "1" },
  },
  ...["A", "D", "M", "N"].map((typeFlag) => ({
    rule: "D14",
    claim: `an entry of type ${typeFlag}, which has no meaning in a layer, is left out with its data and reported`,
    layers: [tar(entry(typeFlag, "x", "", Buffer.from("Ya\0")), file("a", "1"))],
    outcome: { a: "1" },
    warnings: ["UNSUPPORTED_TYPE" as const],
    skipped: ["unsupported-type" as const],
  })),
  {
    rule: "D15",
    claim: "a body behind a hard link makes the archive invalid, and is never guessed at",
    layers: [tar(file("a", "1"), entry("1", "b", "a", Buffer.from("data")), file("c", "2"))],
    outcome: "INVALID_ARCHIVE",
  },
  {
    rule: "D15",
    claim: "the size of a hard link in a pax header announces no body either",
    layers: [tar(file("a", "1"), hardlink("b", "a", { pax: { size: "1" } }), file("c", "2"))],
    outcome: { a: "1", b: is.sameAs("a"), c: "2" },
  },
  {
    rule: "D16",
    claim: "long names and targets that are not UTF-8 are kept byte by byte, in pax and in GNU's dialect",
    layers: [
      tar(
        file(notUtf8("p".repeat(200)), "1"),
        symlink(notUtf8("g".repeat(200)), notUtf8("t".repeat(200)), { dialect: "gnu" }),
      ),
    ],
    outcome: {},
    notText: {
      [`\xff${"p".repeat(200)}\x80`]: is.file("1"),
      [`\xff${"g".repeat(200)}\x80`]: { ...is.symlink(""), target: `\xff${"t".repeat(200)}\x80` },
    },
  },
  {
    rule: "D17",
    claim: "a checksum may count bytes as signed or as unsigned",
    layers: [tar(withSignedChecksum("caf\u00e9"), file("th\u00e9"))],
    outcome: { "caf\u00e9": "", "th\u00e9": "" },
  },
  {
    rule: "D17",
    claim: "a checksum that is neither makes the archive invalid",
    layers: [tar(file("a", "1", { header: { checksum: "0000000\0" } }))],
    outcome: "INVALID_ARCHIVE",
  },
  {
    rule: "D18",
    claim: "an archive may end right behind its last data, before their padding and any zero block",
    layers: [tarWithoutEnd(file("a", "1")).slice(0, 513)],
    outcome: { a: "1" },
    warnings: ["MISSING_END_MARKER"],
  },
  {
    rule: "D19",
    claim: "what is no header behind the first zero block follows the end of the archive",
    layers: [joined(tarWithoutEnd(file("a", "1")), zeroBlock, body("no header"), zeroBlock)],
    outcome: { a: "1" },
    warnings: ["TRAILING_BYTES"],
  },
  {
    rule: "D20",
    claim: "an archive behind the end and further zeros is never unpacked",
    layers: [joined(tar(file("a", "1")), zeroBlock, zeroBlock, zeroBlock, tar(file("b", "2")))],
    outcome: { a: "1" },
    warnings: ["TRAILING_BYTES"],
  },
];
