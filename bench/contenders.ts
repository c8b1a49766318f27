import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { output } from "../test/support/command.ts";
import type { Tool } from "../test/support/tools.ts";
import type { BenchImage } from "./corpus.ts";

/** A command with its arguments. */
export type Command = readonly [string, ...string[]];

/** One way to get from a registry to a root filesystem, or a part of that way for comparison. */
export interface Contender {
  /** What `--contenders` calls it. */
  readonly key: string;
  readonly name: string;
  readonly tools: readonly Tool[];
  /** Whether it is none of this project's own ways. Default: where it needs tools, which are others'. */
  readonly isForeign?: boolean;
  /** What has to be there before, and is not measured. Leaves nothing but its purpose in `directory`: there is `aside`. */
  preparation?(image: BenchImage, directory: string, aside: string): readonly Command[];
  /** The commands, one after the other, that put the image's root filesystem somewhere below `directory`. */
  steps(image: BenchImage, directory: string): readonly Command[];
}

/** What everything is measured against. */
export const yardstick: Contender = {
  key: "umoci",
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

/** No unpacking at all: nothing that downloads can be faster. */
export const download: Contender = {
  key: "curl",
  name: "curl of the blobs, nothing else",
  tools: ["curl"],
  steps: ({ blobs }) => [["curl", "-sSf", ...blobs.flatMap((blob) => ["-o", "/dev/null", blob])]],
};

/** Layers on top of each other: no digest is checked, whiteouts stay as files, and what they delete stays too. */
const pipes: Contender = {
  key: "tar",
  name: "curl \\| igzip \\| tar",
  tools: ["curl", "igzip", "tar"],
  steps: ({ blobs }, directory) => [
    ["sh", "-euc", `for blob; do curl -sSf "$blob" | igzip -dc | tar -xpC "$0"; done`, directory, ...blobs],
  ],
};

/** Leaves the layers apart, each in a directory, as its containers use them. */
const podman: Contender = {
  key: "podman",
  name: "podman pull, fresh storage",
  tools: ["podman"],
  steps: ({ gzip }, directory) => [
    [
      "env",
      `TMPDIR=${directory}`,
      "podman",
      ...[
        "--root",
        join(directory, "storage"),
        "--runroot",
        join(directory, "run"),
        "--tmpdir",
        join(directory, "tmp"),
      ],
      // Without a mount of its own on its directory, which would outlive the command.
      ...["--storage-driver", "overlay", "--storage-opt", "overlay.skip_mount_home=true"],
      ...["pull", "--quiet", "--tls-verify=false", gzip],
    ],
  ],
};

export const ours: Contender = {
  key: "oci-unpack",
  name: "oci-unpack",
  tools: [],
  steps: ({ gzip }, directory) => [unpacking(gzip, join(directory, "image"))],
};

/** As many connections as are worth it, up to four, for each large layer. */
export const oursInParallel: Contender = {
  key: "parallel",
  name: "oci-unpack --connections-per-blob 4",
  tools: [],
  steps: ({ gzip }, directory) => [unpacking(gzip, join(directory, "image"), "--connections-per-blob", "4")],
};

const oursFromZstd: Contender = {
  key: "zstd",
  name: "oci-unpack, zstd",
  tools: [],
  steps: ({ zstd }, directory) => [unpacking(zstd, join(directory, "image"))],
};

const oursIntoStore: Contender = {
  key: "store",
  name: "oci-unpack --store, empty",
  tools: [],
  steps: ({ gzip }, directory) => [unpacking(gzip, join(directory, "image"), "--store", join(directory, "store"))],
};

const oursFromStore: Contender = {
  key: "warm",
  name: "oci-unpack --store, warm",
  tools: [],
  preparation: ({ gzip }, directory, aside) => [
    unpacking(gzip, join(aside, "image"), "--store", join(directory, "store")),
  ],
  steps: oursIntoStore.steps,
};

export const contenders: readonly Contender[] = [
  ours,
  oursFromZstd,
  oursIntoStore,
  oursFromStore,
  yardstick,
  podman,
  pipes,
  download,
];

/** What the command line of the benchmark adds to the contenders. */
export interface FurtherContenders {
  /** The program of the Rust crate oci-unpack, its example `unpack`: `PATH REFERENCE DIRECTORY`. */
  readonly crate?: string | undefined;
  /** Other Nodes that run this project's command, separated by commas. */
  readonly nodes?: string | undefined;
  /** Numbers for `--threads`, separated by commas. */
  readonly threads?: string | undefined;
}

/** This project's command on other Nodes and with other numbers of threads, and the crate's program. */
export async function furtherContenders({ crate, nodes, threads }: FurtherContenders): Promise<readonly Contender[]> {
  const others = await Promise.all(listed(nodes).map(onNode));
  return [...others, ...listed(threads).map(withThreads), ...listed(crate).map(crateProgram)];
}

function listed(flag: string | undefined): readonly string[] {
  return flag === undefined || flag === "" ? [] : flag.split(",");
}

async function onNode(node: string): Promise<Contender> {
  const version = (await output(node, ["--version"])).trim();
  const [, ...entry] = command;
  return {
    key: `node-${version}`,
    name: `oci-unpack, Node ${version}`,
    tools: [],
    steps: ({ gzip }, directory) => [[node, ...entry, ...unpackingArguments(gzip, join(directory, "image"))]],
  };
}

function withThreads(count: string): Contender {
  return {
    key: `threads-${count}`,
    name: `oci-unpack --threads ${count}`,
    tools: [],
    steps: ({ gzip }, directory) => [unpacking(gzip, join(directory, "image"), "--threads", count)],
  };
}

/** It checks no diffIDs. */
function crateProgram(program: string): Contender {
  return {
    key: "crate",
    name: "crate oci-unpack",
    tools: [],
    isForeign: true,
    steps: ({ gzip }, directory) => [[program, gzip, join(directory, "image")]],
  };
}

/** The built command: as a user has it, not as the tests compile it. */
export const command: Command = [process.execPath, fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))];

/** As it is by default. TLS is not what is measured here, whichever address the registry has. */
function unpacking(reference: string, target: string, ...options: readonly string[]): Command {
  return [...command, ...unpackingArguments(reference, target, ...options)];
}

function unpackingArguments(reference: string, target: string, ...options: readonly string[]): readonly string[] {
  return ["--quiet", "--plain-http", ...options, reference, target];
}

/** Whether it is one of this project's own ways. */
export function isOurs({ tools, isForeign = tools.length > 0 }: Contender): boolean {
  return !isForeign;
}
