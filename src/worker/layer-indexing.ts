import type { Limits } from "../base/limits.ts";
import { TarDecoder, type TarDecoderOptions } from "../tar/decoder.ts";
import type { Repair } from "../tar/decoder-state.ts";
import type { ByteSource } from "../tar/entry.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { IndexedArchive } from "../toc/indexed-archive.ts";
import { TocDecoder } from "../toc/toc-decoder.ts";
import { TocWriter } from "../toc/toc-writer.ts";
import type { NumberedLayer } from "./messages.ts";
import { Outlet, type SharedOutlet } from "./outlet.ts";
import type { SharedRing } from "./ring.ts";
import { tell } from "./serve.ts";

/** Of which layers a thread is to make indexes, by their numbers, and where these go. */
export interface IndexOrder {
  readonly layers: readonly number[];
  readonly outlet: SharedOutlet;
}

/** What a thread is given to merge layers of. */
export interface LayersToMerge {
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  /** Of which of them it is to make an index. Default: none. */
  readonly index?: IndexOrder;
}

/** The report that the index of a layer has been written, or that it could not be made. */
export type LayerIndexReport = { readonly type: "indexed"; readonly layer: number; readonly isComplete: boolean };

/** Makes indexes of layers while their archives are read, and sends them to the main thread, one after the other. */
export class LayerIndexing {
  readonly #holes: DigestibleHoles;
  readonly #layers: ReadonlySet<number>;
  readonly #outlet: Outlet;

  constructor({ layers, outlet }: IndexOrder, limits: Limits) {
    this.#holes = new DigestibleHoles(limits);
    this.#layers = new Set(layers);
    this.#outlet = new Outlet(outlet, (bytes) => tell({ type: "bytes", bytes }));
  }

  /**
   * Decodes the archive of a layer for somebody who needs no data of files, and writes its index meanwhile; `undefined` if
   * no index of the layer is wanted.
   */
  decode(layer: number, archive: ByteSource, options: TarDecoderOptions): IndexedArchive | undefined {
    if (!this.#layers.has(layer)) return undefined;
    const writer = new TocWriter((bytes) => this.#outlet.write(bytes));
    const warning: Repair = (...repair) => {
      writer.warning(...repair);
      options.warning(...repair);
    };
    return new IndexedArchive(new TarDecoder(archive, { ...options, warning }), writer, this.#holes);
  }

  /** Ends the index of a layer. Where it is not complete it is none. */
  end(layer: number, isComplete: boolean): void {
    this.#outlet.end();
    tell<LayerIndexReport>({ type: "indexed", layer, isComplete });
  }
}

/** What makes the indexes that a job asks for, if it does. */
export function layerIndexing({ index, settings }: LayersToMerge & { readonly settings: { readonly limits: Limits } }) {
  return index && new LayerIndexing(index, settings.limits);
}

/** A layer as it comes: its index, its archive, or its archive of which an index is to be made. */
export interface ComingLayer {
  /** Its number in the image, from 0. */
  readonly layer: number;
  /** What the input has: the layer's index, or else its archive. */
  readonly form?: NumberedLayer["form"] | undefined;
  readonly input: ByteSource;
  /** What makes indexes of layers, if nobody needs the data of files. Default: nothing. */
  readonly indexing?: LayerIndexing | undefined;
}

/**
 * Decodes a layer. Where an index is read or made, this is a `KnownBody`, which knows the digests of the data and has none
 * of them.
 */
export function layerDecoder(
  { layer, form, input, indexing }: ComingLayer,
  options: TarDecoderOptions,
): TarDecoder | TocDecoder | IndexedArchive {
  if (form === "index") return new TocDecoder(input, options);
  return indexing?.decode(layer, input, options) ?? new TarDecoder(input, options);
}
