import { pipeline, Readable } from "node:stream";
import { constants, createGunzip, gunzipSync } from "node:zlib";
import { errorCode } from "../base/system-error.ts";
import { isGzipped } from "../http/content-headers.ts";
import type { HttpResponse } from "../http/http.ts";
import { RequestFailure } from "../http/request-failure.ts";
import type { Descriptor } from "../oci/descriptor.ts";

/** How many bytes are decompressed to see how they begin: too few to be a bomb. */
const peekBytes = 1024;

/** More than gzip adds to data that it cannot compress. */
const encodingBytes = 64 * 1024;

/**
 * The bytes of the blob in a 200 response, whatever its `Content-Encoding` is.
 *
 * Blobs are requested without an encoding. Nevertheless Apache says `x-gzip` for every `.tar.gz`, although it sends the
 * blob as it is (moby #17595), and a few servers and caches really compress it. The length tells which; without a
 * length, the bytes do: a blob that is gzip already and was compressed again is gzip in gzip.
 */
export function blobBytes(
  response: HttpResponse,
  blob: Descriptor,
  body: AsyncIterable<Uint8Array> = response.body,
): AsyncIterable<Uint8Array> {
  if (!isGzipped(response)) return body;
  const length = response.headers["content-length"];
  if (length === undefined) return decodedIfWrapped(response, blob);
  return Number(length) === blob.sizeBytes ? body : gunzipped(response.body, response, blob);
}

async function* decodedIfWrapped(
  response: HttpResponse,
  blob: Descriptor,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = response.body[Symbol.asyncIterator]();
  try {
    const { value: first, done } = await bytes.next();
    if (done === true || first === undefined) return;
    const all = startingWith(first, bytes);
    yield* isWrapped(first, blob.mediaType) ? gunzipped(all, response, blob) : all;
  } finally {
    await bytes.return();
  }
}

function isWrapped(first: Uint8Array, mediaType: string): boolean {
  if (!isGzip(first)) return false;
  if (!/gzip$/.test(mediaType)) return true;
  try {
    const inner = gunzipSync(first.subarray(0, peekBytes), { finishFlush: constants.Z_SYNC_FLUSH });
    return isGzip(inner);
  } catch {
    return false;
  }
}

async function* startingWith(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* gunzipped(
  compressed: AsyncIterable<Uint8Array>,
  { url }: HttpResponse,
  { sizeBytes }: Descriptor,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip();
  const bounded = upTo(2 * sizeBytes + encodingBytes, compressed, url.host);
  pipeline(Readable.from(bounded, { objectMode: false }), gunzip, () => {}); // errors are thrown by the loop over `gunzip`
  try {
    for await (const chunk of gunzip) yield chunk;
  } catch (cause) {
    if (cause instanceof RequestFailure || !isZlibError(cause)) throw cause;
    throw new RequestFailure("REGISTRY_ERROR", `${url.host} sends what it says is gzip and is not`, {
      cause,
      temporary: true,
    });
  } finally {
    gunzip.destroy();
  }
}

/**
 * Limits the compressed bytes: gzip data may be endless and decompress to nothing, so a limit of the output is not
 * enough.
 */
async function* upTo(
  limit: number,
  chunks: AsyncIterable<Uint8Array>,
  host: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limit)
      throw new RequestFailure("SIZE_MISMATCH", `${host} sends more than ${limit} bytes of a blob`, { host });
    yield chunk;
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function isZlibError(error: unknown): boolean {
  return errorCode(error)?.startsWith("Z_") === true;
}
