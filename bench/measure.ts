import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { output } from "../test/support/command.ts";
import type { BenchImage, Command, Contender } from "./contenders.ts";

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

/**
 * Lets contenders unpack an image in turn, so that whatever else the machine does falls on all of them alike.
 *
 * A first round, which fills the page cache with the registry's blobs and the programs, does not count.
 */
export async function interleaved(contenders: readonly Contender[], image: BenchImage, rounds: number): Promise<Runs> {
  const runs = new Map<Contender, Measurement[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [contender, measurements] of runs) {
      const measurement = await unpacking(contender, image);
      if (round > 0) measurements.push(measurement);
    }
  }
  return runs;
}

/** The middle one of several numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Every Linux has a tmpfs here: no disk is measured, and no allocator of inodes. */
const memory = "/dev/shm";

async function unpacking(contender: Contender, image: BenchImage): Promise<Measurement> {
  const directory = await mkdtemp(join(memory, "oci-unpack-bench-"));
  try {
    let total: Measurement = { wallSeconds: 0, cpuSeconds: 0, peakMegabytes: 0 };
    for (const step of contender.steps(image, directory)) total = sum(total, await timed(step, directory));
    return total;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a command under `time`, which asks the kernel what the whole process, threads and children included, used. */
async function timed([program, ...args]: Command, directory: string): Promise<Measurement> {
  const report = join(directory, "time");
  const start = performance.now();
  await output("time", ["-q", "-f", "%U %S %M", "-o", report, program, ...args]);
  const wallSeconds = (performance.now() - start) / 1000;
  const [user = 0, system = 0, kibibytes = 0] = (await readFile(report, "utf8")).trim().split(" ").map(Number);
  return { wallSeconds, cpuSeconds: user + system, peakMegabytes: (kibibytes * 1024) / 1e6 };
}

function sum(a: Measurement, b: Measurement): Measurement {
  return {
    wallSeconds: a.wallSeconds + b.wallSeconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    peakMegabytes: Math.max(a.peakMegabytes, b.peakMegabytes),
  };
}
