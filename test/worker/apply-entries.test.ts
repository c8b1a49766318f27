import assert from "node:assert/strict";
import { test } from "node:test";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { Reporter } from "../../src/worker/apply-entries.ts";
import type { EngineReport } from "../../src/worker/messages.ts";

function reports(work: (reporter: Reporter) => void): EngineReport[] {
  const told: EngineReport[] = [];
  const reporter = new Reporter((report) => told.push(report));
  work(reporter);
  reporter.close();
  return told;
}

test("paths that Linux takes are told whole, in any script", () => {
  const path = `${"Größe/".repeat(500)}a`;
  assert.deepEqual(
    reports(({ skipped, warning }) => {
      skipped(byteStringOf(path), "device", "what it was");
      warning("EMPTY_NAME", "found", byteStringOf(path));
    }),
    [
      { type: "skipped", layer: 0, path, reason: "device", detail: "what it was" },
      { type: "warning", layer: 0, code: "EMPTY_NAME", message: "found", path },
    ],
  );
});

test("names of a mebibyte make no reports of a mebibyte", () => {
  const name = "n".repeat(1024 * 1024);
  const beginning = `${"n".repeat(4096)}…`;
  assert.deepEqual(
    reports(({ skipped, warning }) => {
      skipped(byteStringOf(name), "xattr-filtered", name);
      warning("RESERVED_NAME", name, byteStringOf(name));
    }),
    [
      { type: "skipped", layer: 0, path: beginning, reason: "xattr-filtered", detail: beginning },
      { type: "warning", layer: 0, code: "RESERVED_NAME", message: beginning, path: beginning },
    ],
  );
});

test("more than ten thousand reports are told as counts", () => {
  const told = reports(({ skipped, warning }) => {
    for (let number = 0; number < 10_500; number += 1) skipped(byteStringOf("a"), "device", "");
    for (let number = 0; number < 20; number += 1) warning("EMPTY_NAME", "");
  });
  assert.equal(told.length, 10_001);
  assert.deepEqual(told.at(-1), { type: "untold", skipped: 500, warnings: { EMPTY_NAME: 20 } });
});
