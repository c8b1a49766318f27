import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { terseDisplay } from "../../src/cli/line-display.ts";
import { loginCommand } from "../../src/cli/login-command.ts";
import { parseCommand } from "../../src/cli/options.ts";
import { storeCommand } from "../../src/cli/store-command.ts";
import type { Store } from "../../src/index.ts";
import { downloading, resolved } from "./progress-events.ts";

/** What a command says in a log, and time. */
function processContext() {
  const written: string[] = [];
  const recorder = { write: (text: string) => written.push(...text.trimEnd().split("\n")) };
  const connection = { env: {}, homeDirectory: "/nowhere", uid: 1000, gid: 1000 };
  const input = new PassThrough();
  return { ...connection, input, output: { write() {} }, binaryOutput: new PassThrough(), errors: recorder, written };
}

test("whoever looks into an image, and waits, hears now and then what for", (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const { errors, written } = processContext();
  {
    using display = terseDisplay({ verbosity: "normal", explain: false }, { errors }, "reading debian:stable");
    context.mock.timers.tick(9000);
    display.show(resolved(100_000_000));
    context.mock.timers.tick(1000);
    display.show(downloading(0, 7_000_000, 100_000_000));
    display.show({ type: "waiting", reason: "another process fetches it" });
    context.mock.timers.tick(10_000);
  }
  context.mock.timers.tick(60_000);
  assert.deepEqual(written, [
    "reading debian:stable",
    "waiting: another process fetches it",
    "reading debian:stable: downloaded 7.00 MB of 100 MB",
  ]);
});

test("who wants to hear of errors alone hears no sign of life", (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const { errors, written } = processContext();
  using _display = terseDisplay({ verbosity: "quiet", explain: false }, { errors }, "reading debian:stable");
  context.mock.timers.tick(60_000);
  assert.deepEqual(written, []);
});

test("a store that takes long says what is done with it", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const here = processContext();
  const command = parseCommand(["store", "verify", "--store", "kept"], {});
  assert.equal(command.name, "store");
  const slow = async () => {
    context.mock.timers.tick(20_000);
    return { blobs: 0, corrupt: [], missing: [], indexes: 0, outputs: 0, trees: 0, damaged: [] };
  };
  const opened: Store = { directory: "kept", list: async () => [], verify: slow, prune: () => assert.fail() };
  assert.equal(
    command.name === "store" && (await storeCommand(command, here, { store: () => opened, defaultLimits })),
    0,
  );
  assert.deepEqual(here.written, Array(2).fill("reading all that the store has"));
});

test("a registry that takes long to say whether it takes a login is told to be asked", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const here = processContext();
  here.input.end("secret\n");
  const command = parseCommand(["login", "-u", "ada", "--password-stdin", "r.example"], {});
  assert.equal(command.name, "login");
  await (command.name === "login" &&
    loginCommand(command, here, {
      registryFromEnvironment: async () => ({}),
      login: async () => "/kept/auth.json",
      async verifyLogin() {
        context.mock.timers.tick(10_000);
        return "accepted";
      },
    }));
  assert.deepEqual(here.written.at(-2), "asking r.example whether it takes this login");
});
