import type { Series } from "./growth-series.ts";
import { grouped, markdownTable } from "./markdown.ts";
import { type Panel, plots } from "./plot.ts";

/** What an image of some size took. */
export interface Point {
  readonly size: number;
  readonly wallSeconds: number;
  readonly peakMegabytes: number;
}

/** Below this, what an image takes more than an empty one is mostly chance. */
const leastSeconds = 0.05;

/** An exponent above this one is called a defect: no measurement is exact. */
const worseThanLinear = 1.15;

/** A series as a table in Markdown. `base` is what an image without entries takes. */
export function growthTable({ name }: Series, points: readonly Point[], base: Point): string {
  const rows = points.map((point, index) => [
    grouped(point.size),
    point.wallSeconds.toFixed(2),
    point.peakMegabytes.toFixed(0),
    exponentText(points[index - 1], point, base),
  ]);
  return markdownTable([name, "time (s)", "peak memory (MB)", "exponent"], rows);
}

function exponentText(before: Point | undefined, point: Point, base: Point): string {
  if (before === undefined) return "–";
  const own = [before, point].map(({ wallSeconds }) => Math.max(wallSeconds - base.wallSeconds, leastSeconds));
  if (own[1] === leastSeconds) return "–";
  const exponent = Math.log((own[1] ?? 0) / (own[0] ?? 0)) / Math.log(point.size / before.size);
  return exponent > worseThanLinear ? `**${exponent.toFixed(2)}**` : exponent.toFixed(2);
}

export function timePlot(results: ReadonlyMap<Series, readonly Point[]>): string {
  const panels = panelsOf(results, ({ wallSeconds }) => wallSeconds);
  return plots(panels, { title: "Time (s) against size; dashed: linear", from: 0.1, to: 100, guide: "growth" });
}

export function memoryPlot(results: ReadonlyMap<Series, readonly Point[]>): string {
  const panels = panelsOf(results, ({ peakMegabytes }) => peakMegabytes);
  return plots(panels, {
    title: "Peak memory (MB) against size; red: 220 MB",
    from: 10,
    to: 1000,
    guide: "growth",
    limit: 220,
  });
}

function panelsOf(results: ReadonlyMap<Series, readonly Point[]>, value: (point: Point) => number): readonly Panel[] {
  return [...results].map(([{ name }, points]) => ({
    title: name,
    points: points.map((point) => [point.size, value(point)] as const),
  }));
}
