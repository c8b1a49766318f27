import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { fitting } from "../../src/export/fitting.ts";
import type { ByteString } from "../../src/tar/byte-string.ts";
import type { ArchivedFile } from "../../src/tar/encoder.ts";

test("files whose holes are filled have a limit together, and others have none", () => {
  const limits = { ...defaultLimits, totalBytes: 10_000 };
  const lossless = () => {};
  const filling = fitting("erofs", limits, lossless);
  filling(sparse(6000));
  filling(whole(6000));
  assert.throws(() => filling(sparse(6000)), { code: "LIMIT_EXCEEDED", hint: /totalBytes/ });
  const keeping = fitting("ext4", limits, lossless);
  for (let n = 0; n < 5; n += 1) keeping(sparse(6000));
});

function sparse(sizeBytes: number): ArchivedFile {
  return { ...whole(sizeBytes), segments: [{ offset: 0, length: 1 }] };
}

function whole(sizeBytes: number): ArchivedFile {
  const nothing = "" as ByteString;
  return {
    ...{ type: "file", path: "f" as ByteString, linkPath: nothing, mode: 0o644, uid: 0, gid: 0, sizeBytes },
    ...{ mtime: { seconds: 0, nanoseconds: 0 }, deviceMajor: 0, deviceMinor: 0 },
  };
}
