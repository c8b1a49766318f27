import { join } from "node:path";
import { type Command, type Contender, command } from "./contenders.ts";
import type { BenchImage } from "./corpus.ts";
import { markdownTable } from "./markdown.ts";
import { median, type Runs } from "./measure.ts";
import { ratioText, wallSeconds } from "./table.ts";

/** Something that is done with an image whose layers are in a store, and done again with what the first time left there. */
export interface SecondTime {
  readonly what: string;
  readonly first: Contender;
  readonly second: Contender;
  /** What this project means to reach, by image: the second time in terms of the first, at most. */
  readonly atMost: Readonly<Record<string, number>>;
}

/** How one of both is measured. */
interface Take {
  /** The options of what is done before, which fills the store. */
  readonly before: Line;
  /** What is measured. */
  readonly step: Line;
}

/** A command line without the options that all have; `at` is where it may make things. */
type Line = (image: string, at: string) => readonly string[];

const toDirectory =
  (...options: readonly string[]): Line =>
  (image, at) => [...options, image, join(at, "image")];

const toFile =
  (form: string, ...options: readonly string[]): Line =>
  (image, at) => [...options, "--output", form, "-o", join(at, "file"), image];

const listing =
  (...options: readonly string[]): Line =>
  (image) => ["ls", "-R", ...options, image];

/** The store has the layers, and no index of them unless `before` says so. */
const warm = toDirectory("--no-index");

function twice(what: string, first: Take, second: Take, atMost: SecondTime["atMost"]): SecondTime {
  return { what, first: contender(`${what}, first`, first), second: contender(`${what}, second`, second), atMost };
}

/** A file that is made, and then copied out of the store. In a tmpfs nothing shares blocks. */
function keptFile(form: string, atMost: SecondTime["atMost"]): SecondTime {
  const keeping = toFile(form, "--keep");
  return twice(`${form} by copy`, { before: warm, step: toFile(form) }, { before: keeping, step: keeping }, atMost);
}

/** A root filesystem that is unpacked, and then cloned. */
function keptRoot(clone: string, atMost: SecondTime["atMost"]): SecondTime {
  const keeping = toDirectory("--clone", clone);
  const first = { before: warm, step: toDirectory() };
  return twice(`rootfs, --clone ${clone}`, first, { before: keeping, step: keeping }, atMost);
}

export const secondTimes: readonly SecondTime[] = [
  twice(
    "ls -R",
    { before: warm, step: listing("--no-index") },
    { before: toDirectory(), step: listing() },
    { toolchain: 0.15, "node-modules": 0.15 },
  ),
  verification(),
  syncing("sync, untouched", { toolchain: 0.5 }),
  syncing("sync --trust-times, untouched", { toolchain: 0.15 }, "--trust-times"),
  syncingToNext({ toolchain: 0.2 }),
  diffOfBuilds(),
  keptRoot("copy", { toolchain: 0.4, "node-modules": 0.65 }),
  keptRoot("hardlink", { toolchain: 0.25, "node-modules": 0.35 }),
  keptFile("ext4", { toolchain: 0.12 }),
  keptFile("erofs", { toolchain: 0.12 }),
  // Not a second time: what the index costs whoever makes it.
  twice(
    "rootfs, index being written",
    { before: warm, step: toDirectory("--no-index") },
    { before: warm, step: toDirectory() },
    { toolchain: 1.05, "node-modules": 1.05 },
  ),
];

/** `verify` of what was unpacked, by layers and by indexes. */
function verification(): SecondTime {
  const verify = (name: string, ...options: readonly string[]): Contender => ({
    key: name,
    name,
    tools: [],
    preparation: ({ gzip }, directory) => [inStore(directory, [...options, gzip, join(directory, "image")])],
    steps: ({ gzip }, directory) => [inStore(directory, ["verify", ...options, join(directory, "image"), gzip])],
  });
  return {
    what: "verify",
    first: verify("verify, first", "--no-index"),
    second: verify("verify, second"),
    atMost: { toolchain: 0.5 },
  };
}

/** `sync` of what was unpacked to the same image, beside unpacking it. */
function syncing(what: string, atMost: SecondTime["atMost"], ...options: readonly string[]): SecondTime {
  const second: Contender = {
    key: what,
    name: what,
    tools: [],
    preparation: ({ gzip }, directory) => [inStore(directory, [gzip, join(directory, "image")])],
    steps: ({ gzip }, directory) => [inStore(directory, ["sync", ...options, join(directory, "image"), gzip])],
  };
  return { what, first: contender(`${what}, first`, { before: warm, step: toDirectory() }), second, atMost };
}

/** `sync` of what was unpacked to an image with one small layer more, which the store does not know. */
function syncingToNext(atMost: SecondTime["atMost"]): SecondTime {
  const what = "sync --trust-times, to one small layer more";
  const second: Contender = {
    key: what,
    name: what,
    tools: ["umoci", "tar"],
    preparation: ({ gzip }, directory) => [
      inStore(directory, [gzip, join(directory, "image")]),
      ...withBuilds(gzip, directory),
    ],
    steps: (_image, directory) => [
      inStore(directory, ["sync", "--trust-times", join(directory, "image"), build(directory, 1)]),
    ],
  };
  return { what, first: contender(`${what}, first`, { before: warm, step: toDirectory() }), second, atMost };
}

/** Two builds of an image whose last layers name the same paths; first with the image that both stand on. */
function diffOfBuilds(): SecondTime {
  const diff = (
    name: string,
    images: (image: BenchImage, directory: string) => readonly [string, string],
  ): Contender => ({
    key: name,
    name,
    tools: ["umoci", "tar"],
    preparation: ({ gzip }, directory) => withBuilds(gzip, directory),
    steps: (image, directory) => [differing("diff", "--plain-http", ...images(image, directory))],
  });
  return {
    what: "diff of two builds, not of one with its base",
    first: diff("diff, all layers", ({ gzip }, directory) => [gzip, build(directory, 1)]),
    second: diff("diff, last layers", (_image, directory) => [build(directory, 1), build(directory, 2)]),
    atMost: {},
  };
}

function build(directory: string, number: 1 | 2): string {
  return `oci:${directory}/layout:build-${number}`;
}

/** Two images in a layout that have a small layer each on top of the image, with another content at the same paths. */
function withBuilds(gzip: string, directory: string): readonly Command[] {
  const make = `
    skopeo --insecure-policy copy --quiet --src-tls-verify=false "docker://$1" "oci:$2/layout:base"
    for number in 1 2; do
      mkdir -p "$2/files/srv/app"
      echo "$number" > "$2/files/srv/app/version"
      tar -C "$2/files" -cf "$2/layer.tar" ./srv
      umoci raw add-layer --image "$2/layout:base" --tag "build-$number" "$2/layer.tar"
    done`;
  return [["sh", "-euc", make, "sh", gzip, directory]];
}

/** The status 3 of a command that found differences is none of a failure. */
function differing(...line: readonly string[]): Command {
  return ["sh", "-c", '"$@" > /dev/null; [ $? -eq 3 ]', "sh", ...command, ...line];
}

function contender(name: string, { before, step }: Take): Contender {
  return {
    key: name,
    name,
    tools: [],
    preparation: ({ gzip }, directory, aside) => [inStore(directory, before(gzip, aside))],
    steps: ({ gzip }, directory) => [inStore(directory, step(gzip, directory))],
  };
}

/** As it is by default, with a store. What goes to standard output is thrown away. */
function inStore(directory: string, line: readonly string[]): Command {
  const options = ["--plain-http", "--store", join(directory, "store")];
  const [verb = ""] = line;
  const whole = ["ls", "verify", "sync"].includes(verb)
    ? [verb, ...options, ...line.slice(1)]
    : ["--quiet", ...options, ...line];
  return ["sh", "-c", 'exec "$@" > /dev/null', "sh", ...command, ...whole];
}

/** What each took the second time in terms of the first, image by image, as a table in Markdown. */
export function secondTimeTable(results: ReadonlyMap<BenchImage, Runs>): string {
  return markdownTable(
    ["what", "image", "first (s)", "second (s)", "from – to", "÷ first", "at most", "", "CPU ÷ first"],
    [...results].flatMap(
      ([
        {
          recipe: { name },
        },
        runs,
      ]) => secondTimes.map((each) => row(each, name, runs)),
    ),
  );
}

function row({ what, first, second, atMost }: SecondTime, image: string, runs: Runs): readonly string[] {
  const [before, after] = [first, second].map((one) => runs.get(one) ?? []) as [Measurements, Measurements];
  const [wallBefore, wallAfter] = [median(wallSeconds(before)), median(wallSeconds(after))];
  const { [image]: most } = atMost;
  const ratio = wallAfter / wallBefore;
  return [
    what,
    image,
    wallBefore.toFixed(2),
    wallAfter.toFixed(2),
    `${Math.min(...wallSeconds(after)).toFixed(2)} – ${Math.max(...wallSeconds(after)).toFixed(2)}`,
    ratioText(ratio),
    most?.toFixed(2) ?? "",
    most === undefined ? "" : ratio <= most ? "reached" : "**missed**",
    ratioText(median(cpuSeconds(after)) / median(cpuSeconds(before))),
  ];
}

type Measurements = NonNullable<ReturnType<Runs["get"]>>;

function cpuSeconds(measurements: Measurements): readonly number[] {
  return measurements.map(({ cpuSeconds }) => cpuSeconds);
}
