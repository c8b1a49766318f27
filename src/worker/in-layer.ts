import { OciUnpackError } from "../errors.ts";

/** Does something with a layer, and makes an error name it, counted from 1 at the bottom. */
export function inLayer<Result>(layer: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    const { code, message, hint, cause } = error;
    throw new OciUnpackError(code, `layer ${layer + 1}: ${message}`, {
      ...(hint !== undefined && { hint }),
      ...(cause !== undefined && { cause }),
    });
  }
}
