import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { DigestedBody, type DigestibleHoles } from "./digested-body.ts";
import { KnownBody } from "./known-body.ts";
import type { DataFacts } from "./toc-entry.ts";

/** The digests of the data of an entry that has some: `body` yields them, or knows the digests. */
export function dataDigests(
  entry: Entry,
  body: ByteSource,
  holes: DigestibleHoles,
): Pick<DataFacts, "digest" | "dataDigest"> {
  if (body instanceof KnownBody) return body.facts;
  const { segments } = entry;
  if (segments !== undefined) {
    const data = new DigestedBody({ sizeBytes: bytesIn(segments) }, body, holes);
    const whole = new DigestedBody(entry, data, holes);
    while (whole.read() !== undefined);
    return { digest: hex(whole.digest()), dataDigest: hex(data.digest()) };
  }
  const first = body.read();
  // Most files come in one piece, of which a digest is made in a quarter of the time.
  if (first !== undefined && first.length === entry.sizeBytes) return { digest: hash("sha256", first, "hex") };
  const digested = new DigestedBody(entry, startingWith(first, body), holes);
  while (digested.read() !== undefined);
  return { digest: hex(digested.digest()) };
}

function bytesIn(segments: NonNullable<Entry["segments"]>): number {
  return segments.reduce((sum, { length }) => sum + length, 0);
}

function startingWith(first: Uint8Array | undefined, rest: ByteSource): ByteSource {
  let next = first;
  return {
    read() {
      const piece = next ?? rest.read();
      next = undefined;
      return piece;
    },
  };
}

function hex(digest: Uint8Array | undefined): string | undefined {
  return digest && Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString("hex");
}
