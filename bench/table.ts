import { download, yardstick } from "./contenders.ts";
import type { BenchImage } from "./corpus.ts";
import { markdownTable } from "./markdown.ts";
import { type Measurement, median, type Runs } from "./measure.ts";

/** All runs on one image as a table in Markdown: medians, and their ratios to those of the yardstick and of bare curl. */
export function table({ recipe, megabytes }: BenchImage, runs: Runs): string {
  const against = [yardstick, download].map((contender) => median(wallSeconds(runs.get(contender) ?? [])));
  return [
    `### ${recipe.name}: ${recipe.description}, ${megabytes.toFixed(1)} MB`,
    markdownTable(
      ["tool", "wall (s)", "from – to", "÷ skopeo + umoci", "÷ curl", "CPU (s)", "peak memory (MB)"],
      [...runs].map(([{ name }, measurements]) => [name, ...numbers(measurements, against)]),
    ),
  ].join("\n\n");
}

function numbers(measurements: readonly Measurement[], against: readonly number[]): readonly string[] {
  const walls = wallSeconds(measurements);
  const wall = median(walls);
  return [
    wall.toFixed(2),
    `${Math.min(...walls).toFixed(2)} – ${Math.max(...walls).toFixed(2)}`,
    ...against.map((seconds) => ratioText(wall / seconds)),
    median(measurements.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    Math.max(...measurements.map(({ peakMegabytes }) => peakMegabytes)).toFixed(0),
  ];
}

/** How often one number goes into another; a dash where the other was not measured. */
export function ratioText(ratio: number): string {
  return Number.isNaN(ratio) ? "–" : ratio.toFixed(2);
}

export function wallSeconds(measurements: readonly Measurement[]): readonly number[] {
  return measurements.map((measurement) => measurement.wallSeconds);
}
