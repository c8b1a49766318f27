import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { limitsHelp, parseLimits } from "../../src/cli/limits.ts";

test("sizes may be given in powers of 1024, numbers plainly", () => {
  assert.deepEqual(parseLimits(["totalBytes=10G", "fileBytes=500m", "headerBytes=77", "entries=5000"], defaultLimits), {
    totalBytes: 10 * 1024 ** 3,
    fileBytes: 500 * 1024 ** 2,
    headerBytes: 77,
    entries: 5000,
  });
});

test("a size may have its unit written out, as GNU tools read it", () => {
  const limits = ["totalBytes=64MiB", "fileBytes=2GB", "headerBytes=1KiB", "manifestBytes=9kb", "configBytes=77B"];
  assert.deepEqual(parseLimits(limits, defaultLimits), {
    totalBytes: 64 * 1024 ** 2,
    fileBytes: 2_000_000_000,
    headerBytes: 1024,
    manifestBytes: 9000,
    configBytes: 77,
  });
});

test("a limit given twice is what was said last", () => {
  assert.deepEqual(parseLimits(["layers=1", "layers=2"], defaultLimits), { layers: 2 });
});

test("an unknown limit is refused with the one that was meant", () => {
  assert.throws(() => parseLimits(["totalbyte=1"], defaultLimits), {
    message: 'cannot set a limit: there is none called "totalbyte"',
    hint: "did you mean --limit totalBytes=…?",
  });
  assert.throws(() => parseLimits(["toString=1"], defaultLimits), { hint: "--limit help lists them" });
});

test("a value that is no size, or no number, is refused", () => {
  for (const value of ["", "-1", "1.5", "10X", "1e9", "2iB", "MB", "99999999999999999999", "9999999999T"]) {
    assert.throws(() => parseLimits([`totalBytes=${value}`], defaultLimits), {
      message: `cannot set a limit: totalBytes takes a size such as 500M or 10G, found "${value}"`,
    });
  }
  assert.throws(() => parseLimits(["entries=2M"], defaultLimits), {
    message: 'cannot set a limit: entries takes a whole number, found "2M"',
  });
  assert.throws(() => parseLimits(["entries"], defaultLimits), { hint: "for instance --limit entries=1000" });
});

test("the list of limits says each with its default, as it may be given", () => {
  const text = limitsHelp(defaultLimits);
  for (const name of Object.keys(defaultLimits)) assert.ok(text.includes(`  ${name} `), name);
  const given = [...text.matchAll(/^ {2}(\w+) +(\w+)$/gm)].map(([, name, value]) => `${name}=${value}`);
  assert.deepEqual(parseLimits(given, defaultLimits), defaultLimits);
});
