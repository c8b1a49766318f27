import type { CallContext } from "../base/call-context.ts";
import { ByteCollector } from "../http/body.ts";
import { RequestFailure } from "../http/request-failure.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { hasherFor } from "../oci/digest.ts";
import { BlobDownload } from "./blob-download.ts";
import type { BlobLocation } from "./blob-location.ts";
import type { Client } from "./client.ts";

/** Blobs up to this size are held until they are verified, so that wrong bytes from a mirror are never passed on. */
const heldBytes = 4 * 1024 * 1024;

/**
 * The locations that are not known to have a wrong blob, or to be on a server without TLS. The last one is always among
 * them.
 */
export function locationsInUse(locations: readonly BlobLocation[], client: Client): readonly BlobLocation[] {
  const isUseless = ({ url }: BlobLocation) => client.isCorruptAt(url) || client.withoutTls(url) !== undefined;
  return locations.filter((location, index) => index === locations.length - 1 || !isUseless(location));
}

/**
 * At how many places these are: one host may have several, such as a server of artifacts. An insecure registry has two
 * locations, with TLS and without, and is one place.
 */
export function placeCount(locations: readonly BlobLocation[]): number {
  return new Set(locations.map(({ url }) => url.host + url.pathname)).size;
}

/**
 * The bytes of a blob for which there are several locations. Its digest is checked here, because a mirror may have
 * another blob.
 *
 * A short blob that is wrong is fetched again from the next location before any of it is passed on. Of a long one,
 * bytes have been passed on by then: it ends with `DIGEST_MISMATCH`, and a new request gets it from the next location.
 */
export async function* mirroredBlob(
  client: Client,
  locations: readonly BlobLocation[],
  blob: Descriptor,
  context: CallContext,
  lends: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const isShort = blob.sizeBytes <= heldBytes;
  let remaining = locationsInUse(locations, client);
  for (;;) {
    const download = new BlobDownload(client, remaining, blob, context);
    const hasher = hasherFor(blob.digest);
    const held = new ByteCollector();
    for await (const chunk of download.bytes(lends && !isShort)) {
      hasher.update(chunk);
      if (isShort) held.add(chunk);
      else yield chunk;
    }
    const actual = hasher.digest();
    if (actual === blob.digest) {
      yield* held.pieces();
      return;
    }
    const { url } = download.location;
    client.foundCorruptAt(url);
    const resumed = download.attempts === 1 ? "" : `, in ${download.attempts} attempts`;
    const found = `${url.host} sends ${blob.sizeBytes} bytes whose digest is ${actual}${resumed}`;
    context.decided("endpoint", `${url.host} is skipped: ${found}`);
    remaining = remaining.slice(remaining.indexOf(download.location) + 1);
    if (!isShort || remaining.length === 0) throw new RequestFailure("DIGEST_MISMATCH", found, { host: url.host });
  }
}
