import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { byteString, textOf } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { decoded, decodedEntry, expectedEntry } from "../support/decode.ts";
import {
  type Dialect,
  device,
  directory,
  entry,
  extension,
  fifo,
  file,
  gnuLongLink,
  gnuLongName,
  hardlink,
  magics,
  pax,
  symlink,
  tar,
  tarWithoutEnd,
} from "../support/tar-builder.ts";
import { base256, header, joined } from "../support/tar-header.ts";

const zeroBlock = new Uint8Array(512);

describe("every type of entry", () => {
  const root = { uid: 0, gid: 0 };

  test("a file with its data, owner, mode and time", () => {
    assert.deepEqual(
      decodedEntry(tar(file("etc/motd", "hello", { mode: 0o4755, uid: 1000, gid: 100, mtime: 7 }))),
      expectedEntry({
        path: "etc/motd",
        content: "hello",
        sizeBytes: 5,
        mode: 0o4755,
        uid: 1000,
        gid: 100,
        mtime: { seconds: 7, nanoseconds: 0 },
      }),
    );
  });

  test("a directory keeps the slash at its end", () => {
    assert.deepEqual(
      decodedEntry(tar(directory("etc", { mode: 0o1777 }))),
      expectedEntry({ type: "directory", typeFlag: "5", path: "etc/", mode: 0o1777, ...root }),
    );
  });

  test("links with their targets", () => {
    const { entries } = decoded(tar(symlink("a", "../b"), hardlink("c", "d")));
    assert.deepEqual(entries, [
      expectedEntry({ type: "symlink", typeFlag: "2", path: "a", linkPath: "../b", mode: 0o777 }),
      expectedEntry({ type: "hardlink", typeFlag: "1", path: "c", linkPath: "d", offset: 512 }),
    ]);
  });

  test("fifos and devices", () => {
    const { entries } = decoded(tar(fifo("p"), device("n", "character", [1, 3]), device("b", "block", [259, 70_000])));
    assert.deepEqual(entries, [
      expectedEntry({ type: "fifo", typeFlag: "6", path: "p" }),
      expectedEntry({
        type: "character-device",
        typeFlag: "3",
        path: "n",
        mode: 0o600,
        deviceMajor: 1,
        deviceMinor: 3,
        offset: 512,
      }),
      expectedEntry({
        type: "block-device",
        typeFlag: "4",
        path: "b",
        mode: 0o600,
        deviceMajor: 259,
        deviceMinor: 70_000,
        offset: 1024,
      }),
    ]);
  });

  test("devices of v7 have no numbers, for it has no place for them", () => {
    const archive = tar(device("d", "block", [8, 1], { dialect: "v7" }));
    const { type, deviceMajor, deviceMinor } = decodedEntry(archive);
    assert.deepEqual([type, deviceMajor, deviceMinor], ["block-device", 0, 0]);
  });

  test("a contiguous file is a file", () => {
    assert.deepEqual(
      decodedEntry(tar(entry("7", "f", "", Buffer.from("x")))),
      expectedEntry({ typeFlag: "7", content: "x", sizeBytes: 1 }),
    );
  });

  test("a type that a layer does not know is left to the caller, data and all", () => {
    const { entries } = decoded(tar(entry("D", "dump", "", Buffer.from("Yfile\0")), file("f")));
    assert.deepEqual(entries, [
      expectedEntry({ type: "other", typeFlag: "D", path: "dump", content: "Yfile\0", sizeBytes: 6 }),
      expectedEntry({ offset: 1024 }),
    ]);
  });

  test("a volume label is no entry", () => {
    assert.deepEqual(
      decodedEntry(tar(entry("V", "label", "", Buffer.alloc(0)), file("f"))),
      expectedEntry({ offset: 512 }),
    );
  });

  test("a link target in the header of a file means nothing", () => {
    assert.deepEqual(decodedEntry(tar(file("f", "", { header: { linkName: "x" } }))), expectedEntry({}));
  });

  test("device numbers in the header of a file mean nothing, not even wrong ones", () => {
    assert.deepEqual(decodedEntry(tar(file("f", "", { header: { deviceMajor: "xxxx" } }))), expectedEntry({}));
  });

  test("bits of the mode beyond the permissions are dropped", () => {
    assert.equal(decodedEntry(tar(file("f", "", { mode: 0o174755 }))).mode, 0o4755);
  });
});

describe("names", () => {
  test("need no NUL where they fill their field", () => {
    const name = "n".repeat(100);
    const { path, linkPath } = decodedEntry(tar(symlink(name, "t".repeat(100), { dialect: "ustar" })));
    assert.deepEqual([path, linkPath], [name, "t".repeat(100)]);
  });

  test("of any bytes survive", () => {
    const bytes = Uint8Array.from({ length: 255 }, (_, index) => index + 1);
    assert.equal(decodedEntry(tar(file(bytes, "", { dialect: "pax" }))).path, byteString(bytes));
    assert.equal(decodedEntry(tar(file(bytes, "", { dialect: "gnu" }))).path, byteString(bytes));
  });

  for (const dialect of ["ustar", "star", "gnu", "pax"] satisfies Dialect[]) {
    test(`longer than 100 bytes are read from ${dialect}`, () => {
      const name = `${"d".repeat(90)}/${"f".repeat(95)}`;
      assert.equal(decodedEntry(tar(file(name, "", { dialect }))).path, name);
    });
  }

  for (const dialect of ["gnu", "pax"] satisfies Dialect[]) {
    test(`of 5000 bytes, and link targets too, are read from ${dialect}`, () => {
      const [name, target] = ["n".repeat(5000), "t".repeat(5000)];
      const { path, linkPath } = decodedEntry(tar(symlink(name, target, { dialect })));
      assert.deepEqual([path, linkPath], [name, target]);
    });
  }

  test("that are GNU's end at their first NUL, and the last of several counts", () => {
    const { path, linkPath } = decodedEntry(
      tar(
        gnuLongName("first"),
        gnuLongLink("one"),
        gnuLongName("second\0rest"),
        gnuLongLink("two"),
        symlink("short", "t"),
      ),
    );
    assert.deepEqual([path, linkPath], ["second", "two"]);
  });

  test("that are GNU's go before pax's, as in Go", () => {
    assert.equal(decodedEntry(tar(gnuLongName("gnu"), file("f", "", { pax: { path: "pax" } }))).path, "gnu");
  });

  test("that are GNU's and empty leave the header its say", () => {
    assert.equal(decodedEntry(tar(gnuLongName(""), file("f"))).path, "f");
  });

  test("are taken for one entry only", () => {
    const { entries } = decoded(tar(gnuLongName("long"), file("f"), file("g")));
    assert.deepEqual(
      entries.map(({ path }) => path),
      ["long", "g"],
    );
  });

  test("may be missing: what that means is not for the decoder to say", () => {
    assert.deepEqual(decodedEntry(tar(file(""))), expectedEntry({ path: "" }));
  });

  test("have no prefix in v7, where something else may stand in its place", () => {
    assert.equal(decodedEntry(tar(file("f", "", { dialect: "v7", header: { prefix: "p" } }))).path, "f");
  });

  test("have no prefix in GNU's dialect where the times are times", () => {
    const attributes = { dialect: "gnu", atime: 5, header: { gnuCtime: 6 } } as const;
    assert.equal(decodedEntry(tar(file("f", "", attributes))).path, "f");
  });

  test("have the prefix that Docker's first years put into GNU's dialect", () => {
    const prefix = "usr/share/".repeat(10);
    const { path, atime } = decodedEntry(tar(file("f", "", { dialect: "gnu", header: { prefix } })));
    assert.deepEqual([path, atime], [`${prefix}/f`, undefined]);
  });

  test("have such a prefix where only its beginning could be a time", () => {
    const prefix = "201601010000 cache";
    const { path, atime } = decodedEntry(tar(file("f", "", { dialect: "gnu", header: { prefix: `${prefix}/x` } })));
    assert.deepEqual([path, atime], [`${prefix}/x/f`, undefined]);
  });

  test("have no such prefix that is not ASCII, nor an error where the times should be", () => {
    const { path, atime } = decodedEntry(tar(file("f", "", { dialect: "gnu", header: { prefix: "\u00fcsr" } })));
    assert.deepEqual([path, atime], ["f", undefined]);
  });
});

describe("numbers", () => {
  test("in octal may stand among spaces or NULs, or be missing", () => {
    const fields = {
      mode: "   644 \0",
      uid: "\0\0\0\x0017\0\0",
      gid: " ",
      size: "           0",
      mtime: "00000000007 ",
    };
    const { mode, uid, gid, mtime } = decodedEntry(tar(file("f", "", { header: fields })));
    assert.deepEqual(
      { mode, uid, gid, mtime },
      { mode: 0o644, uid: 0o17, gid: 0, mtime: { seconds: 7, nanoseconds: 0 } },
    );
  });

  test("in octal end at a NUL, whatever follows", () => {
    assert.equal(decodedEntry(tar(file("f", "", { header: { uid: "17\0junk" } }))).uid, 0o17);
  });

  test("in base-256 hold large owners and times before 1970", () => {
    const attributes = { dialect: "gnu", uid: 4_000_000_000, gid: 2 ** 40, mtime: -1 } as const;
    const { uid, gid, mtime } = decodedEntry(tar(file("f", "", attributes)));
    assert.deepEqual({ uid, gid, mtime }, { uid: 4_000_000_000, gid: 2 ** 40, mtime: { seconds: -1, nanoseconds: 0 } });
  });

  test("in base-256 may be negative owners, which the decoder does not judge", () => {
    assert.equal(decodedEntry(tar(file("f", "", { dialect: "gnu", uid: -2 }))).uid, -2);
  });

  test("in base-256 hold the largest safe integer, to the last bit", () => {
    const mtime = base256(Number.MAX_SAFE_INTEGER, 12);
    assert.equal(decodedEntry(tar(file("f", "", { header: { mtime } }))).mtime.seconds, Number.MAX_SAFE_INTEGER);
  });

  test("that are times beyond safe integers are brought nearer, with a warning", () => {
    const { entries, warnings } = decoded(tar(file("f", "", { header: { mtime: base256(-(2n ** 70n), 12) } })));
    assert.deepEqual(warnings, ["TIME_CLAMPED"]);
    assert.equal(entries[0]?.mtime.seconds, Number.MIN_SAFE_INTEGER);
  });
});

describe("times of access", () => {
  for (const dialect of ["gnu", "star", "pax"] satisfies Dialect[]) {
    test(`are read from ${dialect}`, () => {
      const { atime } = decodedEntry(tar(file("f", "", { dialect, atime: 1_234_567_890 })));
      assert.deepEqual(atime, { seconds: 1_234_567_890, nanoseconds: 0 });
    });
  }

  test("are absent where nobody wrote one", () => {
    assert.equal("atime" in decodedEntry(tar(file("f"))), false);
  });
});

describe("checksums", () => {
  /** The sum of bytes that are taken as signed. */
  function signedSum(block: Uint8Array): number {
    return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : (byte << 24) >> 24), 0);
  }

  test("may count bytes as signed, as some old writers did", () => {
    const fields = { name: "\u00e9\u00ff\u4e16", typeFlag: "0", ...magics.ustar };
    const checksum = `${signedSum(header(fields)).toString(8).padStart(6, "0")}\0 `;
    assert.equal(decodedEntry(tar(header({ ...fields, checksum }))).path, byteString(Buffer.from(fields.name)));
  });

  test("must be right", () => {
    assert.throws(() => decoded(tar(file("f"), file("g", "", { header: { checksum: "0000000" } }))), {
      code: "INVALID_ARCHIVE",
      message: /^cannot decode the header at offset 512: its checksum is 0, not \d+$/,
    });
  });
});

describe("a slash at the end of a file's name", () => {
  test("makes it a directory in the oldest archives", () => {
    const { type, typeFlag } = decodedEntry(tar(file("d/", "", { dialect: "v7", header: { typeFlag: "\0" } })));
    assert.deepEqual({ type, typeFlag }, { type: "directory", typeFlag: "\0" });
  });

  test("makes an empty file a directory, with a warning", () => {
    const { entries, warnings } = decoded(tar(file("d/")));
    assert.deepEqual([entries[0]?.type, warnings], ["directory", ["TRAILING_SLASH"]]);
    assert.throws(() => decoded(tar(file("d/")), { strict: true }), { code: "STRICT_VIOLATION" });
  });

  test("leaves a file that has data a file", () => {
    assert.deepEqual(decodedEntry(tar(file("f/", "x"))), expectedEntry({ path: "f/", content: "x", sizeBytes: 1 }));
  });

  test("counts where the name comes from a pax record, too", () => {
    assert.deepEqual(decoded(tar(file("d", "", { pax: { path: "d/" } }))).warnings, ["TRAILING_SLASH"]);
  });
});

describe("a size stated by an entry that has no data", () => {
  for (const typeFlag of ["1", "2", "3", "4", "5", "6"]) {
    test(`is ignored for type ${typeFlag}: the next header follows at once`, () => {
      const { entries } = decoded(tar(header({ name: "a", typeFlag, size: 512, ...magics.ustar }), file("f")));
      assert.deepEqual(
        entries.map(({ path, sizeBytes }) => [path, sizeBytes]),
        [
          ["a", 0],
          ["f", 0],
        ],
      );
    });
  }

  test("is an error that says so where data does follow", () => {
    const archive = tar(
      file("f", "x"),
      extension({ name: "l", typeFlag: "1", linkName: "f", ...magics.ustar }, "data"),
    );
    assert.throws(() => decoded(archive), {
      code: "INVALID_ARCHIVE",
      message:
        /at offset 1536: its checksum is .*, and "l" before it states 4 bytes of data, which a hardlink cannot have$/,
    });
  });
});

describe("the end of an archive", () => {
  test("nothing at all is an archive without entries", () => {
    assert.deepEqual(decoded(new Uint8Array(0), { strict: true }), { entries: [], warnings: [] });
  });

  test("zeros alone are an archive without entries", () => {
    assert.deepEqual(decoded(new Uint8Array(10_240), { strict: true }), { entries: [], warnings: [] });
  });

  test("may lack its marker, with a warning", () => {
    const { entries, warnings } = decoded(tarWithoutEnd(file("f", "x")));
    assert.deepEqual([entries.length, warnings], [1, ["MISSING_END_MARKER"]]);
    assert.throws(() => decoded(tarWithoutEnd(file("f")), { strict: true }), { code: "STRICT_VIOLATION" });
  });

  test("may come right after the data, before its padding", () => {
    const { entries, warnings } = decoded(tarWithoutEnd(file("f", "x")).slice(0, 513));
    assert.deepEqual([entries[0]?.content, warnings], ["x", ["MISSING_END_MARKER"]]);
  });

  test("may be half a marker", () => {
    assert.deepEqual(decoded(joined(file("f"), zeroBlock), { strict: true }).entries.length, 1);
  });

  test("is not half a marker where an entry follows it: the archive goes on, with a warning", () => {
    const archive = joined(file("f", "1"), zeroBlock, file("g", "2"), zeroBlock, zeroBlock, file("h"));
    const { entries, warnings } = decoded(archive);
    assert.deepEqual(
      entries.map(({ content }) => content),
      ["1", "2"],
    );
    assert.deepEqual(warnings, ["LONE_ZERO_BLOCK", "TRAILING_BYTES"]);
    assert.throws(() => decoded(archive, { strict: true }), {
      code: "STRICT_VIOLATION",
      message: /a single block of zeros stands before the header at offset 1536/,
    });
  });

  test("is half a marker where something else follows it, as a Maven plugin left it", () => {
    const { entries, warnings } = decoded(joined(file("f"), zeroBlock, new Uint8Array(511), Uint8Array.of(0x0a)));
    assert.deepEqual([entries.length, warnings], [1, ["TRAILING_BYTES"]]);
  });

  test("is no half a marker between an entry and its pax header", () => {
    assert.throws(() => decoded(joined(pax({ path: "g" }), zeroBlock, file("f"))), {
      code: "INVALID_ARCHIVE",
      message: /only its extension headers are there/,
    });
  });

  test("may be followed by any amount of zeros", () => {
    assert.deepEqual(decoded(joined(tar(file("f")), new Uint8Array(3_000_001)), { strict: true }).warnings, []);
  });

  test("may be followed by other bytes, which are never read as entries, with a warning", () => {
    const archive = joined(tar(file("f")), file("g"));
    const { entries, warnings } = decoded(archive);
    assert.deepEqual([entries.length, warnings], [1, ["TRAILING_BYTES"]]);
    assert.throws(() => decoded(archive, { strict: true }), { code: "STRICT_VIOLATION" });
  });

  test("must not be followed by more other bytes than the limit", () => {
    const archive = joined(tar(file("f")), new Uint8Array(2000), new Uint8Array(101).fill(1));
    assert.equal(decoded(archive, { limits: { trailingBytes: 101 } }).warnings.length, 1);
    assert.throws(() => decoded(archive, { limits: { trailingBytes: 100 } }), {
      code: "LIMIT_EXCEEDED",
      hint: /trailingBytes/,
    });
  });
});

describe("an archive that breaks off", () => {
  test("in a header is an error that names the offset", () => {
    assert.throws(() => decoded(joined(file("f"), file("g").slice(0, 100))), {
      code: "INVALID_ARCHIVE",
      message: "cannot decode the header at offset 512: the archive ends after 100 bytes of it",
    });
  });

  test("in the data of a file is an error that names the file", () => {
    assert.throws(() => decoded(file("f", new Uint8Array(1000)).slice(0, 900)), {
      code: "INVALID_ARCHIVE",
      message: 'cannot read the data of "f" at offset 900: the archive ends 612 bytes too early',
    });
  });

  test("in the body of an extension header is an error", () => {
    assert.throws(() => decoded(gnuLongName("n".repeat(600)).slice(0, 1024)), {
      code: "INVALID_ARCHIVE",
      message: "cannot read the extension header at offset 512: the archive ends 89 bytes too early",
    });
  });

  test("between an extension header and its entry is an error, with the end marker or without", () => {
    for (const archive of [tar(file("f"), gnuLongName("n")), tarWithoutEnd(file("f"), gnuLongName("n"))]) {
      assert.throws(() => decoded(archive), {
        code: "INVALID_ARCHIVE",
        message: "cannot decode the entry at offset 512: only its extension headers are there",
      });
    }
  });
});

describe("malformed fields", () => {
  for (const field of ["mode", "uid", "gid", "size", "mtime"] as const) {
    test(`are an error: ${field}`, () => {
      assert.throws(() => decoded(tar(file("f", "", { header: { [field]: "12x4" } }))), {
        code: "INVALID_ARCHIVE",
        message: new RegExp(
          `^cannot decode the header at offset 0: its ${field} field is not a number \\(hexadecimal 31327834`,
        ),
      });
    });
  }

  test("are an error: digits after a space", () => {
    assert.throws(() => decoded(tar(file("f", "", { header: { size: "10 7" } }))), { code: "INVALID_ARCHIVE" });
  });

  test("are an error: the number of a device", () => {
    assert.throws(() => decoded(tar(device("d", "block", [0, 0], { header: { deviceMinor: "8" } }))), {
      code: "INVALID_ARCHIVE",
    });
  });

  test("are an error: a negative size", () => {
    assert.throws(() => decoded(tar(file("f", "", { header: { size: -512 } }))), {
      code: "INVALID_ARCHIVE",
      message: "cannot decode the header at offset 0: its size is -512",
    });
    assert.throws(() => decoded(tar(header({ name: "x", typeFlag: "x", size: -1 }), file("f"))), {
      code: "INVALID_ARCHIVE",
      message: "cannot decode the header at offset 0: its size is -1",
    });
  });

  test("are an error: a size or owner beyond safe integers", () => {
    for (const field of ["size", "uid"]) {
      const value = base256(2n ** 53n, field === "size" ? 12 : 8);
      assert.throws(() => decoded(tar(file("f", "", { header: { [field]: value } }))), {
        code: "INVALID_ARCHIVE",
        message: new RegExp(`its ${field} field is out of range`),
      });
    }
  });
});

describe("limits", () => {
  test("hold for the size of a file, before any of it is read", () => {
    const archive = tarWithoutEnd(file("f", "", { header: { size: 1001 } }));
    assert.throws(() => decoded(archive, { limits: { apparentFileBytes: 1000 } }), {
      code: "LIMIT_EXCEEDED",
      message: "cannot decode the entry at offset 0: it states a size of 1001 bytes",
      hint: /apparentFileBytes/,
    });
  });

  test("hold for paths and link targets, from wherever they come", () => {
    const limits = { pathBytes: 200 };
    for (const dialect of ["gnu", "pax"] as const) {
      assert.equal(
        decodedEntry(tar(symlink("n".repeat(200), "t".repeat(200), { dialect })), { limits }).type,
        "symlink",
      );
      for (const archive of [
        tar(file("n".repeat(201), "", { dialect })),
        tar(symlink("n", "t".repeat(201), { dialect })),
      ]) {
        assert.throws(() => decoded(archive, { limits }), { code: "LIMIT_EXCEEDED", hint: /pathBytes/ });
      }
    }
  });

  test("hold for extension headers, before they are read", () => {
    for (const typeFlag of ["x", "g", "L", "K"]) {
      assert.throws(() => decoded(header({ name: "n", typeFlag, size: 2 ** 30 })), {
        code: "LIMIT_EXCEEDED",
        message: "cannot read the extension header at offset 0: it has 1073741824 bytes",
        hint: /headerBytes/,
      });
    }
  });
});

test("where an entry begins counts its extension headers, but no global header before it", () => {
  const { entries } = decoded(
    tar(entry("g", "global", "", Buffer.from("13 comment=x\n")), gnuLongName("long"), file("f", "data"), file("g")),
  );
  assert.deepEqual(
    entries.map(({ path, offset }) => [path, offset]),
    [
      ["long", 1024],
      ["g", 3072],
    ],
  );
});

test("data that nobody reads is passed over, and has to be there all the same", () => {
  const archive = tar(file("a", new Uint8Array(5000)), file("b", "x"));
  assert.deepEqual(pathsIn(archive), ["a", "b"]);
  assert.throws(() => pathsIn(archive.subarray(0, 512 + 4900)), {
    code: "INVALID_ARCHIVE",
    message: /read the data of "a" at offset 5412: the archive ends 100 bytes too early/,
  });
});

/** The paths of an archive's entries, whose data is left alone. */
function pathsIn(archive: Uint8Array): string[] {
  const rest = [archive];
  const settings = { limits: defaultLimits, strict: false, warning: () => {} };
  const decoder = new TarDecoder({ read: () => rest.pop() }, settings);
  const paths: string[] = [];
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) paths.push(textOf(entry.path));
  return paths;
}
