import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { after, before, test } from "node:test";
import { image, stored } from "../support/image.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { startRegistry } from "../support/registry-double.ts";
import { hangAfter, inSteps } from "../support/registry-reply.ts";
import { sandboxEnvironment } from "../support/sandbox.ts";
import { file, tar } from "../support/tar-builder.ts";

const cursorShown = "\x1b[?25h";
let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "oci-unpack-terminal-"));
});

after(() => rm(directory, { recursive: true, force: true }));

test("on a terminal the progress is drawn, and gone when all is done", async () => {
  await using registry = await startRegistry();
  const noise = image([tar(file("noise", crypto.getRandomValues(new Uint8Array(60_000))))]);
  let goOn = () => {};
  const isDrawn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  registry.always(
    new RegExp(noise.layers[0]?.descriptor.digest ?? ""),
    inSteps(30_000, () => isDrawn),
  );
  const { status, shown } = await onTerminal([stored(registry, "app", noise), join(directory, "drawn")], {
    when: /1\/1 {2}download .*█/,
    act: goOn,
  });
  assert.equal(status, 0);
  assert.match(shown, /1\/1 {2}download .*█/);
  assert.match(shown, /0 of 1 layer unpacked/);
  const rest = shown.slice(shown.lastIndexOf(cursorShown) + cursorShown.length);
  assert.match(
    rest,
    /^.*unpacked.* 127\.0\.0\.1:\d+\/app:latest/,
    "after the cursor is back, only the summary is written",
  );
});

test("an interruption on a terminal gives the cursor back", async () => {
  await using registry = await startRegistry();
  const app = image([tar(file("x", "x"))]);
  const reference = stored(registry, "app", app);
  for (const { descriptor } of app.layers) registry.always(new RegExp(descriptor.digest), hangAfter(5));
  const { status, shown } = await onTerminal([reference, join(directory, "interrupted")], {
    when: /download/,
    act: (terminal) => terminal.write("\x03"),
  });
  assert.equal(status, 130);
  assert.match(shown, /interrupted: cleaning up \(once more ends at once\)/);
  assert.ok(shown.lastIndexOf(cursorShown) > shown.lastIndexOf("\x1b[?25l"));
  assert.match(shown, /nothing was left behind/);
});

/** Runs the command on a terminal of its own, 80 columns wide; does something when something appears. */
async function onTerminal(
  args: readonly string[],
  { when, act }: { readonly when: RegExp; readonly act: (terminal: Writable) => void },
): Promise<{ status: number | null; shown: string }> {
  const command = [process.execPath, commandEntry, "--platform=linux/amd64", ...args]
    .map((word) => `'${word}'`)
    .join(" ");
  const terminal = spawn(
    "script",
    ["--quiet", "--return", "--command", `stty sane cols 80 rows 24; ${command}`, "/dev/null"],
    {
      env: { PATH: process.env.PATH, HOME: directory, TERM: "xterm", LANG: "C.UTF-8", ...sandboxEnvironment },
    },
  );
  let shown = "";
  let hasAppeared = false;
  terminal.stdout.setEncoding("utf8").on("data", (text) => {
    shown += text;
    if (hasAppeared || !when.test(shown)) return;
    hasAppeared = true;
    act(terminal.stdin);
  });
  const [status] = await once(terminal, "close");
  return { status, shown };
}
