import { together, unlessAborted } from "../base/abort.ts";
import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";
import type { EventListener } from "../base/events.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, hasherFor } from "../oci/digest.ts";
import type { ImageSource } from "./image-source.ts";
import { Spool } from "./spool.ts";
import { SpoolStorage } from "./spool-storage.ts";
import { type BlobHasher, insistOnDigest, ofExpectedSize } from "./verified.ts";

interface FetchLayersOptions {
  /** How many blobs are downloaded at the same time. */
  readonly parallelDownloads: number;
  /**
   * Where blobs wait until it is their turn: a directory in which a temporary file may be made, or storage to use.
   */
  readonly waiting: string | SpoolStorage;
  readonly onEvent?: EventListener;
  /** Whether each layer can be read any number of times. Default: as often as it is among the layers. */
  readonly isKept?: boolean;
  /** The number of each layer in events. Default: its index. */
  readonly numbers?: readonly number[];
  /**
   * Gives what tells the digest of a blob, for whose lowest layer `layer` is then read to the last byte whatever
   * happens. Default, and where it gives `undefined`: each blob is digested while it arrives.
   */
  readonly digestedBehind?: (layer: number, blob: Descriptor) => BlobHasher | undefined;
  /** Called with the number of compressed bytes of a blob so far. `layer` is the lowest layer that uses the blob. */
  readonly onProgress: (layer: number, bytes: number) => void;
}

/** The download of one blob, which several layers may be. */
interface Download {
  readonly descriptor: Descriptor;
  readonly lowestLayer: number;
  readonly spool: Spool;
  /** What tells the digest when the blob has been read. Absent if it is digested while it arrives. */
  readonly behind: BlobHasher | undefined;
  isRead: boolean;
}

/** The most memory for one blob: enough for a few round trips. */
const spoolMemoryBytes = 4 * 1024 * 1024;

/** Memory for all blobs that wait for their turn, together. Bytes that go through the file instead take 1 ms a MiB. */
const waitingMemoryBytes = 8 * 1024 * 1024;

/** Storage for blobs that wait for their turn, with a temporary file in `directory` for what memory does not hold. */
export function spoolStorageIn(directory: string): SpoolStorage {
  return new SpoolStorage({ directory, memoryBytes: waitingMemoryBytes });
}

/** Downloads the blobs of an image's layers in parallel, and yields them in the order of the layers. */
export class LayerFetch implements AsyncDisposable {
  readonly #image: ImageSource;
  readonly #options: FetchLayersOptions;
  readonly #storage: SpoolStorage;
  readonly #downloads = new Map<Digest, Download>();
  readonly #layers: readonly Descriptor[];
  readonly #storedBytes = new Map<string, number>();

  /** The lowest of the `layers` is the first. */
  constructor(image: ImageSource, layers: readonly Descriptor[], options: FetchLayersOptions) {
    this.#image = image;
    this.#layers = layers;
    this.#options = options;
    this.#storage = typeof options.waiting === "string" ? spoolStorageIn(options.waiting) : options.waiting;
    for (const [layer, descriptor] of layers.entries()) this.#expect(layer, descriptor);
  }

  /**
   * Downloads all blobs, the lowest layer first. Resolves when all are complete and verified; throws the first error.
   */
  async run(signal: AbortSignal): Promise<void> {
    const waiting = [...this.#downloads.values()];
    const { parallelBlobs = waiting.length } = this.#image;
    const lanes = Math.max(1, Math.min(this.#options.parallelDownloads, parallelBlobs, waiting.length));
    const lane = async (laneSignal: AbortSignal) => {
      const proofs: Promise<void>[] = [];
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        laneSignal.throwIfAborted();
        await this.#download(next, laneSignal);
        if (next.behind === undefined) continue;
        const proof = this.#provenBehind(next, next.behind, laneSignal);
        proof.catch(() => {}); // it may fail while the next blob is downloaded
        proofs.push(proof);
      }
      await Promise.all(proofs);
    };
    const stopWaiting = () => {
      for (const { spool } of this.#downloads.values()) spool.fail(signal.reason);
    };
    if (signal.aborted) stopWaiting();
    signal.addEventListener("abort", stopWaiting, { once: true });
    try {
      await together(
        signal,
        Array.from({ length: lanes }, () => lane),
      );
    } finally {
      signal.removeEventListener("abort", stopWaiting);
    }
  }

  /**
   * The compressed bytes of a layer. Layers have to be read one after the other, the lowest first. The signal ends the
   * wait for the next bytes.
   */
  layer(index: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const descriptor = this.#layers[index];
    const download = descriptor && this.#downloads.get(descriptor.digest);
    if (download === undefined) throw new RangeError(`there is no layer ${index}`);
    if (download.isRead) return download.spool.rereading();
    download.isRead = true;
    return download.spool.reading(signal);
  }

  /**
   * Waits until the bytes of a layer have been verified, and throws what is wrong with them. They cannot be read any
   * more, unless their digest is told by who reads them: that one has to go on.
   */
  async proven(index: number): Promise<void> {
    const descriptor = this.#layers[index];
    const download = descriptor && this.#downloads.get(descriptor.digest);
    await (download?.behind === undefined ? download?.spool.proven() : download.spool.settled());
  }

  /** How many bytes came from a store and not over the network. */
  get storedBytes(): number {
    return [...this.#storedBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#storage !== this.#options.waiting) await this.#storage[Symbol.asyncDispose]();
  }

  /**
   * Plans the download of a layer. A blob that several layers are is downloaded once and kept until the last of them.
   */
  #expect(layer: number, descriptor: Descriptor): void {
    const { digest, sizeBytes } = descriptor;
    const before = this.#downloads.get(digest);
    if (before === undefined) {
      const isHeld = this.#alternatives(descriptor) > 0;
      const spool = new Spool({ storage: this.#storage, memoryBytes: spoolMemoryBytes, isHeld });
      if (this.#options.isKept) spool.keep();
      const lowestLayer = this.#options.numbers?.[layer] ?? layer;
      const behind = isHeld ? undefined : this.#options.digestedBehind?.(lowestLayer, descriptor);
      this.#downloads.set(digest, { descriptor, lowestLayer, spool, behind, isRead: false });
      return;
    }
    if (before.descriptor.sizeBytes !== sizeBytes) {
      throw new OciUnpackError(
        "INVALID_MANIFEST",
        `cannot unpack: two layers state different sizes for blob ${digest}`,
        { details: { digest } },
      );
    }
    before.spool.keep();
  }

  /**
   * Downloads a blob, and verifies it unless that happens behind. If a mirror had a wrong one, of which nothing has been
   * read yet, it is downloaded again.
   */
  async #download(download: Download, signal: AbortSignal): Promise<void> {
    const { descriptor, behind, spool } = download;
    const alternatives = this.#alternatives(descriptor);
    try {
      const here = hasherFor(descriptor.digest); // throws where nobody could verify it
      const hasher = behind ?? here;
      await this.#receive(download, hasher, signal);
      if (behind === undefined) await this.#accept(download, await hasher.digest());
    } catch (error) {
      if (isOciUnpackError(error, "DIGEST_MISMATCH") && this.#alternatives(descriptor) < alternatives) {
        await spool.forget();
        return this.#download(download, signal);
      }
      spool.fail(error);
      throw error;
    }
  }

  /** Verifies a blob that has come, when its digest is told. Who reads it is given the error, if it is wrong. */
  async #provenBehind(download: Download, hasher: BlobHasher, signal: AbortSignal): Promise<void> {
    try {
      const digest = await unlessAborted(Promise.resolve(hasher.digest()), signal);
      await this.#accept(download, digest);
    } catch (error) {
      download.spool.fail(error);
      throw error;
    }
  }

  async #accept({ descriptor, lowestLayer: layer, spool }: Download, digest: Digest): Promise<void> {
    insistOnDigest(descriptor, digest);
    await spool.end();
    const { sizeBytes } = descriptor;
    this.#onEvent({ type: "downloaded", layer, bytes: sizeBytes, totalBytes: sizeBytes });
  }

  async #receive({ descriptor, lowestLayer, spool }: Download, hasher: BlobHasher, signal: AbortSignal): Promise<void> {
    let bytes = 0;
    const chunks = this.#image.blob(descriptor, { signal, onEvent: this.#onEvent, lends: true });
    for await (const chunk of ofExpectedSize(descriptor, chunks, hasher)) {
      bytes += chunk.length;
      this.#options.onProgress(lowestLayer, bytes);
      await spool.write(chunk);
      signal.throwIfAborted();
    }
  }

  #alternatives(descriptor: Descriptor): number {
    return this.#image.alternatives?.(descriptor) ?? 0;
  }

  readonly #onEvent: EventListener = (event) => {
    if (event.type === "stored") this.#storedBytes.set(event.digest, event.bytes);
    this.#options.onEvent?.(event);
  };
}
