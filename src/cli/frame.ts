import type { Paint } from "./display.ts";
import { bytesText, counted, countText, durationText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { type LayerTally, platformWords, type Tally } from "./tally.ts";

/** The size and style of the progress display. */
export interface FrameStyle {
  readonly columns: number;
  readonly rows: number;
  /** Whether the terminal shows block characters. */
  readonly unicode: boolean;
  readonly paint: Paint;
}

/** Bytes a second, if known. */
interface Rates {
  readonly download: number | undefined;
  readonly unpack: number | undefined;
}

const mostLayerLines = 12;
const widestBar = 30;
const narrowestBar = 5;

// "   2/11  download █████░░░ 54.0 MB  unpack ███░░░░░ 1,234,567 entries": all of it but the bars.
const widthBesideBars = 53;

/**
 * The lines of the progress display: a headline, a line for each layer in work, and the sums.
 *
 * They are fewer than the rows of the terminal. In a very narrow terminal a line may be too long; the caller has to
 * prevent it from wrapping.
 */
export function frame(tally: Tally, rates: Rates, style: FrameStyle): string[] {
  const active = tally.layers.filter(atWork);
  const mostLines = Math.max(0, Math.min(mostLayerLines, style.rows - 4));
  const shown = active.length <= mostLines ? active : mostUrgent(active, mostLines);
  const lines = [headline(tally), ...shown.map((layer) => layerLine(tally, layer, style))];
  if (active.length > shown.length) lines.push(style.paint.faint(`  and ${active.length - shown.length} more`));
  return [...lines, sums(tally, rates, style)];
}

function atWork(layer: LayerTally): boolean {
  return !layer.unpacked && (layer.started || layer.downloadedBytes > 0);
}

/**
 * The layers to show: first those being unpacked, then those that arrive, then those that wait, in the order of layers.
 */
function mostUrgent(layers: readonly LayerTally[], mostLines: number): LayerTally[] {
  const urgency = (layer: LayerTally) => (layer.started ? 0 : layer.downloadedBytes < layer.sizeBytes ? 1 : 2);
  const chosen = new Set([...layers].sort((left, right) => urgency(left) - urgency(right)).slice(0, mostLines));
  return layers.filter((layer) => chosen.has(layer));
}

function headline(tally: Tally): string {
  const layers = counted(tally.layers.length, "layer");
  return [safeText(tally.reference), ...platformWords(tally), `${layers}, ${bytesText(tally.totalBytes)}`].join("  ");
}

function layerLine(tally: Tally, layer: LayerTally, style: FrameStyle): string {
  const { paint } = style;
  const count = String(tally.layers.length);
  const position = `${tally.layers.indexOf(layer) + 1}/${count}`.padStart(Math.max(7, count.length * 2 + 1));
  const downloaded = share(layer.downloadedBytes, layer.sizeBytes);
  const unpacked = share(layer.consumedBytes, layer.sizeBytes);
  const width = Math.min(widestBar, Math.floor((style.columns - 1 - widthBesideBars) / 2));
  if (width < narrowestBar) return `${position}  download ${percent(downloaded)}  unpack ${percent(unpacked)}`;

  const size = bytesText(layer.sizeBytes).padEnd(7);
  const entries = layer.started ? `${countText(layer.entries)} entries` : "";
  return [
    `${position}  download ${bar(downloaded, width, paint.cyan, style)} ${size}`,
    `  unpack ${bar(unpacked, width, paint.green, style)} ${entries}`.trimEnd(),
  ].join("");
}

function sums(tally: Tally, rates: Rates, style: FrameStyle): string {
  const unpacked = `${tally.unpackedLayers()} of ${counted(tally.layers.length, "layer")} unpacked`;
  const missing = tally.totalBytes - tally.downloadedBytes();
  const left = remainingTime(tally, rates);
  return [
    `  ${bytesText(tally.downloadedBytes())} of ${bytesText(tally.totalBytes)}`,
    missing > 0 && rates.download !== undefined ? `${bytesText(rates.download)}/s` : "",
    left === undefined || left === 0 ? "" : `${durationText(left)} left`,
    style.paint.faint(unpacked),
  ]
    .filter((part) => part !== "")
    .join("   ");
}

/** The remaining time: that of the slower of downloading and unpacking, which run at the same time. */
function remainingTime(tally: Tally, rates: Rates): number | undefined {
  const download = timeLeft(tally.totalBytes - tally.downloadedBytes(), rates.download);
  const unpack = timeLeft(tally.layerBytes() - tally.consumedBytes(), rates.unpack);
  return download === undefined || unpack === undefined ? undefined : Math.max(download, unpack);
}

function bar(part: number, width: number, color: (text: string) => string, style: FrameStyle): string {
  const [full, empty] = style.unicode ? ["█", "░"] : ["#", "-"];
  const filled = Math.floor(part * width);
  return color(full.repeat(filled)) + style.paint.faint(empty.repeat(width - filled));
}

/** A number from 0 to 1. For an empty layer it is 1. */
function share(part: number, whole: number): number {
  return whole === 0 ? 1 : Math.min(1, part / whole);
}

function percent(part: number): string {
  return `${Math.floor(part * 100)}%`.padStart(4);
}

/**
 * Over which time speed is averaged: long enough for bursts, and short enough to notice that a download has stalled.
 */
const windowMilliseconds = 4000;

/** How fast a number grows, averaged over the last seconds. */
export class Rate {
  #samples: { readonly time: number; readonly value: number }[] = [];

  sample(time: number, value: number): void {
    const samples = this.#samples.filter((sample) => time - sample.time <= windowMilliseconds);
    this.#samples = [...samples, { time, value }];
  }

  /** The growth per second; `undefined` until there are enough samples. */
  perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.time - first.time < 200) return undefined;
    return ((last.value - first.value) * 1000) / (last.time - first.time);
  }
}

/** In how many milliseconds `remaining` will be 0 at this rate; `undefined` if that is not known. */
function timeLeft(remaining: number, perSecond: number | undefined): number | undefined {
  if (remaining <= 0) return 0;
  if (perSecond === undefined || perSecond <= 0) return undefined;
  return (remaining / perSecond) * 1000;
}
