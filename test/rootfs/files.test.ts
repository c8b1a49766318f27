import assert from "node:assert/strict";
import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type ErrorCode, isOciUnpackError } from "../../src/base/errors.ts";
import { built } from "../support/building.ts";
import { device, directory, file, type Member, member, sparse, symlink } from "../support/entries.ts";
import { processorSeconds } from "../support/processor-time.ts";
import { skipUnlessRoot } from "../support/tools.ts";

function failsWith(code: ErrorCode, message: RegExp, layer: readonly Member[], options = {}): void {
  assert.throws(
    () => built([layer], options),
    (error) => isOciUnpackError(error, code) && message.test(error.message),
  );
}

describe("content", () => {
  test("of any size is written as it is, however it arrives", () => {
    const contents = ["", "a", "12345", "123456", "x".repeat(70_001)];
    using rootfs = built([contents.map((content, index) => file(`f${index}`, content))]);
    assert.deepEqual(
      contents.map((_, index) => rootfs.tree[`f${index}`]?.content),
      contents,
    );
  });

  test("of a sparse file lies where it belongs, between real holes", () => {
    using rootfs = built([
      [
        sparse("a", 2_000_000, [
          [0, "begin"],
          [1_000_000, "middle"],
        ]),
        sparse("b", 3_000_000, []),
      ],
    ]);
    const text = rootfs.tree.a?.content ?? "";
    assert.deepEqual(
      [text.slice(0, 6), text.slice(999_999, 1_000_007), text.length],
      ["begin\0", "\0middle\0", 2_000_000],
    );
    assert.equal(rootfs.tree.b?.size, 3_000_000);
    assert.equal(statSync(join(rootfs.directory, "b")).blocks, 0);
  });

  test("that ends too early is an error", () => {
    failsWith("INVALID_ARCHIVE", /"a": its data end 2 bytes too early/, [file("a", "123", { sizeBytes: 5 })]);
  });

  test("beyond the limits is refused before it is written", () => {
    const limits = { fileBytes: 10, apparentFileBytes: 100 };
    using rootfs = built([[file("a", "1234567890"), sparse("b", 100, [[90, "1234567890"]])]], { limits });
    assert.equal(rootfs.tree.a?.size, 10);
    failsWith("LIMIT_EXCEEDED", /"a": a file of 11 bytes/, [file("a", "12345678901")], { limits });
    failsWith("LIMIT_EXCEEDED", /"a": a file of 101 bytes/, [sparse("a", 101, [])], { limits });
    failsWith("LIMIT_EXCEEDED", /"c": with it there are more than 2 entries/, [file("a"), file("b"), file("c")], {
      limits: { entries: 2 },
    });
  });
});

describe("links and devices", () => {
  test("a symlink's target is kept byte by byte, and one that no kernel takes is refused", () => {
    const target = Uint8Array.of(0xff, 0x0a, 0x2f, 0x2e, 0x2e);
    using rootfs = built([[symlink("s", target)]]);
    assert.equal(rootfs.tree.s?.target, "\xff\n/..");
    failsWith("ENTRY_REFUSED", /leads to no path/, [symlink("s", "")]);
    failsWith("ENTRY_REFUSED", /target of 4096 bytes/, [symlink("s", "x".repeat(4096))]);
  });

  test("devices are made only when they are asked for, and then with their numbers", { skip: skipUnlessRoot() }, () => {
    const layer = [device("null", [1, 3], { mode: 0o666, uid: 5 })];
    using skipping = built([layer]);
    using creating = built([layer], { devices: "create" });
    using placing = built([layer], { devices: "placeholder" });
    assert.deepEqual([Object.keys(skipping.tree), skipping.skipped], [["."], ["null: device"]]);
    const { type, mode, owner, device: number } = creating.tree.null ?? {};
    assert.deepEqual([type, mode, owner, number], ["character-device", "0666", "5:0", "1:3"]);
    assert.deepEqual(
      [placing.tree.null?.type, placing.tree.null?.size, placing.skipped],
      ["file", 0, ["null: device"]],
    );
    failsWith("ENTRY_REFUSED", /"null": a character device 1:3/, layer, { devices: "error" });
    failsWith("ENTRY_REFUSED", /a number that Linux does not have/, [device("d", [4096, 0])], { devices: "create" });
    failsWith("ENTRY_REFUSED", /a number that Linux does not have/, [device("d", [1, -1])], { devices: "create" });
  });

  test("an entry of no known type is left out, or refused where one is strict", () => {
    const layer = [member("other", "a", {}, { typeFlag: "V" }), file("b")];
    using rootfs = built([layer]);
    assert.deepEqual(Object.keys(rootfs.tree), [".", "b"]);
    assert.deepEqual([rootfs.warnings, rootfs.skipped], [["UNSUPPORTED_TYPE a"], ["a: unsupported-type"]]);
    failsWith("STRICT_VIOLATION", /^cannot accept "a" strictly: entries of type "V" have no meaning/, layer, {
      strict: true,
    });
  });
});

describe("names", () => {
  test("that lead out of the root, are too long, too deep or hold a NUL are refused", () => {
    failsWith("ENTRY_REFUSED", /leads out of the root/, [file("../a")]);
    failsWith("ENTRY_REFUSED", /leads out of the root/, [file("a/../../b")]);
    failsWith("ENTRY_REFUSED", /a name of 256 bytes/, [file("n".repeat(256))]);
    failsWith("ENTRY_REFUSED", /a name of 256 bytes/, [file("a"), file(`${"n".repeat(256)}/b`)]);
    failsWith("ENTRY_REFUSED", /a NUL byte in a name/, [file("a\0b")]);
    failsWith("LIMIT_EXCEEDED", /more than 3 names/, [file("a/b/c/d")], { limits: { pathDepth: 3 } });
    failsWith("LIMIT_EXCEEDED", /a path of 5 bytes/, [file("a/b/c")], { limits: { pathBytes: 4 } });
  });

  test("reach no deeper through symlinks than without", () => {
    const down = (name: string, from: string) => [directory(`${from}/a/b`), symlink(name, `${from}/a/b`)];
    const layer = [...down("one", "."), ...down("two", "one"), ...down("three", "two")];
    failsWith("LIMIT_EXCEEDED", /a directory below 4 others/, layer, { limits: { pathDepth: 4 } });
  });

  test("longer together than the kernel takes at once are made all the same, in any order", () => {
    const path = Array.from({ length: 30 }, (_, index) => `${index}-${"d".repeat(200)}`).join("/");
    using rootfs = built([[file(`${path}/x`, "1"), directory(path, { mode: 0o711 })], [file(`${path}/y`, "2")]]);
    assert.deepEqual([rootfs.tree[`${path}/x`]?.content, rootfs.tree[`${path}/y`]?.content], ["1", "2"]);
    assert.equal(rootfs.tree[path]?.mode, "0711");
  });

  test("with many dots take time in proportion to their length", () => {
    const path = `${"d/".repeat(2000)}${"a/../".repeat(9000)}x`;
    const seconds = processorSeconds(() => {
      using rootfs = built([Array.from({ length: 5 }, (_, index) => file(`${path}${index}`))]);
      assert.equal(rootfs.warnings.length, 5);
    });
    assert.ok(seconds < 20, `${seconds} s`);
  });

  test("below more directories than can be held open are found again", () => {
    const names = Array.from({ length: 1000 }, (_, index) => `d${index}/e`);
    const layer = ["a", "b"].flatMap((name) => names.map((directory) => file(`${directory}/${name}`, directory)));
    using rootfs = built([layer]);
    for (const name of names) assert.equal(rootfs.tree[`${name}/b`]?.content, name);
    assert.ok(lstatSync(join(rootfs.directory, "d999/e/a")).isFile());
  });
});

test("directories that no entry names count as entries: one long path makes thousands of them", () => {
  const deep = file(`${"d/".repeat(50)}f`, "");
  using rootfs = built([[deep]], { limits: { entries: 51 } });
  assert.equal(Object.keys(rootfs.tree).length, 52, "the root, fifty directories and the file");
  failsWith("LIMIT_EXCEEDED", /more than 50 entries/, [deep], { limits: { entries: 50 } });
});
