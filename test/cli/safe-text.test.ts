import assert from "node:assert/strict";
import { test } from "node:test";
import { safeJson, safeText } from "../../src/cli/safe-text.ts";

test("ordinary text, in any script, is printed as it is", () => {
  for (const text of ["plain", "Größe 漢字 עברית 🎉", 'with "quotes" and \\ and ~']) assert.equal(safeText(text), text);
});

test("what moves a cursor, rings, or starts an escape sequence is shown instead", () => {
  assert.equal(safeText("a\x1b[2Jb\rc\nd\te\x07\x7f"), "a\\x1b[2Jb\\rc\\nd\\te\\x07\\x7f");
  assert.equal(safeText("\x9b31m"), "\\x9b31m", "the 8-bit form of an escape sequence");
  assert.equal(safeText("\0"), "\\x00");
});

test("what reorders or hides text is shown instead", () => {
  assert.equal(safeText("gpj\u202eexe.jpg"), "gpj\\u{202e}exe.jpg");
  assert.equal(safeText("\u2066isolated\u2069"), "\\u{2066}isolated\\u{2069}");
  assert.equal(safeText("zero\u200bwidth\ufeff"), "zero\\u{200b}width\\u{feff}");
  assert.equal(safeText("\u{e0041}tag"), "\\u{e0041}tag");
  assert.equal(safeText("line\u2028paragraph\u2029"), "line\\u{2028}paragraph\\u{2029}");
});

test("half a surrogate pair is shown, never written", () => {
  assert.equal(safeText("\ud800"), "\\u{d800}");
});

test("a text of any length becomes at most one screen of it", () => {
  const text = safeText("x".repeat(5_000_000));
  assert.ok(text.length <= 2001);
  assert.ok(text.endsWith("x…"));
});

test("JSON says the same without any of these characters", () => {
  const value = { message: "\x1b[31m \x7f \x9b \u202e \u200b \u{e0041} \u2028 ü 🎉", nested: ["\n"] };
  const json = safeJson(value);
  assert.deepEqual(JSON.parse(json), value);
  assert.equal(/[\p{C}\p{Zl}\p{Zp}]/u.test(json), false);
  assert.ok(json.includes("ü 🎉"));
});
