import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { output } from "../test/support/command.ts";
import { scratch } from "../test/support/scratch.ts";
import { type Command, type Contender, command, isOurs } from "./contenders.ts";
import type { BenchImage } from "./corpus.ts";
import type { Link } from "./links.ts";
import { type Place, tmpfs } from "./places.ts";

/** What one run cost. */
export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time of all processes together. */
  readonly cpuSeconds: number;
  /** The largest resident set of any process. */
  readonly peakMegabytes: number;
}

/** Every contender's runs on one image. */
export type Runs = ReadonlyMap<Contender, readonly Measurement[]>;

/** What an image goes through, and where to. */
export interface Circumstances {
  readonly link: Link;
  readonly place: Place;
}

/**
 * Lets contenders unpack an image in turn, so that whatever else the machine does falls on all of them alike.
 *
 * A first round, which fills the page cache with the registry's blobs and the programs, does not count. Who begins a
 * round changes.
 */
export async function interleaved(
  contenders: readonly Contender[],
  image: BenchImage,
  rounds: number,
  circumstances: Circumstances,
): Promise<Runs> {
  const able = await warmedUp(contenders, image, circumstances);
  const runs = new Map<Contender, Measurement[]>(able.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of rotated(able, round)) {
      runs.get(contender)?.push(await unpacking(contender, image, circumstances));
    }
  }
  return runs;
}

/** The round that does not count. A tool that cannot do it here, podman in some container, is left out of the others. */
async function warmedUp(
  contenders: readonly Contender[],
  image: BenchImage,
  circumstances: Circumstances,
): Promise<readonly Contender[]> {
  const able: Contender[] = [];
  for (const contender of contenders) {
    try {
      await unpacking(contender, image, circumstances);
      able.push(contender);
    } catch (error) {
      if (isOurs(contender)) throw error;
      console.error(`leaving out ${contender.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return able;
}

function rotated<T>(values: readonly T[], by: number): readonly T[] {
  const first = by % values.length;
  return [...values.slice(first), ...values.slice(0, first)];
}

/** The middle one of several numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

async function unpacking(
  contender: Contender,
  image: BenchImage,
  { link, place }: Circumstances,
): Promise<Measurement> {
  await using target = await place.fresh();
  await using notes = await scratch();
  await prepare(contender, image, target.directory, link);
  let total: Measurement = { wallSeconds: 0, cpuSeconds: 0, peakMegabytes: 0 };
  for (const step of contender.steps(image, target.directory)) {
    total = sum(total, await timed(link.across(step), join(notes.directory, "time")));
  }
  return total;
}

/** Files that are in nobody's way do not even share the file system with those that are measured. */
async function prepare(contender: Contender, image: BenchImage, directory: string, link: Link): Promise<void> {
  if (contender.preparation === undefined) return;
  await using aside = await tmpfs.fresh();
  for (const step of contender.preparation(image, directory, aside.directory)) {
    const [program, ...args] = link.across(step);
    await output(program, args);
  }
}

/** With further authorities Node 20 reads all that it knows at each start, which takes 40 ms. Node takes "" for none. */
const withoutAuthorities = { NODE_EXTRA_CA_CERTS: "" };

/**
 * Runs a command under `time`, which asks the kernel what the whole process, threads and children included, used, and
 * notes it in the file `report`.
 */
export async function timed([program, ...args]: Command, report: string): Promise<Measurement> {
  const start = performance.now();
  await output("time", ["-q", "-f", "%U %S %M", "-o", report, program, ...args], { environment: withoutAuthorities });
  const wallSeconds = (performance.now() - start) / 1000;
  const [user = 0, system = 0, kibibytes = 0] = (await readFile(report, "utf8")).trim().split(" ").map(Number);
  return { wallSeconds, cpuSeconds: user + system, peakMegabytes: (kibibytes * 1024) / 1e6 };
}

/** Measures the built command without `time`, which not every machine has. `before` is a command that starts another. */
export async function selfMeasured(before: Command, args: readonly string[], report: string): Promise<Measurement> {
  const [program, ...options] = before;
  const [node, main = ""] = command;
  const usage = new URL("usage.js", import.meta.url).href;
  const start = performance.now();
  const environment = { ...withoutAuthorities, OCI_UNPACK_BENCH_USAGE: report };
  await output(program, [...options, node, "--import", usage, main, ...args], { environment });
  const wallSeconds = (performance.now() - start) / 1000;
  return { wallSeconds, ...(JSON.parse(await readFile(report, "utf8")) as Omit<Measurement, "wallSeconds">) };
}

function sum(a: Measurement, b: Measurement): Measurement {
  return {
    wallSeconds: a.wallSeconds + b.wallSeconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    peakMegabytes: Math.max(a.peakMegabytes, b.peakMegabytes),
  };
}
