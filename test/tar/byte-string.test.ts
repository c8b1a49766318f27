import assert from "node:assert/strict";
import { test } from "node:test";
import { byteString, byteStringOf, bytesOf, textOf } from "../../src/tar/byte-string.ts";

const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

test("a name of any bytes becomes the same bytes again", () => {
  assert.deepEqual(new Uint8Array(bytesOf(byteString(everyByte))), everyByte);
});

test("a name can be cut out of shared memory", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(300)).subarray(20, 276);
  shared.set(everyByte);
  assert.equal(byteString(shared, 0x61, 0x64), "abc");
});

test("text becomes its UTF-8 bytes, one to a character", () => {
  assert.equal(byteStringOf("\u00fc"), "\u00c3\u00bc");
  assert.equal(textOf(byteStringOf("\u00fc\u{1f31f}")), "\u00fc\u{1f31f}");
});

test("bytes that are not UTF-8 are shown to people as replacement characters", () => {
  assert.equal(textOf(byteString(Uint8Array.of(0x61, 0xff, 0x62))), "a\ufffdb");
});
