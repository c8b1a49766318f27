import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { byteString } from "../../src/tar/byte-string.ts";
import { decoded, decodedEntry, expectedEntry } from "../support/decode.ts";
import { directory, entry, file, magics, tar } from "../support/tar-builder.ts";
import { base256, body, type HeaderFields, header, joined } from "../support/tar-header.ts";
import { sparseOldGnu, sparsePax00, sparsePax01, sparsePax10 } from "../support/tar-sparse.ts";

const formats = {
  "old GNU": sparseOldGnu,
  "pax 0.0": sparsePax00,
  "pax 0.1": sparsePax01,
  "pax 1.0": sparsePax10,
};

for (const [format, write] of Object.entries(formats)) {
  describe(`a sparse file in GNU's format ${format}`, () => {
    test("has its data in segments, and the size that counts its holes", () => {
      const runs = [
        { offset: 4096, content: "one" },
        { offset: 1_000_000, content: "three" },
      ];
      const { entries, warnings } = decoded(
        tar(write("f", { runs, size: 2_000_000 }, { uid: 7, xattrs: { "user.a": "1" } }), file("g")),
      );
      assert.deepEqual(warnings, []);
      assert.deepEqual(entries, [
        expectedEntry({
          typeFlag: format === "old GNU" ? "S" : "0",
          uid: 7,
          content: "onethree",
          sizeBytes: 2_000_000,
          segments: [
            { offset: 4096, length: 3 },
            { offset: 1_000_000, length: 5 },
          ],
          xattrs: new Map([[byteString(Buffer.from("user.a")), Uint8Array.of(0x31)]]),
        }),
        expectedEntry({ path: "g", offset: entries[1]?.offset ?? 0 }),
      ]);
    });

    for (const count of [0, 1, 3, 4, 5, 24, 25, 26, 46, 47, 100]) {
      test(`may have ${count} segments`, () => {
        const runs = Array.from({ length: count }, (_, index) => ({ offset: index * 1000, content: `run ${index}` }));
        const { segments, content } = decodedEntry(tar(write("f", { runs, size: count * 1000 })));
        assert.deepEqual(
          segments,
          runs.map(({ offset, content }) => ({ offset, length: content.length })),
        );
        assert.equal(content, runs.map((run) => run.content).join(""));
      });
    }

    test("may be one hole, which GNU ends in a segment without data", () => {
      const { segments, sizeBytes } = decodedEntry(
        tar(write("f", { runs: [{ offset: 5000, content: "" }], size: 5000 })),
      );
      assert.deepEqual([segments, sizeBytes], [[], 5000]);
    });

    test("may have segments that touch", () => {
      const runs = [
        { offset: 0, content: "ab" },
        { offset: 2, content: "cd" },
      ];
      assert.equal(decodedEntry(tar(write("f", { runs, size: 4 }))).content, "abcd");
    });

    test("may be larger than 8 GiB", () => {
      const runs = [{ offset: 60_000_000_000, content: "end" }];
      const fields: HeaderFields =
        format === "old GNU" ? { gnuSparseMap: joined(base256(60_000_000_000, 12), "00000000003\0") } : {};
      const { segments, sizeBytes } = decodedEntry(tar(write("f", { runs, size: 60_000_000_003 }, { header: fields })));
      assert.deepEqual([segments, sizeBytes], [[{ offset: 60_000_000_000, length: 3 }], 60_000_000_003]);
    });

    const broken = {
      "segments that overlap": {
        runs: [
          { offset: 0, content: "abc" },
          { offset: 2, content: "d" },
        ],
        size: 10,
      },
      "segments out of order": {
        runs: [
          { offset: 5, content: "a" },
          { offset: 0, content: "b" },
        ],
        size: 10,
      },
      "a segment beyond the end of the file": { runs: [{ offset: 9, content: "ab" }], size: 10 },
    };
    for (const [fault, sparse] of Object.entries(broken)) {
      test(`with ${fault} is an error`, () => {
        assert.throws(() => decoded(tar(write("f", sparse))), {
          code: "INVALID_ARCHIVE",
          message: /^cannot decode the sparse map at offset \d+: /,
        });
      });
    }

    test("with more segments than the limit is an error", () => {
      const runs = Array.from({ length: 30 }, (_, index) => ({ offset: index, content: "x" }));
      const archive = tar(write("f", { runs, size: 30 }));
      assert.equal(decodedEntry(archive, { limits: { sparseSegments: 30 } }).segments?.length, 30);
      assert.throws(() => decoded(archive, { limits: { sparseSegments: 29 } }), {
        code: "LIMIT_EXCEEDED",
        hint: /sparseSegments/,
      });
    });

    test("with a larger size than the limit is an error, however little data it has", () => {
      const archive = tar(write("f", { runs: [], size: 1001 }));
      assert.throws(() => decoded(archive, { limits: { apparentFileBytes: 1000 } }), {
        code: "LIMIT_EXCEEDED",
        hint: /apparentFileBytes/,
      });
    });
  });
}

const format10: readonly (readonly [string, string])[] = [
  ["major", "1"],
  ["minor", "0"],
  ["realsize", "9"],
];

/** A file with GNU.sparse records and whatever body. */
function withRecords(records: readonly (readonly [keyword: string, value: string])[], content: string) {
  return decoded(tar(file("f", content, { pax: records.map(([keyword, value]) => [`GNU.sparse.${keyword}`, value]) })));
}

describe("a malformed sparse map is an error", () => {
  const records: readonly (readonly [fault: string, fields: Readonly<Record<string, string>>, found: RegExp])[] = [
    ["an unknown format", { major: "2", minor: "0", realsize: "1" }, /map at offset 1024: format 2\.0 is unknown$/],
    ["no size", { major: "0", minor: "1", numblocks: "0", map: "" }, /the size of the file is missing$/],
    ["a wrong count of segments", { size: "9", numblocks: "2", map: "0,1" }, /it has 1 segments, not 2$/],
    ["an odd count of numbers", { size: "9", map: "0,1,2" }, /its GNU\.sparse\.map is "0,1,2"$/],
    ["a number that is none", { size: "9", map: "0,x" }, /its GNU\.sparse\.map is "0,x"$/],
    ["an empty number", { size: "9", map: "0,,1,1" }, /its GNU\.sparse\.map is /],
    ["a negative number", { size: "9", map: "-1,1" }, /its GNU\.sparse\.map is /],
    ["a number beyond safe integers", { size: "9", map: "9007199254740992,1" }, /its GNU\.sparse\.map is /],
    ["an offset without a length", { size: "9", offset: "0" }, /its last segment has no length$/],
    ["a length without an offset", { size: "9", numbytes: "1" }, /its GNU\.sparse\.numbytes is "1"$/],
    ["two offsets in turn", { size: "9", map: "0", offset: "0" }, /its GNU\.sparse\.map is "0"$/],
    ["data that is not there", { size: "9", map: "0,2" }, /have 2 bytes together, but the archive holds 1$/],
    ["a size that is no number", { size: "x", map: "0,1" }, /its GNU\.sparse\.size is "x"$/],
    ["a name with a NUL", { name: "a\0b", size: "9", map: "0,1" }, /its GNU\.sparse\.name is "a/],
  ];
  for (const [fault, fields, message] of records) {
    test(`in records: ${fault}`, () => {
      assert.throws(() => withRecords(Object.entries(fields), "x"), { code: "INVALID_ARCHIVE", message });
    });
  }

  test("in records: an offset where a length is due", () => {
    const fields: [string, string][] = [
      ["size", "9"],
      ["offset", "0"],
      ["offset", "1"],
    ];
    assert.throws(() => withRecords(fields, "x"), {
      code: "INVALID_ARCHIVE",
      message: /its GNU\.sparse\.offset is "1"$/,
    });
  });

  const maps: readonly (readonly [fault: string, map: string, found: string])[] = [
    ["no count", "\n0\n1\n", "a line of it is empty"],
    ["a count that is no number", "x\n0\n1\n", "a line of it is not a number"],
    ["a negative count", "-1\n", "a line of it is not a number"],
    ["an endless number", "1".repeat(600), "a line of it is not a number"],
    ["fewer lines than counted", "2\n0\n1\n", "a line of it is not a number"],
    ["no line that ends", "0".repeat(16), "a line of it is not a number"],
  ];
  for (const [fault, map, found] of maps) {
    test(`before the data: ${fault}`, () => {
      const content = Buffer.from(joined(body(map), "x")).toString("latin1");
      assert.throws(() => withRecords(format10, content), {
        code: "INVALID_ARCHIVE",
        message: `cannot decode the sparse map at offset 1024: ${found}`,
      });
    });
  }

  test("before the data: a count above the limit, before anything is made of it", () => {
    const content = Buffer.from(body("1000001\n")).toString("latin1");
    assert.throws(() => withRecords(format10, content), { code: "LIMIT_EXCEEDED" });
  });

  test("before the data: it goes on beyond the entry", () => {
    const archive = tar(
      file("f", "", { pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" } }),
      file("g"),
    );
    assert.throws(() => decoded(archive), { code: "INVALID_ARCHIVE", message: /it does not end within the entry$/ });
  });

  test("in a header that is not GNU's", () => {
    assert.throws(() => decoded(tar(entry("S", "f", "", Buffer.alloc(0)))), {
      code: "INVALID_ARCHIVE",
      message: "cannot decode the sparse map at offset 0: the header is not GNU's",
    });
  });

  test("in a GNU header: data that the map does not place", () => {
    const fields = {
      name: "f",
      typeFlag: "S",
      size: 2,
      gnuSparseMap: "00000000000\x0000000000001\0",
      gnuRealSize: 9,
      ...magics.gnu,
    };
    assert.throws(() => decoded(tar(header(fields), body("xy"))), {
      code: "INVALID_ARCHIVE",
      message: "cannot decode the sparse map at offset 0: its segments have 1 bytes together, but the archive holds 2",
    });
  });

  test("in a GNU header: blocks of it that are missing", () => {
    const fields = { name: "f", typeFlag: "S", gnuIsExtended: "\x01", gnuRealSize: 9, ...magics.gnu };
    assert.throws(() => decoded(header(fields)), { code: "INVALID_ARCHIVE", message: /ends 512 bytes too early$/ });
  });

  test("of an entry that is no file", () => {
    assert.throws(() => decoded(tar(directory("d", { pax: { "GNU.sparse.map": "0,1", "GNU.sparse.size": "1" } }))), {
      code: "INVALID_ARCHIVE",
      message: /a directory cannot be sparse$/,
    });
  });
});

test("records of a sparse file that hold no map mean nothing", () => {
  const { entries } = withRecords(
    [
      ["name", "other"],
      ["realsize", "1000"],
    ],
    "x",
  );
  assert.deepEqual(entries, [expectedEntry({ content: "x", sizeBytes: 1 })]);
});
