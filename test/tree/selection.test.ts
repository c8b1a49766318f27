import assert from "node:assert/strict";
import { test } from "node:test";
import { type ByteString, byteStringOf } from "../../src/tar/byte-string.ts";
import { type SelectionPatterns, selection } from "../../src/tree/selection.ts";

function isWanted(patterns: SelectionPatterns, path: string): boolean {
  const names = (byteStringOf(path) as string).split("/") as ByteString[];
  return names.reduce((above, name) => above.below(name), selection(patterns)).isWanted;
}

function wanted(patterns: SelectionPatterns, paths: readonly string[]): string[] {
  return paths.filter((path) => isWanted(patterns, path));
}

const paths = [
  "etc",
  "etc/passwd",
  "etc/ssl/certs/a.pem",
  "usr/etc/x",
  "usr/lib/a.so.1",
  "usr/lib/b.so",
  "caf\u00e9/x",
  "a[b",
];

for (const [pattern, expected] of [
  ["etc", ["etc", "etc/passwd", "etc/ssl/certs/a.pem"]],
  ["/etc/", ["etc", "etc/passwd", "etc/ssl/certs/a.pem"]],
  ["./etc/*", ["etc/passwd", "etc/ssl/certs/a.pem"]],
  ["etc/**", ["etc/passwd", "etc/ssl/certs/a.pem"]],
  ["**/etc", ["etc", "etc/passwd", "etc/ssl/certs/a.pem", "usr/etc/x"]],
  ["**/*.pem", ["etc/ssl/certs/a.pem"]],
  ["etc/**/a.pem", ["etc/ssl/certs/a.pem"]],
  ["usr/*/?.so*", ["usr/lib/a.so.1", "usr/lib/b.so"]],
  ["usr/lib/[!a].so", ["usr/lib/b.so"]],
  ["usr/lib/[a-b].so", ["usr/lib/b.so"]],
  ["usr/lib/[^]a-].so", ["usr/lib/b.so"]],
  ["**/**/x", ["usr/etc/x", "caf\u00e9/x"]],
  ["usr/**/**", ["usr/etc/x", "usr/lib/a.so.1", "usr/lib/b.so"]],
  ["usr/**/lib/*", ["usr/lib/a.so.1", "usr/lib/b.so"]],
  ["*/*/*.s*o*", ["usr/lib/a.so.1", "usr/lib/b.so"]],
  ["caf\u00e9", ["caf\u00e9/x"]],
  ["a[b", ["a[b"]],
  ["*.so", []],
  ["et", []],
  ["**", paths],
] as const) {
  test(`${pattern} selects ${expected.join(", ") || "nothing"}`, () => {
    assert.deepEqual(wanted({ include: [pattern] }, paths), expected);
    const others = paths.filter((path) => !expected.some((each) => each === path));
    assert.deepEqual(wanted({ exclude: [pattern] }, paths), others);
  });
}

test("what is excluded is left out whatever includes it", () => {
  assert.deepEqual(wanted({ include: ["etc", "usr"], exclude: ["etc/ssl", "**/lib"] }, paths), [
    ...["etc", "etc/passwd", "usr/etc/x"],
  ]);
});

test("characters that mean something in expressions mean themselves in patterns", () => {
  const odd = ["a.b", "a+b", "(a)", "a|b", "^a$", "a\\b", "a{2}"];
  for (const path of odd) assert.deepEqual(wanted({ include: [path] }, [...odd, "axb", "aa", "a"]), [path]);
});

/** More ways to match than anybody can try. */
const repetitions = 10;

test("a path of thousands of names is matched without trying all ways in which ** can stand for them", () => {
  const path = Array.from({ length: 2000 }, () => "x");
  const include = [`${"**/x/".repeat(repetitions)}y`];
  assert.equal(isWanted({ include }, path.join("/")), false);
  assert.equal(isWanted({ include }, [...path, "y"].join("/")), true);
  assert.equal(isWanted({ include: [`${"**/x/".repeat(repetitions)}**`], exclude: include }, path.join("/")), true);
});

test("a name of 255 bytes is matched without trying all ways in which * can stand for them", () => {
  const name = "a".repeat(254);
  const include = [`${"*a".repeat(repetitions)}*b`];
  assert.equal(isWanted({ include }, `${name}a`), false);
  assert.equal(isWanted({ include }, `${name}b`), true);
});
