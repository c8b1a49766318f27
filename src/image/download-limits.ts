import { limitExceeded, type OciUnpackError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Descriptor } from "../oci/descriptor.ts";

/** Refuses what has more layers, or larger ones, than the caller allows. */
export function checkDownload(layers: readonly { readonly descriptor: Descriptor }[], limits: Limits): void {
  if (layers.length > limits.layers) throw tooMuch("layers", `it has ${layers.length} layers`, limits);
  const sizes = new Map(layers.map(({ descriptor }) => [descriptor.digest, descriptor.sizeBytes]));
  const downloadBytes = [...sizes.values()].reduce((total, sizeBytes) => total + sizeBytes, 0);
  if (downloadBytes > limits.downloadBytes)
    throw tooMuch("downloadBytes", `its layers have ${downloadBytes} bytes`, limits);
}

function tooMuch(limit: keyof Limits, found: string, limits: Limits): OciUnpackError {
  const allowed = limits[limit];
  return limitExceeded(`cannot accept the image: ${found}, ${allowed} are allowed (${limit})`, limit, { allowed });
}
