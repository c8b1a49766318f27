import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteCollector } from "../../src/http/body.ts";
import { Random } from "../model/random.ts";
import { distinctBytes } from "../source/pulling.ts";

test("bytes come together as they came, whatever the pieces", () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = new Random(seed);
    const bytes = distinctBytes(100_000, seed + 1);
    const gathered = new ByteCollector();
    for (let start = 0; start < bytes.length; ) {
      const end = start + random.oneOf([0, 1, 2, 100, 1023, 1024, 5000]);
      gathered.add(bytes.subarray(start, end));
      start = end;
    }
    assert.ok(gathered.whole().equals(bytes));
    assert.equal(gathered.size, bytes.length);
  }
});

test("a body of single bytes is held in pieces that are worth it", () => {
  const bytes = distinctBytes(1_000_000);
  const gathered = new ByteCollector();
  for (let at = 0; at < bytes.length; at += 1) gathered.add(bytes.subarray(at, at + 1));
  assert.ok(gathered.pieces().length < 70);
  assert.ok(gathered.whole().equals(bytes));
});
