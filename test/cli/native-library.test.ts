import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { repositoryFile } from "../support/repository.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

test("where the native part of koffi is missing, command and library say so, and what helps", async () => {
  await using place = await scratch();
  const program = join(place.directory, "program");
  // As for instance a copy of node_modules from a machine with another processor.
  for (const part of ["dist", "package.json", ...dependencies.map((name) => `node_modules/${name}`)]) {
    await cp(fileURLToPath(repositoryFile(part)), join(program, part), { recursive: true, dereference: true });
  }
  await writeImageLayout(join(place.directory, "layout"), [{ tag: "x", images: [image([tar(file("motd"))])] }]);
  const [name, target] = [`oci:${place.directory}/layout:x`, join(place.directory, "target")];

  const entry = join(program, "dist/cli/main.js");
  for (const args of [
    ["-p", "linux/amd64", name, target],
    ["ls", "-p", "linux/amd64", name],
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

const dependencies = ["koffi", "smol-toml", "tldts", "tldts-core"];
const message = `cannot call Linux from Node: the native part of koffi for linux-${process.arch} cannot be loaded`;
const hint = "install oci-unpack on this machine with npm, optional dependencies included, instead of copying it";
