import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { sandboxEnvironment } from "../support/sandbox.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, tar } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";

const entries = 100_000;
const layers = 10;
const MB = 1_000_000;

/** A tenth of the entries, a hundred to a directory. */
function layer(number: number): Uint8Array {
  const members: Uint8Array[] = [];
  for (let index = 0; members.length < entries / layers; index += 1) {
    const parent = `usr/share/some-package-${number}/module-${Math.floor(index / 99)}`;
    if (index % 99 === 0) members.push(directory(parent));
    members.push(file(`${parent}/a-file-with-a-name-${index}.js`, index === 0 ? `layer ${number}` : ""));
  }
  return tar(...members);
}

describe(`an image of ${entries} entries takes no more than 300 MB to`, () => {
  let place: Scratch;
  let name: string;
  before(async () => {
    place = await scratch();
    const layout = join(place.directory, "layout");
    const archives = Array.from({ length: layers }, (_, number) => layer(number));
    await writeImageLayout(layout, [{ tag: "large", images: [image(archives, { encoding: "plain" })] }]);
    name = `oci:${layout}:large`;
  });
  after(() => place[Symbol.asyncDispose]());

  /** Runs the command, insists on its memory, and gives the file that has its output. */
  function run(...args: readonly string[]): string {
    const preload = new URL("../support/note-peak.js", import.meta.url).href;
    const peak = join(place.directory, "peak");
    const path = join(place.directory, "output");
    const output = openSync(path, "w");
    try {
      execFileSync(
        process.execPath,
        ["--import", preload, commandEntry, ...args, "--quiet", "--platform", "linux/amd64"],
        {
          stdio: ["ignore", output, "pipe"],
          env: { PATH: process.env.PATH, HOME: place.directory, OCI_UNPACK_TEST_PEAK: peak, ...sandboxEnvironment },
        },
      );
    } finally {
      closeSync(output);
    }
    const bytes = Number(readFileSync(peak, "utf8"));
    assert.ok(bytes > 30 * MB && bytes <= 300 * MB, `${args[0]} took ${Math.round(bytes / MB)} MB`);
    return path;
  }

  const uses: Readonly<Record<string, () => void>> = {
    "be listed whole"() {
      const lines = readFileSync(run("ls", "--recursive", name), "utf8")
        .trimEnd()
        .split("\n");
      assert.equal(lines.length, entries + 2 + layers, "usr, usr/share and a directory of each layer are implied");
    },

    "give a file of its bottom layer"() {
      const path = "usr/share/some-package-0/module-0/a-file-with-a-name-0.js";
      assert.equal(readFileSync(run("cat", name, path), "utf8"), "layer 0");
    },

    "be inspected"() {
      assert.match(readFileSync(run("inspect", name), "utf8"), /^L10 /m);
    },

    "become one archive"() {
      const size = readFileSync(run("--output", "tar", "-o", "-", name)).length;
      assert.ok(size > entries * 512, `${size} bytes`);
    },
  };
  for (const [title, use] of half(Object.entries(uses))) test(title, use);
});
