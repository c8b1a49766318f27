import { isOciUnpackError } from "../base/errors.ts";
import type { BlobOptions } from "../blob/image-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { CountedImage } from "../operation/counted-image.ts";
import type { AcceptedImage, FinishedImage } from "../operation/operation.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import type { FileData } from "./file-data.ts";
import type { LookJob } from "./look-job.ts";
import type { Take } from "./proven-data.ts";
import type { Question } from "./question.ts";

/** What is looked into: an image, or an artifact, whose layers need not have diffIDs. */
export interface LookedInto extends Omit<AcceptedImage<CountedImage>, "image"> {
  readonly image: FinishedImage & {
    readonly layers: readonly { readonly descriptor: Descriptor; readonly diffID: Digest | undefined }[];
  };
}

/** A list of everything needs all layers, which cost nothing where there are indexes of all of them. */
export function orderFor(question: Question, layers: readonly NumberedLayer[]): LookJob["order"] {
  const isOfAll = question.about === "entries" && question.isRecursive;
  return isOfAll && layers.every(({ form }) => form === "index") ? "bottom-first" : "newest-first";
}

/** A part of a blob or, where its source sends no parts, all that follows. */
export async function* partOr(
  open: (range: BlobOptions) => AsyncIterable<Uint8Array>,
  { offset, length }: Pick<FileData, "offset" | "length">,
): AsyncGenerator<Uint8Array> {
  let hasBegun = false;
  try {
    for await (const chunk of open({ offset, length })) {
      hasBegun = true;
      yield chunk;
    }
  } catch (error) {
    if (hasBegun || !isOciUnpackError(error, "REGISTRY_ERROR")) throw error;
    yield* open({ offset });
  }
}

/** Takes so many bytes, and no more of the chunks than that. */
export async function takeBytes(chunks: AsyncIterable<Uint8Array>, count: number, take: Take): Promise<void> {
  let rest = count;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, rest);
    await take(part);
    rest -= part.length;
    if (rest === 0) return;
  }
}

export function noLayer(layer: number): never {
  throw new TypeError(`there is no layer ${layer}`);
}
