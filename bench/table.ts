import { download, yardstick } from "./contenders.ts";
import type { BenchImage } from "./corpus.ts";
import { type Measurement, median, type Runs } from "./measure.ts";

/** All runs on one image as a table in Markdown: medians, and their ratios to those of the yardstick and of bare curl. */
export function table({ recipe, megabytes }: BenchImage, runs: Runs): string {
  const against = [yardstick, download].map((contender) => median(wallSeconds(runs.get(contender) ?? [])));
  const rows = [...runs].map(([{ name }, measurements]) => row(name, measurements, against));
  return [
    `#### ${recipe.name}: ${recipe.description}, ${megabytes.toFixed(1)} MB`,
    "",
    "| tool | wall (s) | from – to | ÷ skopeo + umoci | ÷ curl | CPU (s) | peak memory (MB) |",
    "|---|---:|---:|---:|---:|---:|---:|",
    ...rows,
    "",
  ].join("\n");
}

function row(name: string, measurements: readonly Measurement[], against: readonly number[]): string {
  const walls = wallSeconds(measurements);
  const wall = median(walls);
  const cells = [
    name,
    wall.toFixed(2),
    `${Math.min(...walls).toFixed(2)} – ${Math.max(...walls).toFixed(2)}`,
    ...against.map((seconds) => ratioText(wall / seconds)),
    median(measurements.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    Math.max(...measurements.map(({ peakMegabytes }) => peakMegabytes)).toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** How often one number goes into another; a dash where the other was not measured. */
export function ratioText(ratio: number): string {
  return Number.isNaN(ratio) ? "–" : ratio.toFixed(2);
}

export function wallSeconds(measurements: readonly Measurement[]): readonly number[] {
  return measurements.map((measurement) => measurement.wallSeconds);
}
