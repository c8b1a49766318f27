import type { UnpackEvent } from "../index.ts";
import type { Display } from "./display.ts";
import { type Curiosity, eventLine } from "./event-line.ts";
import { bytesText, counted } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import type { Output } from "./surroundings.ts";
import { Tally } from "./tally.ts";

/** Often enough that whoever watches a log knows the download is alive. */
const heartbeatMilliseconds = 10_000;

/** Plain lines, for a file, a pipe or a log: what was found, each layer that is done, and a sign of life now and then. */
export function lineDisplay(curiosity: Curiosity, output: Output): Display {
  const tally = new Tally();
  let lastLineTime = Date.now();
  const say = (line: string): void => {
    output.write(`${line}\n`);
    lastLineTime = Date.now();
  };

  return {
    show(event) {
      tally.record(event);
      const line = milestone(event, tally) ?? eventLine(event, curiosity);
      if (line !== undefined) say(line);
      else if (Date.now() - lastLineTime >= heartbeatMilliseconds && tally.totalBytes > 0) say(heartbeat(tally));
    },
    say,
    [Symbol.dispose]() {},
  };
}

function milestone(event: UnpackEvent, tally: Tally): string | undefined {
  switch (event.type) {
    case "resolved": {
      const layers = counted(event.layers.length, "layer");
      return `${safeText(event.reference)} is ${event.digest} (${safeText(event.platform)}, ${layers}, ${bytesText(event.totalBytes)})`;
    }
    case "layer-unpacked":
      return `layer ${event.layer + 1} of ${tally.layers.length}: ${counted(event.entries, "entry", "entries")}`;
    default:
      return undefined;
  }
}

function heartbeat(tally: Tally): string {
  const downloaded = `downloaded ${bytesText(tally.downloadedBytes())} of ${bytesText(tally.totalBytes)}`;
  return `${downloaded}, unpacked ${tally.unpackedLayers()} of ${counted(tally.layers.length, "layer")}`;
}
