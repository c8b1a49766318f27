import { type Contender, download, isOurs, ours, yardstick } from "./contenders.ts";
import type { BenchImage } from "./corpus.ts";
import { markdownTable } from "./markdown.ts";
import { median, type Runs } from "./measure.ts";
import { wallSeconds } from "./table.ts";

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

/** What was to be reached, what was, and whether that is enough. */
export type TargetRow = readonly [what: string, atMost: string, reached: string, verdict: string];

/** The targets beside what was reached, as a table in Markdown. */
export function targetTable(rows: readonly TargetRow[]): string {
  return markdownTable(["target", "at most", "reached", ""], rows);
}

export function targetRow(what: string, atMost: number, reached: number, digits: number): TargetRow {
  return [what, atMost.toFixed(digits), reached.toFixed(digits), reached <= atMost ? "reached" : "**missed**"];
}

/** The targets that the runs on some images have. */
export function targetRows(targets: readonly Target[], results: ReadonlyMap<BenchImage, Runs>): readonly TargetRow[] {
  return [...results].flatMap(([{ recipe }, runs]) => [
    ...targets.filter(({ image }) => image === recipe.name).map((target) => ratioRow(target, runs)),
    targetRow(`${recipe.name}: peak memory (MB)`, peakMegabytesAtMost, peakMegabytes(runs), 0),
  ]);
}

function ratioRow({ image, against, atMost }: Target, runs: Runs): TargetRow {
  const seconds = (contender: Contender) => median(wallSeconds(runs.get(contender) ?? []));
  return targetRow(`${image} ÷ ${against.name}`, atMost, seconds(ours) / seconds(against), 2);
}

function peakMegabytes(runs: Runs): number {
  const own = [...runs].filter(([contender]) => isOurs(contender));
  return Math.max(...own.flatMap(([, measurements]) => measurements.map(({ peakMegabytes: peak }) => peak)));
}
