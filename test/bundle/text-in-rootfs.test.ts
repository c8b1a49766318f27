import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { textInRootfs } from "../../src/bundle/text-in-rootfs.ts";
import { scratch } from "../support/scratch.ts";
import { skipUnlessRoot } from "../support/tools.ts";

test("a file is found as a process would find it whose root this is", async () => {
  await using place = await scratch();
  const at = (...names: string[]) => join(place.directory, ...names);
  mkdirSync(at("usr/etc"), { recursive: true });
  writeFileSync(at("usr/etc/passwd"), "inside");
  symlinkSync("/usr/etc", at("etc"));
  symlinkSync("../../../../../../etc/passwd", at("climbing"));
  assert.equal(textInRootfs(place.directory, "etc/passwd"), "inside");
  assert.equal(textInRootfs(place.directory, "climbing"), "inside");
  assert.equal(textInRootfs(place.directory, "etc/group"), "");
});

test("what is no file is refused", async () => {
  await using place = await scratch();
  mkdirSync(join(place.directory, "passwd"));
  assert.throws(() => textInRootfs(place.directory, "passwd"), {
    code: "INVALID_CONFIG",
    message: /no.* regular file/,
  });
});

test("a file of 4 MiB is read, one byte more is refused", async () => {
  await using place = await scratch();
  const path = join(place.directory, "passwd");
  writeFileSync(path, "x".repeat(4 * 1024 * 1024));
  assert.equal(textInRootfs(place.directory, "passwd").length, 4 * 1024 * 1024);
  writeFileSync(path, "x", { flag: "a" });
  assert.throws(() => textInRootfs(place.directory, "passwd"), { code: "INVALID_CONFIG", message: /4194305 bytes/ });
});

test("symlinks that lead around for ever, or to what only /proc has, lead to no file of the machine", async () => {
  await using place = await scratch();
  symlinkSync("loop", join(place.directory, "loop"));
  symlinkSync("/proc/self/root/etc/passwd", join(place.directory, "magic"));
  assert.throws(() => textInRootfs(place.directory, "loop"), /ELOOP/);
  assert.equal(textInRootfs(place.directory, "magic"), "");
});

test("a fifo is refused, not waited for", async () => {
  await using place = await scratch();
  execFileSync("mkfifo", [join(place.directory, "passwd")]);
  // In a process that can be killed: nothing in this one would go on.
  const module = new URL("../../src/bundle/text-in-rootfs.js", import.meta.url).href;
  const program = `(await import("${module}")).textInRootfs("${place.directory}", "passwd")`;
  const limit = { timeout: 120_000, killSignal: "SIGKILL" } as const;
  await assert.rejects(promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], limit), {
    killed: false,
    stderr: /cannot read "passwd" in the image: it is not a regular file/,
  });
});

test("a device is refused before its driver hears of it", {
  skip: skipUnlessRoot(),
}, async () => {
  await using place = await scratch();
  execFileSync("mknod", [join(place.directory, "passwd"), "c", "240", "0"]); // nobody's: to open it is ENXIO
  assert.throws(() => textInRootfs(place.directory, "passwd"), {
    code: "INVALID_CONFIG",
    message: /it is not a regular file/,
  });
});
