import { OciUnpackError, retold } from "../base/errors.ts";

/**
 * Does something with a layer, and makes an error name it: in words counted from 1 at the bottom, in `details` from 0.
 */
export function inLayer<Result>(layer: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    throw retold(error, `layer ${layer + 1}: ${error.message}`, { details: { layer } });
  }
}
