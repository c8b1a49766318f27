import { type Contender, download, ours, yardstick } from "./contenders.ts";
import type { BenchImage } from "./corpus.ts";
import { median, type Runs } from "./measure.ts";
import { ratioText, wallSeconds } from "./table.ts";

/** What this project means to reach: a ratio of medians of the same run, at most. */
export interface Target {
  readonly image: string;
  readonly against: Contender;
  readonly atMost: number;
}

export const memoryTargets: readonly Target[] = [
  { image: "debian", against: yardstick, atMost: 0.28 },
  { image: "python", against: yardstick, atMost: 0.26 },
  { image: "node-modules", against: yardstick, atMost: 0.1 },
  { image: "toolchain", against: yardstick, atMost: 0.17 },
  { image: "layers60", against: yardstick, atMost: 0.3 },
];

export const linkTargets: readonly Target[] = [
  { image: "toolchain", against: download, atMost: 1.1 },
  { image: "python", against: download, atMost: 1.35 },
];

/** Everywhere, however large the image. */
const peakMegabytesAtMost = 220;

/** The targets beside what was reached, as a table in Markdown. */
export function targetTable(targets: readonly Target[], results: ReadonlyMap<BenchImage, Runs>): string {
  const rows = [...results].flatMap(([image, runs]) => [
    ...targets.filter((target) => target.image === image.recipe.name).map((target) => ratioRow(target, runs)),
    peakRow(image.recipe.name, runs),
  ]);
  return ["| target | at most | reached | |", "|---|---:|---:|---|", ...rows, ""].join("\n");
}

function ratioRow({ image, against, atMost }: Target, runs: Runs): string {
  const [own, other] = [ours, against].map((contender) => median(wallSeconds(runs.get(contender) ?? [])));
  const ratio = (own ?? Number.NaN) / (other ?? Number.NaN);
  return targetRow(`${image} ÷ ${against.name}`, atMost.toFixed(2), ratioText(ratio), ratio <= atMost);
}

function peakRow(image: string, runs: Runs): string {
  const measurements = [...runs]
    .filter(([{ tools }]) => tools.length === 0)
    .flatMap(([, measurements]) => measurements);
  const peak = Math.max(...measurements.map(({ peakMegabytes }) => peakMegabytes));
  return targetRow(
    `${image}: peak memory (MB)`,
    String(peakMegabytesAtMost),
    peak.toFixed(0),
    peak <= peakMegabytesAtMost,
  );
}

/** One target as a row of a table in Markdown. */
export function targetRow(what: string, atMost: string, reached: string, isReached: boolean): string {
  return `| ${what} | ${atMost} | ${reached} | ${isReached ? "reached" : "**missed**"} |`;
}
