import { readFile, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scratch } from "../test/support/scratch.ts";
import { type Archive, directory, file } from "./archive.ts";
import type { Command } from "./contenders.ts";
import { compressibleBytes, pseudoRandom } from "./content.ts";
import { writeLayout } from "./layout.ts";
import { machine } from "./machine.ts";
import { markdownTable } from "./markdown.ts";
import { type Measurement, median, selfMeasured } from "./measure.ts";
import { type Place, tmpfs, within } from "./places.ts";
import { plots } from "./plot.ts";
import { resultFile, writeSection } from "./results.ts";

/*
 * What more processors are good for: unpacks images on 1, 2, 4 … of those that this machine has.
 *
 *     node build/bench/cores.js [--image REFERENCE] [--directory DIR] [--cores 1,2,4] [--rounds 5]
 *
 * Needs nothing but Node, `taskset` (util-linux), `dist/`, `build/` and the packages that `dist/` uses; no network, no
 * registry: without `--image` it makes images itself, into a layout.
 */

const { values: flags } = parseArgs({
  options: {
    image: { type: "string" },
    /** Makes images, as is done anyway where none is given. */
    generate: { type: "boolean" },
    /** Where to unpack to. Default: /dev/shm, where it has room. */
    directory: { type: "string" },
    /** Default: 1 to 16 of those that there are. */
    cores: { type: "string", default: "1,2,3,4,6,8,12,16" },
    rounds: { type: "string", default: "5" },
  },
});

interface Subject {
  readonly name: string;
  readonly image: string;
}

await using workshop = await scratch();
const place = flags.directory === undefined ? await roomyPlace() : within(flags.directory);
const processors = await allowedProcessors();
const wanted = flags.cores.split(",").map(Number);
const counts = wanted.filter((count) => count <= processors.length);
const missing = wanted.filter((count) => count > processors.length);
const stops =
  missing.length === 0 ? [] : [`This machine has ${processors.length} processors: nothing on ${missing.join(", ")}.`];
console.error(stops.join(""));
const subjects = flags.image === undefined ? await generated() : [{ name: flags.image, image: flags.image }];
const curves = new Map<Subject, ReadonlyMap<number, readonly Measurement[]>>();
for (const subject of subjects) {
  const curve = await measured(subject);
  console.log(`${table(subject, curve)}\n`);
  curves.set(subject, curve);
}
if (flags.image === undefined) await report();

/** Like a toolchain's: four layers of about 90 MB, 300 MB unpacked, files of 4 KB to 32 MB. */
function* largeFiles(layer: number): Archive {
  const content = compressibleBytes(100 + layer);
  const next = pseudoRandom(200 + layer);
  yield directory(`usr/lib/part-${layer}`);
  for (let bytes = 0, index = 0; bytes < 300e6; index += 1) {
    const size = Math.floor(4096 * 2 ** (13 * (next() / 2 ** 32)));
    yield* file(`usr/lib/part-${layer}/library-${index}.so`, size, content);
    bytes += size;
  }
}

/** Like node_modules: 25,000 files of 100 bytes to 30 KB, ten to a directory. */
function* smallFiles(layer: number): Archive {
  const content = compressibleBytes(300 + layer);
  const next = pseudoRandom(400 + layer);
  for (let index = 0; index < 25_000; index += 1) {
    const parent = `srv/app/node_modules/package-${layer}-${Math.floor(index / 100)}/lib-${Math.floor(index / 10) % 10}`;
    if (index % 10 === 0) yield directory(parent);
    yield* file(`${parent}/module-${index}.js`, Math.floor(100 * 300 ** (next() / 2 ** 32)), content);
  }
}

async function generated(): Promise<readonly Subject[]> {
  console.error("making images");
  const layers = [1, 2, 3, 4];
  const large = await writeLayout(join(workshop.directory, "large"), layers.map(largeFiles), 6);
  const small = await writeLayout(join(workshop.directory, "small"), layers.map(smallFiles), 6);
  return [
    { name: "large files, 1.2 GB in 4 layers", image: large },
    { name: "100,000 small files in 4 layers", image: small },
  ];
}

/** The numbers of processors take turns. A first round, which fills the page cache, does not count. */
async function measured({ image }: Subject): Promise<ReadonlyMap<number, readonly Measurement[]>> {
  const curve = new Map<number, Measurement[]>(counts.map((count) => [count, []]));
  for (let round = 0; round <= Number(flags.rounds); round += 1) {
    for (const [count, measurements] of curve) {
      await using target = await place.fresh();
      const unpacking = ["--quiet", "--plain-http", image, join(target.directory, "image")];
      const measurement = await selfMeasured(on(count), unpacking, join(workshop.directory, "usage"));
      if (round > 0) measurements.push(measurement);
    }
  }
  return curve;
}

function on(count: number): Command {
  return ["taskset", "--cpu-list", processors.slice(0, count).join(",")];
}

function table({ name }: Subject, curve: ReadonlyMap<number, readonly Measurement[]>): string {
  const alone = wall(curve.get(counts[0] ?? 1) ?? []);
  const rows = [...curve].map(([count, measurements]) => [
    String(count),
    wall(measurements).toFixed(2),
    (alone / wall(measurements)).toFixed(2),
    median(measurements.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    Math.max(...measurements.map(({ peakMegabytes }) => peakMegabytes)).toFixed(0),
  ]);
  return `${name}:\n\n${markdownTable(["processors", "wall (s)", "times as fast", "CPU (s)", "peak memory (MB)"], rows)}`;
}

function wall(measurements: readonly Measurement[]): number {
  return median(measurements.map(({ wallSeconds }) => wallSeconds));
}

async function report(): Promise<void> {
  const panels = [...curves].map(([{ name }, curve]) => ({
    title: name,
    points: [...curve].map(([count, measurements]) => [count, wall(measurements)] as const),
  }));
  const title = "Time (s) against processors; dashed: each as good as the first";
  await writeFile(resultFile("cores.svg"), plots(panels, { title, from: 0.1, to: 100, guide: "decline" }));
  const method = `Generated images in a layout on this machine, unpacked to ${place.name} with taskset; medians of ${flags.rounds} rounds.`;
  const tables = [...curves].map(([subject, curve]) => table(subject, curve));
  const picture = "![Time against processors](cores.svg)";
  await writeSection("Cores", [await machine(), method, ...stops, picture, ...tables].join("\n\n"));
}

/** Memory, unless this is a container that has next to none there. */
async function roomyPlace(): Promise<Place> {
  const { bavail, bsize } = await statfs("/dev/shm").catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > 4e9 ? tmpfs : within(tmpdir());
}

/** Those that this process may run on, which need not be the first ones: `0-3,8` in /proc/self/status. */
async function allowedProcessors(): Promise<readonly number[]> {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
