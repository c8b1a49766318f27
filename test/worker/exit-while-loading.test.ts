import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

const library = new URL("../index.js", pathToFileURL(commandEntry)).href;

test("a program that exits while threads load native code is not aborted", async () => {
  await using place = await scratch();
  await writeImageLayout(place.directory, [{ tag: "1", images: [image([tar(file("a"))])] }]);
  for (let milliseconds = 20; milliseconds <= 160; milliseconds += 35) {
    const program = `import { list } from ${JSON.stringify(library)};
      for (let each = 0; each < 5; each++) list("oci:${place.directory}:1", "/", { platform: "linux/amd64" });
      setTimeout(() => process.exit(7), ${milliseconds});`;
    const { status, signal, stderr } = await outcomeOf(process.execPath, ["--input-type=module", "-e", program]);
    assert.deepEqual({ status, signal, stderr }, { status: 7, signal: undefined, stderr: "" });
  }
});
