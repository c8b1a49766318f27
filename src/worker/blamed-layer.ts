import { type ErrorCode, OciUnpackError } from "../base/errors.ts";
import type { NumberedLayer } from "./messages.ts";

/** Layers whose bytes can be proven to have the right digest. */
export interface ProvenLayers {
  readonly layers: readonly NumberedLayer[];
  /**
   * Waits until the bytes of a layer, by its index in `layers`, are known to have the right digest, and throws what is
   * wrong if they have not. Called when a thread failed at a layer, of which no more bytes are read then.
   */
  readonly prove: (index: number) => Promise<void>;
}

/** Errors that blame a layer's bytes. `LIMIT_EXCEEDED` is not among them, because it must not wait for more bytes. */
const blaming: ReadonlySet<string> = new Set<ErrorCode>([
  "UNSUPPORTED_MEDIA_TYPE",
  "DIFF_ID_MISMATCH",
  "CORRUPT_LAYER",
  "INVALID_ARCHIVE",
  "ENTRY_REFUSED",
  "STRICT_VIOLATION",
]);

/**
 * Throws the error that a thread failed with. If that blames a layer's bytes, their digest is verified first: when they
 * were altered in a store or on the way, that is the error, and not what the thread made of them.
 */
export async function throwProven({ layers, prove }: ProvenLayers, error: unknown): Promise<never> {
  const blamed = error instanceof OciUnpackError && blaming.has(error.code) ? error.details.layer : undefined;
  if (blamed !== undefined) await prove(layers.findIndex(({ number }) => number === blamed));
  throw error;
}
