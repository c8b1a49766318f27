import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Segment } from "../../src/tar/entry.ts";
import { DigestedBody, DigestibleHoles } from "../../src/toc/digested-body.ts";
import { pieces } from "../support/entries.ts";

test("a file is digested with its holes as zeros", () => {
  const holes = new DigestibleHoles({ totalBytes: 1e9 });
  const segments = [{ offset: 100_000, length: 3 }];
  const whole = Buffer.concat([Buffer.alloc(100_000), Buffer.from("abc"), Buffer.alloc(97)]);
  assert.equal(digest("abc", whole.length, segments, holes), createHash("sha256").update(whole).digest("hex"));
});

test("the holes of all files together are digested up to a limit, and files without holes beyond it", () => {
  const holes = new DigestibleHoles({ totalBytes: 1000 });
  const empty = (sizeBytes: number) => digest("", sizeBytes, [], holes);
  const digests = [empty(600), empty(600), empty(400), empty(1)];
  assert.deepEqual(
    digests.map((each) => each !== undefined),
    [true, false, true, false],
  );
  assert.equal(digest("abc", 3, undefined, holes), createHash("sha256").update("abc").digest("hex"));
});

test("whatever the caller allows, no more than 4 GiB of holes are digested", () => {
  const holes = new DigestibleHoles({ totalBytes: Number.MAX_SAFE_INTEGER });
  assert.deepEqual([holes.take(4 * 1024 ** 3), holes.take(1)], [true, false]);
});

function digest(
  data: string,
  sizeBytes: number,
  segments: readonly Segment[] | undefined,
  holes: DigestibleHoles,
): string | undefined {
  const entry = segments === undefined ? { sizeBytes } : { sizeBytes, segments };
  const body = new DigestedBody(entry, pieces(Buffer.from(data)), holes);
  while (body.read() !== undefined);
  const bytes = body.digest();
  return bytes && Buffer.from(bytes).toString("hex");
}
