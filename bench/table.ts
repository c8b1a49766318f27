import { type Contender, yardstick } from "./contenders.ts";
import { type Measurement, median, type Runs } from "./measure.ts";
import type { Recipe } from "./recipes.ts";

/** Medians of all runs on one image as a table in Markdown, each against the yardstick's of the same run. */
export function table(recipe: Recipe, megabytes: number, runs: Runs): string {
  const against = medians(runs.get(yardstick) ?? []);
  const rows = [...runs].map(([contender, measurements]) => row(contender, medians(measurements), against));
  return [
    `### ${recipe.name}: ${recipe.description}, ${megabytes.toFixed(1)} MB`,
    "",
    "| tool | wall (s) | ratio | CPU (s) | ratio | peak memory (MB) |",
    "|---|---:|---:|---:|---:|---:|",
    ...rows,
    "",
  ].join("\n");
}

function row({ name }: Contender, own: Measurement, against: Measurement): string {
  const cells = [
    name,
    own.wallSeconds.toFixed(2),
    (own.wallSeconds / against.wallSeconds).toFixed(2),
    own.cpuSeconds.toFixed(2),
    (own.cpuSeconds / against.cpuSeconds).toFixed(2),
    own.peakMegabytes.toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

function medians(measurements: readonly Measurement[]): Measurement {
  return {
    wallSeconds: median(measurements.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(measurements.map(({ cpuSeconds }) => cpuSeconds)),
    peakMegabytes: median(measurements.map(({ peakMegabytes }) => peakMegabytes)),
  };
}
