import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tool } from "../test/support/tools.ts";

/** A command with its arguments. */
export type Command = readonly [string, ...string[]];

/** One way to get from a registry to a root filesystem. */
export interface Contender {
  readonly name: string;
  readonly tools: readonly Tool[];
  /** The commands, one after the other, that put the image's root filesystem somewhere below `directory`. */
  steps(image: BenchImage, directory: string): readonly Command[];
}

/** An image of the corpus by its two names. */
export interface BenchImage {
  readonly gzip: string;
  readonly zstd: string;
}

/** What everything is measured against. */
export const yardstick: Contender = {
  name: "skopeo copy + umoci unpack",
  tools: ["skopeo", "umoci"],
  steps: ({ gzip }, directory) => [
    [
      "skopeo",
      "--insecure-policy",
      "copy",
      "--quiet",
      "--src-tls-verify=false",
      `docker://${gzip}`,
      `oci:${directory}/layout:bench`,
    ],
    ["umoci", "unpack", "--image", `${directory}/layout:bench`, join(directory, "bundle")],
  ],
};

export const contenders: readonly Contender[] = [
  ours("oci-unpack", ({ gzip }) => gzip),
  ours("oci-unpack, zstd", ({ zstd }) => zstd),
  yardstick,
];

function ours(name: string, reference: (image: BenchImage) => string): Contender {
  return {
    name,
    tools: [],
    steps: (image, directory) => [
      [process.execPath, command, "--quiet", "--sandbox", "require", reference(image), join(directory, "image")],
    ],
  };
}

/** The built command: as a user has it, not as the tests compile it. */
const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
