import assert from "node:assert/strict";
import { test } from "node:test";
import { tomlLine } from "../../src/configuration/toml.ts";

const file = `# mirrors
unqualified-search-registries = [
  "a.example", # the first
  "b.example",
]

[[registry]]
location = "a.example" # line 8
insecure = true

[[registry]]

prefix = """
  "location" = "not this one"
"""
location = "b.example"
[[registry.mirror]]
location = "mirror.example"
"pull-from-mirror" = 'all'

[aliases]
debian.stable = "a.example/debian"
"name with spaces" = { within = 5 }
`;

test("the line of a key is where it begins to be said, whatever stands before it", () => {
  for (const [line, ...keyPath] of [
    [2, "unqualified-search-registries"],
    [7, "registry"],
    [7, "registry", 0],
    [8, "registry", 0, "location"],
    [9, "registry", 0, "insecure"],
    [11, "registry", 1],
    [13, "registry", 1, "prefix"],
    [16, "registry", 1, "location"],
    [17, "registry", 1, "mirror", 0],
    [19, "registry", 1, "mirror", 0, "pull-from-mirror"],
    [21, "aliases"],
    [22, "aliases", "debian"],
    [22, "aliases", "debian", "stable"],
    [23, "aliases", "name with spaces", "within"],
  ] as const) {
    assert.equal(tomlLine(file, keyPath), line, keyPath.join("."));
    assert.equal(
      tomlLine(file.replaceAll("\n", "\r\n"), keyPath),
      line,
      `${keyPath.join(".")}, as Windows writes lines`,
    );
  }
});

test("of a key that is missing it is the line of the table that lacks it", () => {
  assert.equal(tomlLine(file, ["registry", 0, "prefix"]), 7);
  assert.equal(tomlLine(file, ["registry", 1, "mirror", 0, "insecure"]), 17);
  assert.equal(tomlLine(file, ["short-name-mode"]), 1);
  assert.equal(tomlLine("", ["short-name-mode"]), 1);
});
