import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { liveDisplay } from "../../src/cli/live-display.ts";
import { downloading, resolved, started } from "./progress-events.ts";

const hideCursor = "\x1b[?25l";
const incurious = { verbose: false, explain: false };
const showCursor = "\x1b[?25h";

test("the cursor is hidden while the display lives, and comes back with a clean line", (context) => {
  const terminal = terminalFor(context);
  {
    using display = liveDisplay("debian", incurious, terminal.processContext);
    assert.ok(terminal.take().startsWith(hideCursor));
    display.show(resolved(1000));
  }
  assert.ok(terminal.take().endsWith(`\r\x1b[J${showCursor}`));
});

test("a frame is drawn ten times a second, in one write, and the cursor returns to its beginning", (context) => {
  const terminal = terminalFor(context);
  using display = liveDisplay("debian", incurious, terminal.processContext);
  assert.match(terminal.take(), /resolving debian/);
  display.show(resolved(1000, 1000));
  display.show(downloading(0, 500, 1000));
  display.show(started(0));
  assert.equal(terminal.take(), "", "events alone draw nothing");
  context.mock.timers.tick(100);
  assert.equal(terminal.writes(), 1);
  const picture = terminal.take();
  assert.equal(picture.split("\n").length, 3);
  assert.ok(picture.endsWith("\x1b[2A\r"), "two lines up");
});

test("lines are cut, not folded, by a terminal that is too narrow", (context) => {
  const terminal = terminalFor(context);
  using display = liveDisplay("x".repeat(500), incurious, terminal.processContext);
  display.say("a line that stays may fold");
  const text = terminal.take();
  const cut = text.slice(text.lastIndexOf("\x1b[?7l"), text.lastIndexOf("\x1b[?7h"));
  assert.ok(cut.includes("resolving"));
  assert.ok(text.indexOf("a line that stays") < text.lastIndexOf("\x1b[?7l"));
});

test("however many things are worth a line, the picture is drawn no more often", (context) => {
  const terminal = terminalFor(context);
  using display = liveDisplay("debian", { ...incurious, verbose: true }, terminal.processContext);
  terminal.take();
  for (let index = 0; index < 10_000; index++) {
    display.show({ type: "skipped", layer: 0, path: `dev/${index}`, reason: "device", detail: "" });
  }
  context.mock.timers.tick(100);
  assert.equal(terminal.writes(), 1);
  assert.ok(terminal.take().includes('"dev/9999"'));
});

test("lines that were not drawn yet are not lost at the end", (context) => {
  const terminal = terminalFor(context);
  const display = liveDisplay("debian", incurious, terminal.processContext);
  display.show({ type: "warning", code: "CONFIGURATION", message: "cannot use hosts.toml" });
  display[Symbol.dispose]();
  assert.ok(terminal.take().includes("warning: cannot use hosts.toml\n"));
});

test("NO_COLOR leaves a display without colours", (context) => {
  const terminal = terminalFor(context, { NO_COLOR: "1" });
  using display = liveDisplay("debian", incurious, terminal.processContext);
  display.show(resolved(1000));
  display.show(downloading(0, 500, 1000));
  context.mock.timers.tick(100);
  assert.doesNotMatch(terminal.take(), /\x1b\[\d+m/);
});

test("a display that is closed leaves no listener and no timer behind", (context) => {
  const counts = () => ["exit", "SIGTSTP", "SIGCONT"].map((name) => process.listenerCount(name));
  const before = counts();
  const terminal = terminalFor(context);
  liveDisplay("debian", incurious, terminal.processContext)[Symbol.dispose]();
  terminal.take();
  context.mock.timers.tick(1000);
  assert.equal(terminal.writes(), 0);
  assert.deepEqual(counts(), before);
});

test("a terminal that nobody gave a size shows the layers, too", (context) => {
  const terminal = terminalFor(context, { LANG: "C.UTF-8" }, { columns: 0, rows: 0 });
  using display = liveDisplay("debian", incurious, terminal.processContext);
  display.show(resolved(1000, 1000));
  display.show(downloading(0, 500, 1000));
  display.show(started(0));
  terminal.take();
  context.mock.timers.tick(100);
  const picture = terminal.take();
  assert.equal(picture.split("\n").length, 3);
  assert.doesNotMatch(picture, /more/);
});

function terminalFor(
  context: TestContext,
  env: Readonly<Record<string, string>> = { LANG: "C.UTF-8" },
  size = { columns: 80, rows: 24 },
) {
  context.mock.timers.enable({ apis: ["setInterval"] });
  let writes: string[] = [];
  const errors = { isTTY: true, ...size, write: (text: string) => writes.push(text) };
  const output = { write: () => assert.fail("standard output is for data") };
  return {
    processContext: { env, homeDirectory: "/", uid: 0, gid: 0, input: process.stdin, output, errors },
    writes: () => writes.length,
    take() {
      const text = writes.join("");
      writes = [];
      return text;
    },
  };
}
