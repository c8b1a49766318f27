import type { OciUnpackEvent } from "../index.ts";
import type { Display } from "./display.ts";
import { type Curiosity, eventLine } from "./event-line.ts";
import { livingLines } from "./living-lines.ts";
import { bytesText, counted } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import type { Output } from "./surroundings.ts";
import { downloadText, Tally } from "./tally.ts";

/** Plain lines, for a file, a pipe or a log: what was found, each layer that is done, and a sign of life now and then. */
export function lineDisplay(curiosity: Curiosity, output: Output): Display {
  const tally = new Tally();
  const lines = livingLines(output, () => heartbeat(tally));
  return {
    show(event) {
      tally.record(event);
      const line = milestone(event, tally) ?? eventLine(event, curiosity);
      if (line !== undefined) lines.say(line);
    },
    say: lines.say,
    [Symbol.dispose]: () => lines[Symbol.dispose](),
  };
}

function milestone(event: OciUnpackEvent, tally: Tally): string | undefined {
  switch (event.type) {
    case "resolved": {
      const layers = counted(event.layers.length, "layer");
      return `${safeText(event.reference)} is ${event.digest} (${safeText(event.platform)}, ${layers}, ${bytesText(event.totalBytes)})`;
    }
    case "layer-finished":
      return `layer ${event.layer + 1} of ${tally.layers.length}: ${counted(event.entries, "entry", "entries")}`;
    default:
      return undefined;
  }
}

function heartbeat(tally: Tally): string {
  if (tally.layers.length === 0) return "finding out what the image is";
  // Of a copy nothing is unpacked.
  if (!tally.layers.some(({ started }) => started)) return downloadText(tally);
  return `${downloadText(tally)}, unpacked ${tally.unpackedLayers()} of ${counted(tally.layers.length, "layer")}`;
}
