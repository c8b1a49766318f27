import type { OciUnpackEvent, VerifiedBy } from "../base/events.ts";
import type { ImageLayer } from "../image/resolve.ts";
import type { VerifiedLayer } from "./options.ts";

/** The layers of an image, or of an artifact. */
interface ReadLayers {
  readonly layers: readonly Pick<ImageLayer, "descriptor">[];
}

/** By what was verified what one call has read of an image's layers. */
export class LayerProofs {
  readonly #proofs = new Map<number, VerifiedBy>();

  /** Takes down that something of these layers was read. */
  note(layers: Iterable<number>, verified: VerifiedBy): void {
    for (const layer of layers) this.#proofs.set(layer, verified);
  }

  /** Takes over what was taken down about the same layers of another image. */
  noteAsIn(other: LayerProofs, layers: readonly { readonly number: number }[]): void {
    for (const { number } of layers) {
      const verified = other.#proofs.get(number);
      if (verified !== undefined) this.#proofs.set(number, verified);
    }
  }

  /** The layers of the image that were read, bottom first. */
  of({ layers }: ReadLayers): readonly VerifiedLayer[] {
    return layers.flatMap(({ descriptor: { digest } }, layer) => {
      const verified = this.#proofs.get(layer);
      return verified === undefined ? [] : [{ layer, digest, verified }];
    });
  }

  /** Tells of each. */
  tell(image: ReadLayers, tell: (event: OciUnpackEvent) => void): void {
    for (const proof of this.of(image)) tell({ type: "layer-verified", ...proof });
  }
}
