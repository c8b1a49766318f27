import assert from "node:assert/strict";
import { test } from "node:test";
import { signatureLines } from "../../src/cli/signature-lines.ts";

const about = { digest: `sha256:${"1".repeat(64)}`, of: "manifest", format: "bundle" } as const;

test("where nothing was demanded, nothing is said", () => {
  assert.deepEqual(signatureLines({}), []);
});

test("who signed or attested is said in a line each, with what was verified of it", () => {
  const lines = signatureLines({
    verified: [
      { ...about, format: "simple-signing", of: "index", key: "sha256:abc" },
      {
        ...about,
        identity: "me@example.com",
        issuer: "https://accounts.example.com",
        loggedAtSeconds: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000,
      },
      { ...about, identity: "me@example.com", timestampedAtSeconds: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000 },
      {
        ...about,
        format: "attestation",
        key: "sha256:abc",
        predicateTypes: ["https://spdx.dev/Document"],
        predicates: [{}],
      },
    ],
  });
  assert.deepEqual(lines, [
    "  signed by the key sha256:abc (simple signing of the index)",
    "  signed by me@example.com, as https://accounts.example.com says (bundle of the manifest, logged 2026-01-02T03:04:05Z)",
    "  signed by me@example.com (bundle of the manifest, timestamped 2026-01-02T03:04:05Z)",
    "  attested https://spdx.dev/Document by the key sha256:abc (attestation of the manifest)",
  ]);
});

test("a name in a certificate cannot write to the terminal", () => {
  const [line = ""] = signatureLines({ verified: [{ ...about, identity: "me\u001b[31m", issuer: "you\n" }] });
  assert.doesNotMatch(line, /[\u001b\n]/);
});
