import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Failure } from "./failure.ts";
import type { HttpResponse } from "./http.ts";

const inflated = promisify(gunzip);

/** Whether a server says that it compressed what it sends, though it was asked not to. */
export function isGzipped({ headers }: HttpResponse): boolean {
  const encoding = headers["content-encoding"]?.trim().toLowerCase();
  return encoding === "gzip" || encoding === "x-gzip";
}

/** A short body as it was before a server compressed it, `limit` bytes at most both ways; `hint` is for whoever needs more. */
export async function wholeDecoded(response: HttpResponse, limit: number, hint: string): Promise<Buffer> {
  const bytes = await response.body.whole(limit, hint);
  // Some servers say so of what they did not compress themselves, or did not compress at all.
  if (!isGzipped(response) || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await inflated(bytes, { maxOutputLength: limit });
  } catch (cause) {
    const { host } = response.url;
    if (cause instanceof RangeError) {
      const found = `${host} sends more than ${limit} bytes, once decompressed`;
      throw new Failure("LIMIT_EXCEEDED", found, { cause, host, hint });
    }
    throw new Failure("REGISTRY_ERROR", `${host} sends what it says is gzip and is not`, {
      cause,
      host,
      temporary: true,
    });
  }
}
