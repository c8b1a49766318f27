import { CountedImage } from "../operation/counted-image.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import type { ComparedImages } from "./options.ts";

/** One of two images, accepted. */
export interface ComparedImage {
  readonly operation: Operation;
  readonly accepted: AcceptedImage;
  /** How many bytes its documents have. */
  readonly documentBytes: number;
}

/** Finds out what an image is, and lets whoever may refuse it decide. */
export async function compared(operation: Operation): Promise<ComparedImage> {
  const source = new CountedImage(await operation.source());
  const accepted = await operation.resolve(source);
  return { operation, accepted, documentBytes: source.bytes };
}

/** What the result tells of an image. */
export function summary({ operation, accepted }: ComparedImage): ComparedImages["from"] {
  const { reference, digest, platform, layers } = accepted.image;
  return { reference, digest, platform, layers: layers.length, ...operation.verified };
}

/** The layers that both images have at the bottom, as the first has them. */
export function sharedLayers(first: ComparedImage, second: ComparedImage): readonly NumberedLayer[] {
  const [layers, others] = [first.accepted.layers, second.accepted.layers];
  const differs = layers.findIndex(({ diffID }, index) => diffID !== others[index]?.diffID);
  return differs < 0 ? layers : layers.slice(0, differs);
}
