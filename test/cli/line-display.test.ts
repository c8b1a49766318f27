import assert from "node:assert/strict";
import { test } from "node:test";
import { lineDisplay } from "../../src/cli/line-display.ts";
import type { OciUnpackEvent } from "../../src/index.ts";
import { downloading, resolved, started, unpacked } from "./progress-events.ts";

const ordinary: readonly OciUnpackEvent[] = [
  { type: "request", method: "GET", url: "https://registry.example/v2/app/manifests/1", status: 200 },
  resolved(54_000_000, 1000),
  { type: "sandbox", status: { state: "enforced", abi: 7 } },
  downloading(0, 10, 54_000_000),
  started(0),
  { type: "skipped", layer: 0, path: "dev/null", reason: "device", detail: "character device 1:3" },
  { type: "warning", code: "DUPLICATE_ENTRY", message: "stands twice in one layer", layer: 0, path: "etc/hosts" },
  unpacked(0, 12_345),
];

test("a log gets what was found and each layer that is done", () => {
  assert.deepEqual(lines(ordinary), [
    `registry.example/app:1 is sha256:${"0".repeat(64)} (linux/amd64, 2 layers, 54.0 MB)`,
    "layer 1 of 2: 12,345 entries",
  ]);
});

test("--verbose adds each request, each warning and each entry left out", () => {
  assert.deepEqual(lines(ordinary, { verbose: true }), [
    "GET https://registry.example/v2/app/manifests/1 → 200",
    `registry.example/app:1 is sha256:${"0".repeat(64)} (linux/amd64, 2 layers, 54.0 MB)`,
    "sandbox: Landlock, ABI 7",
    'skipped (device) layer 1 "dev/null": character device 1:3',
    'warning: DUPLICATE_ENTRY layer 1 "etc/hosts": stands twice in one layer',
    "layer 1 of 2: 12,345 entries",
  ]);
});

test("--verbose says where names are looked up one by one, since there is no openat2", () => {
  const event: OciUnpackEvent = { type: "sandbox", status: { state: "enforced", abi: 1, withoutOpenat2: true } };
  assert.deepEqual(lines([event], { verbose: true }), [
    "sandbox: Landlock, ABI 1; without openat2, names are looked up one by one",
  ]);
  assert.deepEqual(lines([event]), []);
});

test("waiting for a registry, a missing sandbox and ignored credentials are told without being asked", () => {
  const events: readonly OciUnpackEvent[] = [
    {
      type: "retrying",
      url: "https://cdn.example/x?signature=1",
      attempt: 2,
      delayMilliseconds: 4000,
      reason: "the server said 503",
    },
    { type: "sandbox", status: { state: "unavailable", reason: "this kernel has no Landlock" } },
    { type: "warning", code: "CREDENTIALS_IGNORED", message: "the credentials for x were rejected" },
  ];
  assert.deepEqual(lines(events), [
    "retrying cdn.example in 4.0 s (attempt 2): the server said 503",
    "warning: unpacking without a sandbox: this kernel has no Landlock",
    "warning: the credentials for x were rejected",
  ]);
});

test("--explain tells each decision, --verbose does not", () => {
  const decision: OciUnpackEvent = {
    type: "decision",
    topic: "endpoint",
    message: "x is asked for at https://x/v2\x07",
  };
  assert.deepEqual(lines([decision], { explain: true }), ["endpoint: x is asked for at https://x/v2\\x07"]);
  assert.deepEqual(lines([decision], { verbose: true }), []);
});

test("a long download gives a sign of life now and then", (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const output = recorder();
  using display = lineDisplay({ verbose: false, explain: false }, output);
  display.show(resolved(100_000_000));
  for (let second = 1; second <= 25; second++) {
    context.mock.timers.tick(1000);
    display.show(downloading(0, second * 1_000_000, 100_000_000));
    if (second === 10) display.show(started(0));
  }
  assert.deepEqual(output.lines().slice(1), [
    "downloaded 9.00 MB of 100 MB",
    "downloaded 19.0 MB of 100 MB, unpacked 0 of 1 layer",
  ]);
});

test("a log has a line every ten seconds even if nothing happens, and none after the end", (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const output = recorder();
  {
    using _display = lineDisplay({ verbose: false, explain: false }, output);
    context.mock.timers.tick(30_000);
  }
  context.mock.timers.tick(30_000);
  assert.deepEqual(output.lines(), Array(3).fill("finding out what the image is"));
});

test("what a registry or an image says reaches a log without control characters", () => {
  const hostile = "\x1b]0;owned\x07\n\u202e";
  const events: readonly OciUnpackEvent[] = [
    { type: "request", method: "GET", url: hostile, status: 200 },
    { type: "authenticate", realm: hostile, scheme: "bearer" },
    { type: "retrying", url: hostile, attempt: 1, delayMilliseconds: 1, reason: hostile },
    { ...(resolved(1) as OciUnpackEvent & { type: "resolved" }), reference: hostile, platform: hostile },
    { type: "sandbox", status: { state: "unavailable", reason: hostile } },
    { type: "skipped", layer: 0, path: hostile, reason: "device", detail: hostile },
    { type: "warning", code: "EMPTY_NAME", message: hostile, layer: 0, path: hostile },
    { type: "warning", code: "CONFIGURATION", message: hostile },
  ];
  for (const line of lines(events, { verbose: true })) assert.doesNotMatch(line, /\p{C}/u);
  assert.equal(lines(events, { verbose: true }).length, events.length);
});

function lines(events: readonly OciUnpackEvent[], { verbose = false, explain = false } = {}): string[] {
  const output = recorder();
  using display = lineDisplay({ verbose, explain }, output);
  for (const event of events) display.show(event);
  return output.lines();
}

function recorder() {
  let text = "";
  return {
    write(part: string) {
      text += part;
    },
    lines: () => text.split("\n").slice(0, -1),
  };
}
