import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Limits } from "../base/limits.ts";
import type { HttpResponse } from "./http.ts";
import { RequestFailure, tooLarge } from "./request-failure.ts";

const inflated = promisify(gunzip);

/** Whether a server says that it compressed the body, although it was asked not to. */
export function isGzipped({ headers }: HttpResponse): boolean {
  const encoding = headers["content-encoding"]?.trim().toLowerCase();
  return encoding === "gzip" || encoding === "x-gzip";
}

/**
 * The whole of a short body, decompressed if the server compressed it.
 *
 * Throws `LIMIT_EXCEEDED`, of the limit named, if there are more than `allowed` bytes before or after decompression.
 */
export async function wholeDecoded(response: HttpResponse, allowed: number, limit: keyof Limits): Promise<Buffer> {
  const bytes = await response.body.whole(allowed, limit);
  // Some servers say so of bytes that they did not compress themselves, or that are not compressed at all.
  if (!isGzipped(response) || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await inflated(bytes, { maxOutputLength: allowed });
  } catch (cause) {
    const { host } = response.url;
    if (cause instanceof RangeError) {
      throw tooLarge(`${host} sends more than ${allowed} bytes, once decompressed`, host, allowed, limit);
    }
    throw new RequestFailure("REGISTRY_ERROR", `${host} sends what it says is gzip and is not`, {
      cause,
      host,
      temporary: true,
    });
  }
}

/** Which bytes a 206 response says that it has; `last` is one of them. */
interface ContentRange {
  readonly first: number;
  readonly last: number;
  /** `undefined` where the server does not say. */
  readonly total: number | undefined;
}

/** Reads `Content-Range: bytes 0-99/1000` (RFC 9110, section 14.4); `undefined` for anything else. */
function contentRangeOf({ headers }: HttpResponse): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(headers["content-range"]?.trim() ?? "");
  if (match === null) return undefined;
  const total = match[3] === undefined ? undefined : Number(match[3]);
  return { first: Number(match[1]), last: Number(match[2]), total };
}

/** The `ETag`, if bytes from two responses that have the same one may be joined (RFC 9110, section 8.8.1). */
export function strongETagOf({ headers }: HttpResponse): string | undefined {
  const { etag } = headers;
  return etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
}

/** What is wrong with a 206 response to a request for bytes `first` to `last` of `size`; `undefined` if nothing is. */
export function rangeProblem(
  response: HttpResponse,
  wanted: { readonly first: number; readonly last: number; readonly size: number; readonly etag: string | undefined },
): string | undefined {
  const range = contentRangeOf(response);
  if (range === undefined) return "it does not say which part it sends";
  if (range.first !== wanted.first || range.last !== wanted.last)
    return `it sends bytes ${range.first} to ${range.last}`;
  if (range.total !== undefined && range.total !== wanted.size) return `it has ${range.total} bytes in all`;
  const length = response.headers["content-length"];
  if (length !== undefined && Number(length) !== wanted.last - wanted.first + 1) return `it sends ${length} bytes`;
  const etag = strongETagOf(response);
  if (wanted.etag !== undefined && etag !== undefined && etag !== wanted.etag)
    return "it sends a part of something else";
  return undefined;
}
