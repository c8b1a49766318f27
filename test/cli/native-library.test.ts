import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { copyProgram } from "../support/program-copy.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

test("where the native part of koffi is missing, command and library say so, and what helps", async () => {
  await using place = await scratch();
  const program = join(place.directory, "program");
  // As for instance a copy of node_modules from a machine with another processor.
  const entry = await copyProgram(program, { without: /^@koromix$/ });
  await writeImageLayout(join(place.directory, "layout"), [{ tag: "x", images: [image([tar(file("motd"))])] }]);
  const [name, target] = [`oci:${place.directory}/layout:x`, join(place.directory, "target")];

  for (const args of [
    ["-p", "linux/amd64", name, target],
    ["-p", "linux/amd64", "--output", "overlay", name, target],
    ["-p", "linux/amd64", "--store", join(place.directory, "store"), name, target],
  ]) {
    const { status, stderr } = await outcomeOf(process.execPath, [entry, ...args, "--quiet"]);
    assert.equal(stderr, `error: ${message}\nhint: ${hint}\n`);
    assert.equal(status, 1);
  }

  const script = `
    import { unpack } from ${JSON.stringify(join(program, "dist/index.js"))};
    const options = { platform: "linux/amd64" };
    const { name, code, message, hint } = await unpack(...${JSON.stringify([name, target])}, options).catch((error) => error);
    console.log(JSON.stringify({ name, code, message, hint }));`;
  const { stdout } = await outcomeOf(process.execPath, ["--input-type=module", "-e", script]);
  assert.deepEqual(JSON.parse(stdout), { name: "OciUnpackError", code: "UNSUPPORTED_SYSTEM", message, hint });
});

test("koffi is found also after node -e, where `require` is everywhere and looks elsewhere", async () => {
  await using place = await scratch();
  const library = new URL("../../src/index.js", import.meta.url).href;
  const script = `import("${library}").then(({ unpack }) => unpack("oci:nothing:x", "out")).catch(({ code }) => console.log(code))`;
  const { stdout } = await outcomeOf(process.execPath, ["-e", script], { directory: place.directory });
  assert.equal(stdout, "NOT_FOUND\n");
});

test("without koffi nothing is silently unconfined, and what takes system calls says so before it downloads", async () => {
  await using place = await scratch();
  const entry = await copyProgram(join(place.directory, "program"), { without: /^(?:koffi|@koromix)$/ });
  await writeImageLayout(join(place.directory, "layout"), [{ tag: "x", images: [image([tar(file("motd"))])] }]);
  const layout = `oci:${place.directory}/layout:x`;
  const run = (...args: readonly string[]) => outcomeOf(process.execPath, [entry, ...args, "-p", "linux/amd64", "-q"]);

  const lack = "koffi, which calls Linux from Node, is not there";
  const remedy = "install oci-unpack with its optional dependencies (npm install --include=optional)";
  assert.deepEqual(await run("ls", layout), {
    ...{ status: 1, signal: undefined, stdout: "" },
    stderr:
      `error: cannot confine the working threads: that takes Landlock of Linux, and ${lack}\n` +
      `hint: ${remedy}, or allow going without it: --sandbox prefer\n`,
  });
  const preferred = await run("ls", "--json", "--sandbox", "prefer", layout);
  assert.equal(preferred.status, 0, preferred.stderr);

  const nowhere = "127.0.0.1:9/never/asked"; // whoever asks there is refused
  for (const [args, attempted] of [
    [[], "unpack an image into a directory"],
    [["--output", "overlay"], "unpack an image as an overlay"],
    [["sync"], "make a directory what an image says"],
  ] as const) {
    assert.deepEqual(await run(...args, nowhere, join(place.directory, "target")), {
      ...{ status: 1, signal: undefined, stdout: "" },
      stderr:
        `error: cannot ${attempted}: that takes system calls of Linux, and ${lack}\n` +
        `hint: ${remedy}; without it, oci-unpack --output tar writes the root filesystem as a tar archive\n`,
    });
  }
  assert.deepEqual((await readdir(place.directory)).sort(), ["layout", "program"]);
});

const message = `cannot call Linux from Node: the native part of koffi for linux-${process.arch} cannot be loaded`;
const hint = "install oci-unpack on this machine with npm, optional dependencies included, instead of copying it";
