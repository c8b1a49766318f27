import type { CallContext } from "../base/call-context.ts";
import { isGzipped, rangeProblem, strongETagOf } from "../http/content-headers.ts";
import { RequestFailure } from "../http/request-failure.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { BlobLocation } from "./blob-location.ts";
import type { Client } from "./client.ts";
import { withMirrors } from "./endpoints.ts";
import { locationsInUse } from "./mirrored-blob.ts";

/** After that many new bytes, failures are counted from 0 again. */
const workedBytes = 1024 * 1024;

/** A part of a blob. */
export interface BlobPart {
  readonly blob: Descriptor;
  readonly offset: number;
  readonly length: number;
}

/**
 * The bytes of a part of a blob, as one location sends them in a 206 that is what was asked for. They are
 * not verified: whoever asks for a part knows what it has to be.
 *
 * Where no location sends that part, this throws, and the blob can still be asked for as a whole. A host that answers
 * otherwise is not asked for parts again.
 */
export async function* blobRange(
  client: Client,
  locations: readonly BlobLocation[],
  part: BlobPart,
  context: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (part.length === 0) return;
  const failures: RequestFailure[] = [];
  const inUse = locationsInUse(locations, client);
  for (const [index, location] of inUse.entries()) {
    const range = new RangeAt(client, location, part, context);
    const isLast = index === inUse.length - 1;
    try {
      return yield* range.bytes(isLast ? undefined : 0);
    } catch (problem) {
      context.signal?.throwIfAborted();
      // What has been passed on cannot be taken back.
      if (!(problem instanceof RequestFailure) || range.hasBegun) throw problem;
      context.decided("range", `${location.url.host} is not asked for a part: ${problem.message}`);
      failures.push(problem);
    }
  }
  const last = failures.at(-1) ?? new RequestFailure("NOT_FOUND", "no endpoint is configured that may be asked for it");
  throw withMirrors(last, failures.slice(0, -1));
}

/** A part of a blob at one location. It is asked for again from where it broke off. */
class RangeAt {
  readonly #client: Client;
  readonly #location: BlobLocation;
  readonly #part: BlobPart;
  readonly #context: CallContext;
  #receivedBytes = 0;
  #etag: string | undefined;

  constructor(client: Client, location: BlobLocation, part: BlobPart, context: CallContext) {
    this.#client = client;
    this.#location = location;
    this.#part = part;
    this.#context = context;
  }

  /** Whether any byte has come. */
  get hasBegun(): boolean {
    return this.#receivedBytes > 0;
  }

  /** Tries again at most so many times in a row, by default as often as the client does. */
  async *bytes(most?: number): AsyncGenerator<Uint8Array, void, undefined> {
    const retries = this.#client.retriesOf(this.#location.url, this.#context, most);
    for (;;) {
      const before = this.#receivedBytes;
      try {
        yield* this.#counted(await this.#opened());
        if (this.#receivedBytes === this.#part.length) return;
        throw this.#failure("UNREACHABLE", `ends after ${this.#receivedBytes} of ${this.#part.length} bytes`, true);
      } catch (problem) {
        this.#context.signal?.throwIfAborted();
        if (!(problem instanceof RequestFailure)) throw problem;
        if (this.#receivedBytes - before >= workedBytes) retries.progressed();
        await retries.next(problem);
      }
    }
  }

  async #opened(): Promise<AsyncIterable<Uint8Array>> {
    const { url } = this.#location;
    if (!this.#client.servesRanges(url)) throw this.#failure("REGISTRY_ERROR", "sends no parts of blobs");
    const { blob, offset, length } = this.#part;
    const first = offset + this.#receivedBytes;
    const wanted = { first, last: offset + length - 1, size: blob.sizeBytes, etag: this.#etag };
    const headers = { "accept-encoding": "identity", range: `bytes=${wanted.first}-${wanted.last}` };
    const answer = await this.#location.open(headers, this.#context);
    const problem = answer.status === 206 ? rangeProblem(answer, wanted) : `it answers ${answer.status}`;
    const found = problem ?? (isGzipped(answer) ? "it compresses the part" : undefined);
    if (found === undefined) {
      this.#etag ??= strongETagOf(answer);
      return answer.body;
    }
    answer.body.dismiss();
    this.#client.distrustRanges(url);
    throw this.#failure("REGISTRY_ERROR", `does not send bytes ${wanted.first} to ${wanted.last}: ${found}`);
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      if (this.#receivedBytes + chunk.length > this.#part.length)
        throw this.#failure("SIZE_MISMATCH", `sends more than the ${this.#part.length} bytes that were asked for`);
      this.#receivedBytes += chunk.length;
      yield chunk;
    }
  }

  #failure(code: "UNREACHABLE" | "SIZE_MISMATCH" | "REGISTRY_ERROR", found: string, temporary = false): RequestFailure {
    const { host } = this.#location.url;
    return new RequestFailure(code, `${host} ${found}`, { host, temporary });
  }
}
