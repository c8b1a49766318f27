import type { CallContext } from "../base/call-context.ts";
import { ByteCollector } from "../http/body.ts";
import { RequestFailure } from "../http/request-failure.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { hasherFor } from "../oci/digest.ts";
import { BlobDownload } from "./blob-download.ts";
import type { BlobLocation } from "./blob-location.ts";
import type { Client } from "./client.ts";

/** Held until its digest is known, so that nobody sees a mirror's mistake. */
const heldBytes = 4 * 1024 * 1024;

/** Those that are not known to have a wrong blob; the last one in any case. */
export function locationsInUse(locations: readonly BlobLocation[], client: Client): readonly BlobLocation[] {
  return locations.filter(({ url }, index) => index === locations.length - 1 || !client.isCorruptAt(url));
}

/**
 * The bytes of a blob that mirrors may have, whose digest is checked here as well, because a mirror may have another
 * one.
 *
 * A short blob that is wrong is fetched again from the next location before anyone sees it. A long one has been given
 * out by then: it ends with `DIGEST_MISMATCH`, and whoever asks for it again gets it from the next location.
 */
export async function* mirroredBlob(
  client: Client,
  locations: readonly BlobLocation[],
  blob: Descriptor,
  context: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const isShort = blob.sizeBytes <= heldBytes;
  let remaining = locationsInUse(locations, client);
  for (;;) {
    const download = new BlobDownload(client, remaining, blob, context);
    const hasher = hasherFor(blob.digest);
    const held = new ByteCollector();
    for await (const chunk of download.bytes()) {
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
    context.decided("endpoint", `${url.host} is passed over: ${found}`);
    remaining = remaining.slice(remaining.indexOf(download.location) + 1);
    if (!isShort || remaining.length === 0) throw new RequestFailure("DIGEST_MISMATCH", found, { host: url.host });
  }
}
