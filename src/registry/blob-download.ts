import type { CallContext } from "../base/call-context.ts";
import { skippingBytes } from "../blob/image-source.ts";
import { progressBytes } from "../http/body.ts";
import { isGzipped, rangeProblem, strongETagOf } from "../http/content-headers.ts";
import { isTemporary, RequestFailure } from "../http/request-failure.ts";
import type { Retries } from "../http/retry.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { blobBytes } from "./blob-bytes.ts";
import type { BlobLocation } from "./blob-location.ts";
import type { Client, RegistryResponse } from "./client.ts";
import { withMirrors } from "./endpoints.ts";
import { parallelRanges, pieceBytes, RangeViolation, thenIfSlow } from "./parallel-ranges.ts";

/** After that many new bytes, failures are counted from 0 again … */
const workedBytes = 1024 * 1024;
/** … and also after this part of `Deadlines.progressMilliseconds`, if as many bytes came as that deadline asks for. */
const workedPart = 1 / 5;

/** How far a download has come. */
interface Point {
  readonly offset: number;
  readonly time: number;
  readonly keptMilliseconds: number;
}
/** How often a fresh link from the registry may fail before the download is given up. */
const mostBadLinks = 2;

/** For smaller blobs one connection is enough. */
const parallelBytes = 64 * 1024 * 1024;

const identity = { "accept-encoding": "identity" };

/**
 * Downloads one blob, over as many connections as it takes.
 *
 * A download that breaks off is continued where it stopped. It is requested again with the registry's own URL, because
 * links to other hosts and tokens expire. If a location fails, the next one is asked from the same byte on.
 */
export class BlobDownload {
  readonly #client: Client;
  readonly #blob: Descriptor;
  readonly #context: CallContext;
  /** The locations that have not failed yet, the current one first. */
  readonly #locations: BlobLocation[];
  readonly #failures: RequestFailure[] = [];
  #retries: Retries | undefined;
  #offset: number;
  #etag: string | undefined;
  #isEncoded = false;
  #lends = false;
  #badLinks = 0;
  #attempts = 0;
  /** For how long the consumer was busy with the bytes. The rest of the time was spent waiting for them. */
  #keptMilliseconds = 0;

  /** Begins at byte `offset`; the caller has the bytes before it. */
  constructor(client: Client, locations: readonly BlobLocation[], blob: Descriptor, context: CallContext, offset = 0) {
    this.#client = client;
    this.#locations = [...locations];
    this.#blob = blob;
    this.#context = context;
    this.#offset = offset;
  }

  /** With `lends`, a chunk is valid until the next one is requested. */
  async *bytes(lends = false): AsyncGenerator<Uint8Array, void, undefined> {
    this.#lends = lends;
    for (;;) {
      this.#attempts++;
      const before = this.#point();
      try {
        yield* this.#counted(await this.#opened());
        if (this.#isComplete) return;
        throw this.#failure("UNREACHABLE", `ends after ${this.#offset} of ${this.#blob.sizeBytes} bytes`, true);
      } catch (problem) {
        this.#context.signal?.throwIfAborted();
        if (this.#isComplete && isTemporary(problem)) return;
        await this.#recover(problem, before);
      }
    }
  }

  /** How often the blob, or the rest of it, was requested. */
  get attempts(): number {
    return this.#attempts;
  }

  get #isComplete(): boolean {
    return this.#offset === this.#blob.sizeBytes;
  }

  /** The location that is asked at the moment. */
  get location(): BlobLocation {
    const [location] = this.#locations;
    if (location !== undefined) return location;
    throw new RequestFailure("NOT_FOUND", "no endpoint is configured that may be asked for it");
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue;
      if (this.#offset + chunk.length > this.#blob.sizeBytes) {
        throw this.#failure("SIZE_MISMATCH", `sends more than ${this.#blob.sizeBytes} bytes`);
      }
      this.#offset += chunk.length;
      const givenAt = performance.now();
      yield chunk;
      this.#keptMilliseconds += performance.now() - givenAt;
    }
  }

  /** Requests the bytes from the current offset on. */
  async #opened(): Promise<AsyncIterable<Uint8Array>> {
    const held = this.#locations.length > 1 ? this.#client.heldBack(this.location.url) : undefined;
    if (held !== undefined) throw held;
    const mayResume = this.#offset > 0 && !this.#isEncoded && this.#client.servesRanges(this.location.url);
    const resumed = mayResume ? await this.#resumed() : undefined;
    return resumed ?? this.#whole(await this.location.open(identity, this.#context));
  }

  /** The bytes over one connection, and over several if that one turns out to be slow. */
  #single(answer: RegistryResponse, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const { url } = this.location;
    const isLarge = this.#blob.sizeBytes - this.#offset >= parallelBytes;
    const hasRanges = answer.headers["accept-ranges"] === "bytes" && strongETagOf(answer) !== undefined;
    const isAllowed = this.#client.connectionsPerBlob > 1 && this.#client.servesParallel(url);
    if (!isLarge || !hasRanges || !isAllowed || this.#isEncoded) return bytes;
    return thenIfSlow(bytes, () => this.#inParallel());
  }

  /** The bytes over several connections, as long as every part is what it should be; otherwise over one. */
  async *#inParallel(): AsyncGenerator<Uint8Array, void, undefined> {
    const { url } = this.location;
    const open = (first: number, last: number, context: CallContext) =>
      this.location.open({ ...identity, range: `bytes=${first}-${last}` }, context);
    const { sizeBytes } = this.#blob;
    const mostConnections = this.#client.connectionsPerBlob;
    const offset = this.#offset;
    const beginning = await open(offset, offset + pieceBytes - 1, this.#context);
    try {
      if (beginning.status !== 206)
        throw new RangeViolation(`it answers ${beginning.status} where a part was asked for`);
      yield* parallelRanges({ beginning, offset, sizeBytes, mostConnections, open }, this.#context);
      return;
    } catch (problem) {
      if (!(problem instanceof RangeViolation)) throw problem;
      this.#client.distrustParallel(url);
      this.#context.decided("range", `${url.host} is read over one connection: ${problem.message}`);
    }
    beginning.body.dismiss();
    yield* await this.#opened();
  }

  /**
   * Requests only the rest. `undefined` if the response cannot be joined to what there is; then all has to be
   * requested.
   */
  async #resumed(): Promise<AsyncIterable<Uint8Array> | undefined> {
    const size = this.#blob.sizeBytes;
    const wanted = { first: this.#offset, last: size - 1, size, etag: this.#etag };
    const headers = { ...identity, range: `bytes=${wanted.first}-`, ...(this.#etag && { "if-range": this.#etag }) };
    const answer = await this.location.open(headers, this.#context);
    if (answer.status === 200) return this.#whole(answer);
    const problem = answer.status === 416 ? "it has no such part" : rangeProblem(answer, wanted);
    const { host } = this.location.url;
    if (problem === undefined) {
      this.#context.decided("range", `${host} goes on at byte ${wanted.first}`);
      return this.#single(answer, this.#bodyOf(answer));
    }
    answer.body.dismiss();
    this.#client.distrustRanges(this.location.url);
    this.#context.decided("range", `${host} cannot go on at byte ${wanted.first}: ${problem}; asking for everything`);
    return undefined;
  }

  /** The rest of a blob that is sent as a whole: the bytes that have come before are skipped. */
  #whole(answer: RegistryResponse): AsyncIterable<Uint8Array> {
    const { sizeBytes } = this.#blob;
    const length = answer.headers["content-length"];
    const hasOtherLength = length !== undefined && Number(length) !== sizeBytes;
    if (answer.status !== 200 || (hasOtherLength && !isGzipped(answer))) {
      answer.body.dismiss();
      if (answer.status !== 200) throw this.#failure("REGISTRY_ERROR", `answers ${answer.status} to a plain request`);
      throw this.#failure("SIZE_MISMATCH", `has ${length} bytes instead of ${sizeBytes}`);
    }
    this.#etag = strongETagOf(answer);
    this.#isEncoded = isGzipped(answer) && length !== String(sizeBytes);
    const bytes = blobBytes(answer, this.#blob, this.#bodyOf(answer));
    if (this.#offset === 0) return this.#single(answer, bytes);
    this.#context.decided("range", `${answer.url.host} begins again; ${this.#offset} bytes are skipped`);
    return skippingBytes(this.#offset, bytes);
  }

  #bodyOf({ body }: RegistryResponse): AsyncIterable<Uint8Array> {
    return this.#lends ? body.lent() : body;
  }

  /** Waits for the next attempt, at this location or at the next one. Throws if there is none. */
  async #recover(problem: unknown, before: Point): Promise<void> {
    if (!(problem instanceof RequestFailure)) throw problem;
    const gained = this.#offset - before.offset;
    this.#retries ??= this.#client.retriesOf(this.location.url, this.#context);
    if (this.#hasWorked(before)) this.#retries.progressed();
    this.#badLinks = gained > 0 ? 0 : this.#badLinks + Number(problem.details.isBadLink === true);

    const isLast = this.#locations.length === 1;
    try {
      if (this.#badLinks > mostBadLinks || (!isLast && gained === 0)) throw problem;
      await this.#retries.next(problem);
    } catch (final) {
      if (!(final instanceof RequestFailure)) throw final;
      if (isLast) throw withMirrors(final, this.#failures);
      this.#pass(final);
    }
  }

  #point(): Point {
    return { offset: this.#offset, time: performance.now(), keptMilliseconds: this.#keptMilliseconds };
  }

  /** Whether enough has come since then to count failures from 0 again. */
  #hasWorked(before: Point): boolean {
    const now = this.#point();
    const gained = now.offset - before.offset;
    if (gained >= workedBytes) return true;
    const { progressMilliseconds } = this.#client.deadlines;
    const lasted = now.time - before.time;
    if (gained === 0 || lasted < workedPart * progressMilliseconds) return false;
    const waited = lasted - (now.keptMilliseconds - before.keptMilliseconds);
    return gained >= (progressBytes * waited) / progressMilliseconds;
  }

  #pass(failure: RequestFailure): void {
    this.#context.decided("endpoint", `${this.location.url.host} is skipped: ${failure.message}`);
    this.#failures.push(failure);
    this.#locations.shift();
    this.#retries = undefined;
    this.#etag = undefined;
    this.#isEncoded = false;
    this.#badLinks = 0;
  }

  #failure(code: "UNREACHABLE" | "SIZE_MISMATCH" | "REGISTRY_ERROR", found: string, temporary = false): RequestFailure {
    const { host } = this.location.url;
    return new RequestFailure(code, `${host} ${found}`, { host, temporary });
  }
}
