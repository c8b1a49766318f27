import { Buffer } from "node:buffer";
import { open } from "node:fs/promises";
import { type ErrorCode, OciUnpackError } from "./errors.ts";

/** The most bytes of a file: four times as many as the largest real ones have, bundles of certificates. */
const largestBytes = 1024 * 1024;

/**
 * The bytes of a file of configuration. Throws an error with that code if it is larger than any.
 *
 * It is read to its end, and its size is not used, because it may be a pipe: `<(command)`.
 */
export async function readSmallFile(path: string, code: ErrorCode): Promise<Uint8Array> {
  await using file = await open(path);
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024));
    if (bytesRead === 0) return Buffer.concat(chunks);
    size += bytesRead;
    if (size > largestBytes) {
      throw new OciUnpackError(code, `cannot read "${path}": it has more than ${largestBytes} bytes`);
    }
    chunks.push(buffer.subarray(0, bytesRead));
  }
}
