import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { OciUnpackError } from "../../src/base/errors.ts";
import { DecisionLog, errorJson, resultJson } from "../../src/cli/command-output.ts";
import { paintFor } from "../../src/cli/display.ts";
import { type ErrorReport, errorReportOf } from "../../src/cli/error-report.ts";
import { unpackOptionTable } from "../../src/cli/option-tables.ts";
import { debugLines, errorLines, resultLines } from "../../src/cli/report.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { UnpackResult } from "../../src/operation/options.ts";

const plain = paintFor({ write() {} }, {});
const digest = digestOf(new Uint8Array(0));

const result: UnpackResult = {
  reference: "docker.io/library/debian:stable",
  digest,
  platform: { os: "linux", architecture: "arm", variant: "v7" },
  rootfs: "/srv/debian/rootfs",
  config: "/srv/debian/config.json",
  layers: 1,
  entries: 12_345,
  downloadedBytes: 54_000_000,
  unpackedBytes: 126_000_000,
  skipped: [],
  skippedCount: 0,
  warnings: {},
  sandbox: { state: "enforced", abi: 7 },
  milliseconds: 1340,
};

test("an option that the library refuses is told as it was typed", () => {
  const told = (option: string) => {
    return errorReportOf(new OciUnpackError("INVALID_OPTION", `cannot use the option ${option}: "x" is none`)).message;
  };
  assert.deepEqual(
    ["include", "uidMap", "sourceDateEpoch", "limits.entries", "trust.keys", "authFile", "directory"].map(told),
    [
      'cannot use --include: "x" is none',
      'cannot use --uid-map: "x" is none',
      'cannot use SOURCE_DATE_EPOCH: "x" is none',
      'cannot use --limit entries: "x" is none',
      'cannot use --verify-key: "x" is none',
      'cannot use --authfile: "x" is none',
      'cannot use DIRECTORY: "x" is none',
    ],
  );
});

test("a success says what was unpacked, where, and how much it was", () => {
  assert.deepEqual(resultLines(result, plain), [
    "unpacked docker.io/library/debian:stable (linux/arm/v7) into /srv/debian/rootfs",
    `  ${digest}`,
    "  1 layer, 12,345 entries: 126 MB unpacked, 54.0 MB downloaded, in 1.3 s",
  ]);
});

test("bytes that did not come over a network are not said to be downloaded", () => {
  const line = (changes: Partial<UnpackResult>) => resultLines({ ...result, ...changes }, plain)[2] ?? "";
  assert.match(line({ downloadedBytes: 0 }), /: 126 MB unpacked, nothing downloaded, in/);
  assert.match(line({ reference: "oci-archive:/srv/debian.tar" }), /: 126 MB unpacked, 54.0 MB read, in/);
});

test("what was left out or repaired is summed up, with the way to see all of it", () => {
  const device = { layer: 0, path: "dev/null", reason: "device", detail: "" } as const;
  const owner = { layer: 0, path: "etc/shadow", reason: "owner", detail: "" } as const;
  const lines = resultLines(
    {
      ...result,
      skipped: [device, owner, device],
      skippedCount: 1203,
      warnings: { DUPLICATE_ENTRY: 1, TIME_CLAMPED: 4000 },
    },
    plain,
  );
  assert.deepEqual(lines.slice(3), [
    "  left out: 2 device nodes (--devices create makes them), 1 owner, 1,200 more; -v lists each",
    "  warnings: 1 path named twice, 4,000 times out of range; -v lists each",
  ]);
});

test("an error of the library is told with its hint and ends with 1", () => {
  const failure = errorReportOf(
    new OciUnpackError("NOT_FOUND", "cannot pull x: no such image", { hint: "check the tag" }),
  );
  assert.deepEqual(errorLines(failure, plain), ["error: cannot pull x: no such image", "hint: check the tag"]);
  assert.equal(failure.exitCode, 1);
});

test("a hint of the library that names options is told with the flags for them", () => {
  const told = (hint: string) => errorReportOf(new OciUnpackError("NOT_FOUND", "cannot go on", { hint })).hint;
  assert.equal(told("give it with `tls.ca`, or in certs.d"), "give it with --tls-ca, or in certs.d");
  assert.equal(told('or ignore them: `owner: "ignore"`'), "or ignore them: --owner ignore");
});

test("no hint of the library names a flag, and what they quote is known to the command", async () => {
  const root = new URL("../../../src/", import.meta.url);
  const names = await readdir(root, { recursive: true });
  const flags = new Set(Object.keys(unpackOptionTable).map((name) => `--${name}`));
  for (const name of names.filter((each) => each.endsWith(".ts") && !each.startsWith("cli/"))) {
    const text = await readFile(new URL(name, root), "utf8");
    for (const [line, hint] of text.matchAll(/^.*\bhint\b.*?[:=?]\s+["'`](.*)["'`].*$/gim)) {
      const mentioned = (hint?.match(/(?<=^|[\s(])--[a-z][a-z-]+/g) ?? []).filter((flag) => flags.has(flag));
      assert.deepEqual(mentioned, [], `${name}: ${line}`);
      const quoted = (hint ?? "").replaceAll("\\`", "`");
      const told = errorReportOf(new OciUnpackError("NOT_FOUND", "cannot go on", { hint: quoted })).hint ?? "";
      assert.doesNotMatch(told, /`[a-zA-Z.]+(?:: "\w+")?`/, `${name}: ${line}`);
    }
  }
});

test("an error that has no hint of its own is told with what usually helps", () => {
  const failure = errorReportOf(new OciUnpackError("NO_SPACE", "cannot write x: no space left on device"));
  assert.deepEqual(errorLines(failure, plain), [
    "error: cannot write x: no space left on device",
    "hint: make room, for bytes or for files (df -i), or choose another file system",
  ]);
});

test("a wrong command line ends with 2, whoever noticed", () => {
  assert.equal(errorReportOf(new UsageError("cannot read the command line")).exitCode, 2);
  assert.equal(errorReportOf(new OciUnpackError("INVALID_REFERENCE", "cannot parse x: …")).exitCode, 2);
  assert.equal(errorReportOf(new OciUnpackError("INVALID_PLATFORM", "cannot parse x: …")).exitCode, 2);
});

test("an error that nobody foresaw says that it is ours", () => {
  const failure = errorReportOf(new TypeError("x is not a function"));
  assert.deepEqual([failure.code, failure.exitCode], ["INTERNAL", 1]);
  assert.equal(failure.message, "cannot go on: x is not a function");
  assert.match(failure.hint ?? "", /defect of oci-unpack/);
  assert.equal(errorReportOf("thrown text").message, "cannot go on: thrown text");
});

test("hostile text in errors and results is shown, not obeyed", () => {
  const hostile = "\x1b[31m\r\u202e";
  const failure: ErrorReport = { code: "NOT_FOUND", message: hostile, hint: hostile, exitCode: 1 };
  const lines = [
    ...errorLines(failure, plain),
    ...resultLines(
      { ...result, reference: hostile, rootfs: hostile, platform: { os: hostile, architecture: "" } },
      plain,
    ),
    ...debugLines(new Error(hostile, { cause: new Error(hostile) })),
  ];
  for (const line of lines) assert.doesNotMatch(line, /\p{C}/u);
  assert.deepEqual(JSON.parse(errorJson(failure, new DecisionLog())), {
    error: { code: "NOT_FOUND", message: hostile, hint: hostile },
  });
  assert.doesNotMatch(errorJson(failure, new DecisionLog()).trimEnd(), /\p{C}/u);
});

test("for developers an error comes with its place and its causes", () => {
  const lines = debugLines(new Error("outer", { cause: new Error("inner", { cause: "text" }) }));
  assert.ok(lines[0]?.includes("Error: outer"));
  assert.ok(lines.includes("  caused by"));
  assert.ok(lines.some((line) => line.includes("Error: inner")));
});

test("JSON is one line with the fields of the result", () => {
  const json = [...resultJson(result, new DecisionLog())].join("");
  assert.equal(json.indexOf("\n"), json.length - 1);
  assert.deepEqual(JSON.parse(json), result);
});

test("JSON of a result comes in pieces, since its lists may be longer than one string can be", () => {
  const lists = { skipped: ["x".repeat(1000), { path: "y".repeat(1000) }, undefined], absent: undefined, count: 3 };
  const pieces = [...resultJson(lists as unknown as UnpackResult, new DecisionLog())];
  assert.equal(pieces.join(""), `${JSON.stringify(lists)}\n`);
  assert.ok(Math.max(...pieces.map(({ length }) => length)) < 1100);
});

test("with --explain, a decision is no longer than people are shown", () => {
  const decisionLog = new DecisionLog();
  decisionLog.record({ type: "decision", topic: "redirect", message: "x".repeat(100_000) });
  assert.deepEqual(decisionLog.decisions, [{ topic: "redirect", message: `${"x".repeat(2000)}…` }]);
});

test("with --explain, JSON has the decisions too, of a success and of a failure", () => {
  const decisionLog = new DecisionLog();
  decisionLog.record({ type: "decision", topic: "reference", message: '"x" is docker.io/library/x:latest' });
  decisionLog.record({ type: "layer-started", layer: 0 });
  const decisions = [{ topic: "reference", message: '"x" is docker.io/library/x:latest' }];
  assert.deepEqual(JSON.parse([...resultJson(result, decisionLog)].join("")).decisions, decisions);
  assert.deepEqual(JSON.parse(errorJson(errorReportOf(new Error("x")), decisionLog)).decisions, decisions);
});

test("with --explain, JSON has the retries and what was set aside in configuration, which people are always told", () => {
  const decisionLog = new DecisionLog();
  const [url, reason] = ["https://r.example/v2/a?signature=x", "r.example answers 503"];
  decisionLog.record({ type: "retrying", url, attempt: 2, delayMilliseconds: 4000, reason });
  decisionLog.record({ type: "warning", code: "CREDENTIALS_IGNORED", message: "rejected" });
  decisionLog.record({ type: "warning", code: "CONFIGURATION", message: "no TOML" });
  decisionLog.record({ type: "warning", code: "LINK_COPIED", message: "copied" });
  assert.deepEqual(decisionLog.decisions, [
    { topic: "retry", message: "retrying r.example in 4.0 s (attempt 2): r.example answers 503" },
    { topic: "credentials", message: "rejected" },
    { topic: "configuration", message: "no TOML" },
  ]);
});

test("colours are for terminals whose user did not refuse them", () => {
  const terminal = { write() {}, isTTY: true };
  assert.equal(paintFor(terminal, {}).red("x"), "\x1b[31mx\x1b[0m");
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) assert.equal(paintFor(terminal, env).red("x"), "x");
  assert.equal(paintFor(terminal, { NO_COLOR: "" }).red("x"), "\x1b[31mx\x1b[0m");
  assert.equal(plain.red("x"), "x");
});
