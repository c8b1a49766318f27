import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { chainIDs } from "../../src/oci/chain-id.ts";
import { digestOf } from "../../src/oci/digest.ts";

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

test("a chainID names a layer together with those below it, and the lowest one is its diffID", () => {
  const [one, two, three] = ["1", "2", "3"].map((text) => digestOf(Buffer.from(text)));
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  const second = sha256(`${one} ${two}`);
  assert.deepEqual(chainIDs([one, two, three]), [one, second, sha256(`${second} ${three}`)]);
  assert.deepEqual(chainIDs([]), []);
});
