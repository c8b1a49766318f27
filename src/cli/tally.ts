import type { OciUnpackEvent } from "../index.ts";
import { bytesText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";

/** The progress of one layer. */
export interface LayerTally {
  readonly digest: string;
  readonly sizeBytes: number;
  downloadedBytes: number;
  /** Compressed bytes that have been unpacked. */
  consumedBytes: number;
  entries: number;
  started: boolean;
  unpacked: boolean;
}

/** Adds up all events so far, for displays. */
export class Tally {
  reference = "";
  platform = "";
  totalBytes = 0;
  layers: readonly LayerTally[] = [];

  /** Adds an event. Numbers in events are absolute, so that a lost or repeated event does no harm. */
  record(event: OciUnpackEvent): void {
    switch (event.type) {
      case "resolved":
        this.reference = event.reference;
        this.platform = event.platform;
        this.totalBytes = event.totalBytes;
        this.layers = event.layers.map(waiting);
        break;
      case "download-progress":
      case "downloaded":
        this.#recordDownload(event.layer, event.bytes);
        break;
      case "layer-started":
        this.#update(event.layer, (layer) => {
          layer.started = true;
        });
        break;
      case "layer-progress":
        this.#update(event.layer, (layer) => {
          layer.consumedBytes = event.bytes;
          layer.entries = event.entries;
        });
        break;
      case "layer-finished":
        this.#update(event.layer, (layer) => {
          layer.unpacked = true;
          layer.consumedBytes = layer.sizeBytes;
          layer.entries = event.entries;
        });
        break;
    }
  }

  /** The downloaded bytes. A blob that several layers are counts once. */
  downloadedBytes(): number {
    const byDigest = new Map(this.layers.map((layer) => [layer.digest, layer.downloadedBytes]));
    return [...byDigest.values()].reduce(sum, 0);
  }

  /** The compressed bytes that have been unpacked, of `layerBytes`. */
  consumedBytes(): number {
    return this.layers.map((layer) => layer.consumedBytes).reduce(sum, 0);
  }

  /** The compressed bytes of all layers. A blob that several layers are counts each time. */
  layerBytes(): number {
    return this.layers.map((layer) => layer.sizeBytes).reduce(sum, 0);
  }

  unpackedLayers(): number {
    return this.layers.filter((layer) => layer.unpacked).length;
  }

  /** Notes the progress of a download, for all layers that are this blob. */
  #recordDownload(index: number, bytes: number): void {
    const digest = this.layers[index]?.digest;
    for (const layer of this.layers) if (layer.digest === digest) layer.downloadedBytes = bytes;
  }

  #update(index: number, change: (layer: LayerTally) => void): void {
    const layer = this.layers[index];
    if (layer !== undefined) change(layer);
  }
}

/** How much has been downloaded, as a text. */
export function downloadText(tally: Tally): string {
  return `downloaded ${bytesText(tally.downloadedBytes())} of ${bytesText(tally.totalBytes)}`;
}

function waiting(layer: { readonly digest: string; readonly sizeBytes: number }): LayerTally {
  return { ...layer, downloadedBytes: 0, consumedBytes: 0, entries: 0, started: false, unpacked: false };
}

function sum(left: number, right: number): number {
  return left + right;
}

/** The platform, where anything states one: artifacts are often for all. */
export function platformWords({ platform }: { readonly platform: string }): readonly string[] {
  return platform === "unknown" ? [] : [safeText(platform)];
}
