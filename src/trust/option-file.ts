import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import { readSmallFile } from "../base/small-file.ts";
import { fileSystemError } from "../base/system-error.ts";

/** What a file is that an option names. */
export interface OptionFile {
  /** As in `trust.keys`. */
  readonly option: string;
  /** In words: "key". */
  readonly what: string;
  /** What to name instead of a file that cannot be read. */
  readonly hint: string;
}

/** The bytes of a file that an option names. Throws `INVALID_OPTION`. */
export async function readOptionFile(path: string, { option, what, hint }: OptionFile): Promise<Uint8Array> {
  try {
    return await readSmallFile(path, "INVALID_OPTION");
  } catch (error) {
    const told = fileSystemError(error, `read the ${what} "${path}"`);
    if (!isOciUnpackError(told)) throw told;
    throw new OciUnpackError("INVALID_OPTION", told.message, { hint, details: { option }, cause: error });
  }
}
