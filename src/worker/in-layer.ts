import { OciUnpackError } from "../base/errors.ts";

/** What went wrong with a layer, on a working thread or passed on from one. */
export class LayerError extends OciUnpackError {
  readonly #layer: number;

  constructor(layer: number, { code, message, hint, cause }: OciUnpackError) {
    super(code, message, { ...(hint !== undefined && { hint }), ...(cause !== undefined && { cause }) });
    this.#layer = layer;
  }

  /** The layer's number, from 0 at the bottom of the image. */
  get layer(): number {
    return this.#layer;
  }
}

/** Does something with a layer, and makes an error name it, counted from 1 at the bottom. */
export function inLayer<Result>(layer: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    const { code, message, hint, cause } = error;
    const named = new OciUnpackError(code, `layer ${layer + 1}: ${message}`, {
      ...(hint !== undefined && { hint }),
      ...(cause !== undefined && { cause }),
    });
    throw new LayerError(layer, named);
  }
}
