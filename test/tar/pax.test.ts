import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ByteString } from "../../src/tar/byte-string.ts";
import { accessControlList } from "../support/acl.ts";
import { decoded, decodedEntry, expectedEntry } from "../support/decode.ts";
import {
  entry,
  file,
  hardlink,
  type PaxRecords,
  pax,
  paxGlobal,
  paxRecord,
  paxText,
  symlink,
  tar,
} from "../support/tar-builder.ts";
import { joined } from "../support/tar-header.ts";

/** The one entry of an archive whose file `f` has pax records. */
function withRecords(records: PaxRecords) {
  return decodedEntry(tar(file("f", "", { pax: records })));
}

describe("a pax header", () => {
  test("gives its entry a path, a link target and owners", () => {
    const { path, linkPath, uid, gid } = decodedEntry(
      tar(symlink("f", "t", { pax: { path: "some/path", linkpath: "some/target", uid: "4000000000", gid: "-1" } })),
    );
    assert.deepEqual([path, linkPath, uid, gid], ["some/path", "some/target", 4_000_000_000, -1]);
  });

  test("gives its entry a size, which counts before the data is read", () => {
    const { entries } = decoded(
      tar(file("f", "0123456789", { header: { size: 3 }, pax: { size: "000000000000010" } }), file("g")),
    );
    assert.deepEqual(
      entries.map(({ content, path }) => [path, content]),
      [
        ["f", "0123456789"],
        ["g", ""],
      ],
    );
  });

  test("hides a size or owner in the header that is no number", () => {
    const fields = { size: "????????", uid: "????" };
    const { content, uid } = decodedEntry(tar(file("f", "x", { header: fields, pax: { size: "1", uid: "7" } })));
    assert.deepEqual([content, uid], ["x", 7]);
  });

  test("speaks of one entry only", () => {
    const { entries } = decoded(tar(file("f", "", { pax: { uid: "7" } }), file("g")));
    assert.deepEqual(
      entries.map(({ uid }) => uid),
      [7, 0],
    );
  });

  test("takes the place of one right before it", () => {
    const archive = tar(pax({ path: "first", uid: "1" }), pax({ gid: "2" }), file("f"));
    assert.deepEqual(decodedEntry(archive), expectedEntry({ gid: 2 }));
  });

  test("may hold no records", () => {
    assert.deepEqual(decodedEntry(tar(paxText(""), file("f"))), expectedEntry({}));
  });

  test("means nothing by keywords that a layer does not know", () => {
    const records = {
      comment: "\0\xff",
      uname: "root",
      "SCHILY.fflags": "nodump",
      "SCHILY.dev": "x",
      ctime: "1",
      hdrcharset: "BINARY",
    };
    assert.deepEqual(withRecords(records), expectedEntry({ offset: 0 }));
  });

  test("of many records of one keyword believes the last", () => {
    assert.equal(
      withRecords([
        ["path", "a"],
        ["uid", "5"],
        ["path", "b"],
      ]).path,
      "b",
    );
  });

  test("with an empty record leaves the header its say", () => {
    const records = { path: "", linkpath: "", size: "", uid: "", gid: "", mtime: "", atime: "" };
    assert.deepEqual(
      decodedEntry(tar(symlink("f", "t", { pax: records }))),
      expectedEntry({
        type: "symlink",
        typeFlag: "2",
        linkPath: "t",
        mode: 0o777,
      }),
    );
    assert.equal(
      withRecords([
        ["path", "a"],
        ["path", ""],
      ]).path,
      "f",
    );
  });
});

describe("a pax time", () => {
  const times: readonly (readonly [text: string, seconds: number, nanoseconds: number])[] = [
    ["1350244992.023960108", 1_350_244_992, 23_960_108],
    ["1350244992", 1_350_244_992, 0],
    ["1350244992.", 1_350_244_992, 0],
    ["1.5", 1, 500_000_000],
    ["1.0000000019999", 1, 1],
    ["0.000000001", 0, 1],
    ["-1", -1, 0],
    ["-0", 0, 0],
    ["-1.5", -2, 500_000_000],
    ["-0.000000001", -1, 999_999_999],
    ["-1.0000000009", -1, 0],
    ["-62135596800", -62_135_596_800, 0],
    ["253402300800.999999999", 253_402_300_800, 999_999_999],
  ];
  for (const [text, seconds, nanoseconds] of times) {
    test(`${text} is ${seconds} seconds and ${nanoseconds} nanoseconds`, () => {
      const { mtime, atime } = withRecords({ mtime: text, atime: text });
      assert.deepEqual(
        [mtime, atime],
        [
          { seconds, nanoseconds },
          { seconds, nanoseconds },
        ],
      );
    });
  }

  for (const text of [
    "x",
    "1.x",
    ".5",
    "-",
    "--1",
    "+1",
    "1e9",
    "1.5.5",
    "1,5",
    " 1",
    "0x10",
    "1.5\0",
    "1.1234567890x",
  ]) {
    test(`${JSON.stringify(text)} is an error`, () => {
      assert.throws(() => withRecords({ mtime: text }), {
        code: "INVALID_ARCHIVE",
        message: /at offset 0: its mtime is "/,
      });
    });
  }

  test("beyond safe integers is brought nearer, with a warning", () => {
    const { entries, warnings } = decoded(
      tar(file("f", "", { pax: { mtime: "9007199254740993.5", atime: "-1e".replace("e", "0".repeat(30)) } })),
    );
    assert.deepEqual(warnings, ["TIME_CLAMPED", "TIME_CLAMPED"]);
    assert.deepEqual(entries[0]?.mtime, { seconds: Number.MAX_SAFE_INTEGER, nanoseconds: 999_999_999 });
    assert.deepEqual(entries[0]?.atime, { seconds: Number.MIN_SAFE_INTEGER, nanoseconds: 0 });
  });

  test("beyond safe integers is an error where one is strict", () => {
    const archive = tar(file("f", "", { pax: { mtime: "9007199254740993" } }));
    assert.throws(() => decoded(archive, { strict: true }), {
      code: "STRICT_VIOLATION",
      message: /^cannot accept "f" strictly: /,
    });
  });
});

describe("a malformed pax header is an error that names the offset and the record", () => {
  const noLength = "its record at byte 0 states no possible length";
  const noNewline = "its record at byte 0 does not end in a newline";
  const noEquals = "its record at byte 0 has no equals sign";
  const noKeyword = "its record at byte 0 has no valid keyword";
  const faults: readonly (readonly [fault: string, text: string, found: string])[] = [
    ["a record without a length", "path=x\n", noLength],
    ["a length without a record", "30", noLength],
    ["a length that is too long", "13 path=abc\n", noLength],
    ["a length that is too short", "11 path=abc\n", noNewline],
    ["a length of 0", "0 path=abc\n", noLength],
    ["a length of 0 after another record", "6 a=b\n0 a=b\n", "its record at byte 6 states no possible length"],
    ["a length that does not hold itself", "1 a=b\n", noLength],
    ["a length with a sign", "+12 path=abc\n", noLength],
    ["an endless length", `${"9".repeat(400)} path=abc\n`, noLength],
    ["a record without an equals sign", "12 pathxabc\n", noEquals],
    ["a record whose equals sign is in the next one", "6 abc\n8 a=bc\n", noEquals],
    ["a record without a keyword", "7 =abc\n", noKeyword],
    ["a NUL in a keyword", "20 SCHILY.xattr.\0=x\n", noKeyword],
    ["zeros after the last record", "12 path=abc\n\0\0\0", "its record at byte 12 states no possible length"],
    ["a size that is negative", "11 size=-1\n", 'its size is "-1"'],
    ["a size that is no number", "12 size=0x1\n", 'its size is "0x1"'],
    ["a size beyond safe integers", "25 size=9007199254740992\n", 'its size is "9007199254740992"'],
    ["an owner that is no number", "11 uid=1.5\n", 'its uid is "1.5"'],
    ["a NUL in a path", "12 path=a\0c\n", "its path holds a NUL"],
    ["a NUL in a link target", "16 linkpath=a\0c\n", "its linkpath holds a NUL"],
  ];
  for (const [fault, text, found] of faults) {
    test(fault, () => {
      assert.throws(() => decoded(tar(file("a"), paxText(text), file("f"))), {
        code: "INVALID_ARCHIVE",
        message: `cannot decode the pax header at offset 512: ${found}`,
      });
    });
  }
});

describe("a global pax header", () => {
  test("is passed over in silence where it holds a comment, as git writes it", () => {
    assert.deepEqual(
      decodedEntry(tar(paxGlobal({ comment: "6d5d2aa" }), file("f")), { strict: true }),
      expectedEntry({ offset: 1024 }),
    );
  });

  for (const keyword of ["path", "size", "uid", "mtime", "SCHILY.xattr.user.x", "GNU.sparse.size"]) {
    test(`changes nothing by ${keyword}, with a warning`, () => {
      const archive = tar(paxGlobal({ [keyword]: "7" }), file("f"));
      assert.deepEqual(decoded(archive), {
        entries: [expectedEntry({ offset: 1024 })],
        warnings: ["GLOBAL_HEADER_IGNORED"],
      });
      assert.throws(() => decoded(archive, { strict: true }), { code: "STRICT_VIOLATION" });
    });
  }

  test("is an error where it is malformed", () => {
    assert.throws(() => decoded(tar(entry("g", "g", "", Buffer.from("nonsense")), file("f"))), {
      code: "INVALID_ARCHIVE",
    });
  });
});

describe("extended attributes", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);

  function xattrsOf(records: PaxRecords): Record<string, string> {
    const { xattrs = new Map<ByteString, Uint8Array>() } = withRecords(records);
    return Object.fromEntries([...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("latin1")]));
  }

  test("of any bytes come out of SCHILY.xattr as they went in", () => {
    const { xattrs } = decodedEntry(
      tar(file("f", "", { xattrs: { "user.a": bytes, "security.capability": "\x01\0\0\x02" } })),
    );
    assert.deepEqual(
      xattrs,
      new Map([
        ["user.a", bytes],
        ["security.capability", Uint8Array.of(1, 0, 0, 2)],
      ]),
    );
  });

  test("may be empty, and have names of any bytes", () => {
    assert.deepEqual(xattrsOf({ "SCHILY.xattr.user.\u00e9 %3D": "" }), { "user.\u00c3\u00a9 %3D": "" });
  });

  test("are decoded from LIBARCHIVE.xattr: the name as in a URL, the value in base64, padded or not", () => {
    assert.deepEqual(
      xattrsOf({
        "LIBARCHIVE.xattr.user.a%3Db%25": "AAH/",
        "LIBARCHIVE.xattr.user.b": "/w",
        "LIBARCHIVE.xattr.user.c": "/w==",
      }),
      { "user.a=b%": "\0\x01\xff", "user.b": "\xff", "user.c": "\xff" },
    );
  });

  for (const [keyword, value] of [
    ["LIBARCHIVE.xattr.user.a", "A-_/"],
    ["LIBARCHIVE.xattr.user.%4", "AA=="],
    ["LIBARCHIVE.xattr.user.%00", "AA=="],
  ] as const) {
    test(`are an error where libarchive's form is malformed: ${keyword}=${value}`, () => {
      assert.throws(() => xattrsOf({ [keyword]: value }), { code: "INVALID_ARCHIVE", message: /its LIBARCHIVE/ });
    });
  }

  test("include the label of SELinux", () => {
    assert.deepEqual(xattrsOf({ "RHT.security.selinux": "system_u:object_r:etc_t:s0" }), {
      "security.selinux": "system_u:object_r:etc_t:s0",
    });
  });

  test("belong to links and directories, too", () => {
    assert.deepEqual(
      decodedEntry(tar(hardlink("f", "g", { xattrs: { "user.a": "1" } }))).xattrs,
      new Map([["user.a", Uint8Array.of(0x31)]]),
    );
  });

  test("outlive the archive's memory", () => {
    const { entries } = decoded(
      tar(file("f", "", { xattrs: { "user.a": "1" } }), file("g", "", { xattrs: { "user.a": "2" } })),
      { chunkBytes: () => 512 },
    );
    assert.deepEqual(
      entries.map(({ xattrs }) => xattrs),
      [new Map([["user.a", Uint8Array.of(0x31)]]), new Map([["user.a", Uint8Array.of(0x32)]])],
    );
  });

  test("have a limit that counts names and values", () => {
    const archive = tar(file("f", "", { xattrs: { "user.a": "1234", "user.b": "1234" } }));
    assert.equal(decodedEntry(archive, { limits: { xattrBytes: 20 } }).xattrs?.size, 2);
    assert.throws(() => decoded(archive, { limits: { xattrBytes: 19 } }), {
      code: "LIMIT_EXCEEDED",
      hint: /xattrBytes/,
    });
  });
});

describe("access-control lists", () => {
  const minimal = accessControlList(["user", 6], ["group", 4], ["other", 0]);
  const full = accessControlList(
    ["user", 6],
    ["user", 5, 0],
    ["user", 7, 1001],
    ["group", 4],
    ["group", 5, 100],
    ["mask", 7],
    ["other", 4],
  );

  test("as GNU tar writes them become what Linux keeps, in Linux's order", () => {
    const text = "user::rw-\nuser:1001:rwx\nuser:0:r-x\ngroup::r--\ngroup:100:r-x\nmask::rwx\nother::r--\n";
    const { xattrs } = withRecords({
      "SCHILY.acl.access": text,
      "SCHILY.acl.default": "user::rw-,group::r--,other::---",
    });
    assert.deepEqual(
      xattrs,
      new Map([
        ["system.posix_acl_access", full],
        ["system.posix_acl_default", minimal],
      ]),
    );
  });

  test("as star and libarchive write them, with names and numbers, mean the numbers", () => {
    const text = "user::rw-,group::r--,other::r--,user:bob:rwx:1001,user:root:r-x:0,group:users:r-x:100,mask::rwx";
    assert.deepEqual(withRecords({ "SCHILY.acl.access": text }).xattrs, new Map([["system.posix_acl_access", full]]));
  });

  test("may be short, have remarks, or say that they are a default", () => {
    const texts = [
      "u::rw-,g::r--,o::---",
      "user::rw-,group::r--,other:---",
      "default:user::rw-\ndefault:group::r--\t#effective:---\n\nd:other::---\n# end",
    ];
    for (const text of texts) {
      assert.deepEqual(
        withRecords({ "SCHILY.acl.default": text }).xattrs,
        new Map([["system.posix_acl_default", minimal]]),
      );
    }
  });

  for (const text of [
    "user::rw-,user:bob:rwx,group::r--,mask::rwx,other::r--",
    "nonsense",
    "user::abc",
    "mask:5:rwx",
    "user:4294967295:rwx",
    "toString::rwx",
  ]) {
    test(`that cannot be expressed are left out with a warning: ${text}`, () => {
      const archive = tar(file("f", "", { pax: { "SCHILY.acl.access": text } }));
      assert.deepEqual(decoded(archive), { entries: [expectedEntry({})], warnings: ["XATTR_NOT_APPLIED"] });
      assert.throws(() => decoded(archive, { strict: true }), { code: "STRICT_VIOLATION" });
    });
  }

  test("that are empty, as GNU tar writes what a directory does not have, are none", () => {
    const archive = tar(file("f", "", { pax: { "SCHILY.acl.access": "", "SCHILY.acl.default": "" } }));
    assert.deepEqual(decoded(archive, { strict: true }), { entries: [expectedEntry({})], warnings: [] });
    const { xattrs } = withRecords({
      "SCHILY.acl.access": "",
      "SCHILY.acl.default": "user::rw-,group::r--,other::---",
    });
    assert.deepEqual(xattrs, new Map([["system.posix_acl_default", minimal]]));
  });

  test("give way to the attribute itself", () => {
    const records = { "SCHILY.acl.access": "user:bob:rwx", "SCHILY.xattr.system.posix_acl_access": "binary" };
    assert.deepEqual(
      withRecords(records).xattrs,
      new Map([["system.posix_acl_access", new Uint8Array(Buffer.from("binary"))]]),
    );
  });
});

test("records are found where lengths gain a digit", () => {
  for (const length of [1, 90, 91, 92, 93, 94, 95, 990, 991, 992, 993, 994, 995]) {
    const archive = tar(
      paxText(joined(paxRecord("comment", "x".repeat(length)), paxRecord("path", "p".repeat(length)))),
      file("f"),
    );
    assert.equal(decodedEntry(archive).path, "p".repeat(length));
  }
});
