import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { output } from "../test/support/command.ts";
import { dockerRegistry } from "../test/support/docker-registry.ts";
import { scratch } from "../test/support/scratch.ts";
import { requireTools } from "../test/support/tools.ts";
import { chosen } from "./chosen.ts";
import { command } from "./contenders.ts";
import { growthTable, memoryPlot, type Point, timePlot } from "./growth-report.ts";
import { allSeries, type Series } from "./growth-series.ts";
import { writeLayout } from "./layout.ts";
import { machine } from "./machine.ts";
import { type Measurement, timed } from "./measure.ts";
import { tmpfs } from "./places.ts";
import { resultFile, writeSection } from "./results.ts";

/*
 * How time and memory grow with everything that an image can have much of: `npm run growth`. What grows faster than
 * linearly is a defect, and a way for an image to keep a machine busy.
 */

const { values: flags } = parseArgs({
  options: {
    series: { type: "string" },
    rounds: { type: "string", default: "3" },
    /** Leaves out sizes above this one. */
    largest: { type: "string", default: "Infinity" },
  },
});

requireTools("time", "docker-registry", "skopeo");
const nothing: Series = { key: "", name: "", sizes: [], layers: () => [[]] };
const base = await measured(nothing, 0);
const results = new Map<Series, readonly Point[]>();
for (const series of chosen(allSeries, ({ key }) => key, flags.series)) {
  const points: Point[] = [];
  for (const size of series.sizes) if (size <= Number(flags.largest)) points.push(await measured(series, size));
  console.log(`${growthTable(series, points, base)}\n`);
  results.set(series, points);
}
if (flags.series === undefined && flags.largest === "Infinity") {
  await writeFile(resultFile("growth-time.svg"), timePlot(results));
  await writeFile(resultFile("growth-memory.svg"), memoryPlot(results));
  await writeSection("Growth", [await machine(), method(), ...tables()].join("\n\n"));
}

function method(): string {
  const empty = `${base.wallSeconds.toFixed(2)} s and ${base.peakMegabytes.toFixed(0)} MB`;
  return `Generated images, in a layout on this machine unless said otherwise, unpacked to a tmpfs; the best time of ${flags.rounds} rounds and the most memory. An image without entries takes ${empty}. The exponent compares with the row above, less that: 1 is linear.

![Time against size](growth-time.svg)

![Memory against size](growth-memory.svg)`;
}

function tables(): readonly string[] {
  return [...results].map(([series, points]) => growthTable(series, points, base));
}

/** The best time of some rounds, which is what other work on the machine disturbs least; and the most memory. */
async function measured(series: Series, size: number): Promise<Point> {
  await using place = await scratch();
  const local = await writeLayout(join(place.directory, "layout"), series.layers(size), 1);
  const measurements: Measurement[] = [];
  await using registry = series.isRemote
    ? await dockerRegistry({ storage: join(place.directory, "registry") })
    : undefined;
  const image = registry === undefined ? local : await pushed(local, registry.host);
  for (let round = 0; round < Number(flags.rounds); round += 1) {
    await using target = await tmpfs.fresh();
    const unpacking = [...command, "--quiet", image, join(target.directory, "image")] as const;
    measurements.push(await timed(unpacking, join(place.directory, "time")));
  }
  return {
    size,
    wallSeconds: Math.min(...measurements.map(({ wallSeconds }) => wallSeconds)),
    peakMegabytes: Math.max(...measurements.map(({ peakMegabytes }) => peakMegabytes)),
  };
}

async function pushed(local: string, host: string): Promise<string> {
  const name = `${host}/bench/growth:latest`;
  await output("skopeo", [
    "--insecure-policy",
    "copy",
    "--quiet",
    "--dest-tls-verify=false",
    local,
    `docker://${name}`,
  ]);
  return name;
}
