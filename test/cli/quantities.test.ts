import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesText, counted, durationText, withUnits } from "../../src/cli/quantities.ts";

test("sizes have three digits and a unit", () => {
  const texts = [0, 999, 1000, 1499, 54_000_000, 999_499, 999_500, 126_400_000_000].map(bytesText);
  assert.deepEqual(texts, ["0 B", "999 B", "1.00 kB", "1.50 kB", "54.0 MB", "999 kB", "1.00 MB", "126 GB"]);
});

test("durations are as precise as anyone wants to know", () => {
  const texts = [0, 340, 9940, 9960, 59_400, 59_600, 185_000, 7_800_000].map(durationText);
  assert.deepEqual(texts, ["0.0 s", "0.3 s", "9.9 s", "10 s", "59 s", "1 min 0 s", "3 min 5 s", "2 h 10 min"]);
});

test("counts are grouped and agree with their noun", () => {
  assert.equal(counted(1, "entry", "entries"), "1 entry");
  assert.equal(counted(1_234_567, "entry", "entries"), "1,234,567 entries");
  assert.equal(counted(0, "layer"), "0 layers");
});

test("a message for people has its large byte counts in units as well", () => {
  for (const [message, told] of [
    ["it has 5890123 bytes, 4194304 are allowed", "it has 5890123 bytes (5.89 MB), 4194304 are allowed"],
    ["more than the 1099511627776 bytes allowed", "more than the 1099511627776 bytes (1 TiB) allowed"],
    ["raise the limit memoryBytes, now 268435456, if", "raise the limit memoryBytes, now 256 MiB, if"],
    ["raise the limit entries, now 20000000, if", "raise the limit entries, now 20000000, if"],
    ["its 1024 bytes digest to sha256:12345678", "its 1024 bytes digest to sha256:12345678"],
  ] as const) {
    assert.equal(withUnits(message), told);
  }
});
