import assert from "node:assert/strict";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { outcomeOf, output } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { copyProgram } from "../support/program-copy.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

test("of koffi only the native code is loaded, of the release that package.json asks for", async () => {
  const libc = new URL("../../src/linux/libc.js", import.meta.url).href;
  const script = `
    import { createRequire } from "node:module";
    await import(${JSON.stringify(libc)});
    const loaded = Object.keys(createRequire(${JSON.stringify(libc)}).cache);
    console.log(JSON.stringify(loaded.map((path) => path.split("/node_modules/").at(-1))));`;
  const loaded: readonly string[] = JSON.parse(await output(process.execPath, ["--input-type=module", "-e", script]));
  assert.equal(loaded[0], `@koromix/koffi-linux-${process.arch}/index.js`);
  assert.deepEqual(
    loaded.filter((path) => !path.startsWith("@koromix/")),
    [],
  );
});

for (const [found, content] of [
  ["none", undefined],
  ["another release", 'module.exports = { version: "1.0.0" };'],
]) {
  test(`where ${found} of koffi's native packages is beside it, koffi finds its own`, async () => {
    await using place = await scratch();
    const program = join(place.directory, "program");
    const entry = await copyProgram(program, { without: /^$/ });
    const [beside, within] = [join(program, "node_modules"), join(program, "node_modules/koffi/node_modules")];
    await mkdir(within);
    await rename(join(beside, "@koromix"), join(within, "@koromix"));
    if (content !== undefined) {
      const native = join(beside, `@koromix/koffi-linux-${process.arch}`);
      await mkdir(native, { recursive: true });
      await writeFile(join(native, "index.js"), content);
    }
    await writeImageLayout(join(place.directory, "layout"), [{ tag: "x", images: [image([tar(file("motd"))])] }]);

    const args = [entry, "-q", "-p", "linux/amd64", `oci:${place.directory}/layout:x`, join(place.directory, "target")];
    assert.deepEqual(await outcomeOf(process.execPath, args), { status: 0, signal: undefined, stdout: "", stderr: "" });
  });
}
