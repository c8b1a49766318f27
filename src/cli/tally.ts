import type { OciUnpackEvent } from "../index.ts";
import { bytesText } from "./quantities.ts";

/** How far one layer is. */
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

/** What all events so far add up to: the one thing that a display needs to know. */
export class Tally {
  reference = "";
  platform = "";
  totalBytes = 0;
  layers: readonly LayerTally[] = [];

  /** Takes an event into account. Numbers in events are absolute, so that one lost or repeated does no harm. */
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

  /** Bytes that came over the network, a blob that several layers share counted once. */
  downloadedBytes(): number {
    const byDigest = new Map(this.layers.map((layer) => [layer.digest, layer.downloadedBytes]));
    return [...byDigest.values()].reduce(sum, 0);
  }

  /** Compressed bytes that have become files, out of `layerBytes`. */
  consumedBytes(): number {
    return this.layers.map((layer) => layer.consumedBytes).reduce(sum, 0);
  }

  /** Compressed bytes of all layers, a repeated one counted each time it is applied. */
  layerBytes(): number {
    return this.layers.map((layer) => layer.sizeBytes).reduce(sum, 0);
  }

  unpackedLayers(): number {
    return this.layers.filter((layer) => layer.unpacked).length;
  }

  /** A blob that stands twice in the manifest is downloaded once, for every layer that it is. */
  #recordDownload(index: number, bytes: number): void {
    const digest = this.layers[index]?.digest;
    for (const layer of this.layers) if (layer.digest === digest) layer.downloadedBytes = bytes;
  }

  #update(index: number, change: (layer: LayerTally) => void): void {
    const layer = this.layers[index];
    if (layer !== undefined) change(layer);
  }
}

/** How much has come of what is to come. */
export function downloadText(tally: Tally): string {
  return `downloaded ${bytesText(tally.downloadedBytes())} of ${bytesText(tally.totalBytes)}`;
}

function waiting(layer: { readonly digest: string; readonly sizeBytes: number }): LayerTally {
  return { ...layer, downloadedBytes: 0, consumedBytes: 0, entries: 0, started: false, unpacked: false };
}

function sum(left: number, right: number): number {
  return left + right;
}
