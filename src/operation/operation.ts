import { unlessAborted } from "../base/abort.ts";
import {
  check,
  checkOptions,
  imageSource,
  invalidOption,
  type Kinds,
  source as sourceKind,
  text,
} from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { ResolvedImage, ResolveOptions } from "../image/options.ts";
import { type Image, type ImageLayer, resolveImage } from "../image/resolve.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import { type OpenedSource, openSource } from "../source/default-source.ts";
import type { StoreUse } from "../store/store-use.ts";
import { storeBehind } from "../store/stored-image.ts";
import type { VerifiedSignature } from "../trust/options.ts";
import type { TrustRequirements } from "../trust/read-trust.ts";
import type { SignatureReview } from "../trust/review.ts";
import type { TrustContext } from "../trust/trust.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Progress } from "../worker/progress.ts";
import { EventLog } from "./event-log.ts";
import { numberedLayers, type ResolvedEvent, resolvedEvent } from "./image-layers.ts";
import { LayerProofs } from "./layer-proofs.ts";
import { type OperationResult, settle, type UnpackOptions, type UnpackSettings } from "./options.ts";

/** An image whose layers can be fetched: everything that has to be decided before that is decided. */
export interface AcceptedImage<From extends ImageSource = ImageSource> {
  readonly image: Image;
  readonly source: From;
  /** Its layers, bottom first, and what comes on top of them. */
  readonly layers: readonly NumberedLayer[];
  /** The blobs of these layers, by their numbers. */
  readonly blobs: readonly Descriptor[];
  readonly progress: Progress;
}

/**
 * One call of a verb, from its name and options to its result, as far as all verbs do the same: options are checked and
 * settled, the source is opened, the image resolved, told and decided about, and the end told. What a verb does before
 * the image is resolved, and with its layers, is its own.
 */
export class Operation implements AsyncDisposable {
  readonly settings: UnpackSettings;
  readonly events: EventLog;
  /** What is to be taken down of layers that are read. */
  readonly proofs = new LayerProofs();
  readonly #name: string;
  readonly #options: ResolveOptions;
  readonly #opened: OpenedSource;
  readonly #startedAt: number;
  #requirements: TrustRequirements | undefined;
  #verified: readonly VerifiedSignature[] | undefined;
  #store: StoreUse | undefined;

  private constructor(name: string, options: ResolveOptions, parts: OperationParts) {
    this.#name = name;
    this.#options = options;
    this.settings = parts.settings;
    this.events = parts.events;
    this.#opened = parts.opened;
    this.#startedAt = parts.startedAt;
  }

  /**
   * Checks and settles the options, and opens the source; nobody is asked for anything yet. Throws `INVALID_OPTION`, or
   * the reason of `options.signal`.
   */
  static begin<Options extends UnpackOptions>(
    name: string,
    given: Options,
    kinds: Kinds<Options>,
    open: (name: string, options: Options) => OpenedSource = openSource,
  ): Operation {
    const startedAt = performance.now();
    check("name", name, text);
    const options = checkOptions(given, kinds);
    const settings = settle(options);
    const events = new EventLog(options);
    events.signal.throwIfAborted();
    return new Operation(name, options, { settings, events, opened: open(name, options), startedAt });
  }

  /** Aborted by the caller, or by a listener that threw. */
  get signal(): AbortSignal {
    return this.events.signal;
  }

  /** The options with which documents are asked for. */
  get resolveOptions(): ResolveOptions {
    return { ...this.#options, signal: this.events.signal, onEvent: this.events.tell };
  }

  /** The name, bound to its source. What is demanded of signatures is read before, so that nobody is asked in vain. */
  async source(): Promise<ImageSource> {
    const { trust } = this.#options;
    // What is about signatures is loaded where one is demanded.
    if (trust !== undefined) this.#requirements = await (await import("../trust/read-trust.ts")).readTrust(trust);
    const source = await unlessAborted(this.#opened.source, this.signal);
    check("source", source, sourceKind);
    const image = source.image(this.#name);
    check("source.image()", image, imageSource);
    this.#store = storeBehind(image);
    return image;
  }

  /** The store that the source keeps images in, if it has one. Known when `source` was called. */
  get store(): StoreUse | undefined {
    return this.#store;
  }

  /**
   * The store that results are kept in, where `keep` asks for that. Throws `INVALID_OPTION` where the source has none.
   */
  storeToKeepIn(keep = false): StoreUse | undefined {
    if (!keep || this.#store !== undefined) return keep ? this.#store : undefined;
    throw invalidOption("keep", "the source keeps nothing in a store", "give a `source` that `storedSource()` made");
  }

  /**
   * Finds out what the image is, tells it, and lets whoever may refuse it decide. `platform` is what is wanted where
   * the caller did not say.
   */
  async resolve<From extends ImageSource>(source: From, platform?: Platform): Promise<AcceptedImage<From>> {
    const options = this.resolveOptions;
    const image = await resolveImage(source, platform === undefined ? options : { platform, ...options });
    return await this.acceptImage(source, image);
  }

  /** As `resolve`, where it is known what the image is. */
  async acceptImage<From extends ImageSource>(source: From, image: Image): Promise<AcceptedImage<From>> {
    const layers = numberedLayers(image);
    await this.accept(source, image, resolvedEvent(image));
    const blobs = image.layers.map(({ descriptor }) => descriptor);
    return { image, source, layers, blobs, progress: Progress.forLayers(layers.length) };
  }

  /**
   * Stands between an image's documents and its layers: tells what the image is, insists on the signatures that are
   * demanded, and asks whether it may be fetched. Of an image that is refused no byte of a layer is asked for.
   */
  async accept(source: ImageSource, image: ResolvedImage, event: ResolvedEvent): Promise<void> {
    this.events.tell(event);
    this.signal.throwIfAborted();
    this.#verified = await this.#verifiedSignatures(source, image);
    await this.#approve(image);
  }

  /**
   * As `accept`, for a verb that lists what is stored as signatures: a demand that is not fulfilled is told with the
   * list, and what is so refused nobody has to approve. A policy decides by the name `asked`, if there is one.
   */
  async review(
    source: ImageSource,
    image: ResolvedImage,
    event: ResolvedEvent,
    asked?: string,
  ): Promise<SignatureReview> {
    this.events.tell(event);
    this.signal.throwIfAborted();
    const { reviewSignatures } = await import("../trust/review.ts");
    const review = await reviewSignatures(image, this.#requirements, {
      ...this.#trustContext(source),
      ...present({ asked }),
    });
    this.#verified = review.verified;
    if (review.refusal === undefined) await this.#approve(image);
    this.signal.throwIfAborted();
    return review;
  }

  /** Whoever decides may wait for somebody else, and know nothing of the signal. */
  async #approve(image: ResolvedImage): Promise<void> {
    await unlessAborted(Promise.resolve(this.#options.approve?.({ ...image, ...this.verified })), this.signal);
    this.signal.throwIfAborted();
  }

  async #verifiedSignatures(source: ImageSource, image: ResolvedImage) {
    if (this.#requirements === undefined) return undefined;
    const { insistOnTrust } = await import("../trust/trust.ts");
    return await insistOnTrust(image, this.#requirements, this.#trustContext(source));
  }

  #trustContext(source: ImageSource): TrustContext {
    return { source, limits: this.settings.apply.limits, signal: this.signal, onEvent: this.events.tell };
  }

  /** Tells that all is done, and what its `output` is where something was made. Gives what the result begins with. */
  finish(image: FinishedImage, output?: string): OperationResult {
    const { reference, digest, platform, layers } = image;
    const verified = this.verifiedIn(image);
    const milliseconds = this.tellFinished(digest, output);
    return { reference, digest, platform, layers: layers.length, ...verified, milliseconds };
  }

  /** What was verified, as results have it: signatures and, where tables may stand for layers, layers. Tells of those. */
  verifiedIn(image: FinishedImage): Pick<OperationResult, "verified" | "verifiedLayers"> {
    if (!this.settings.isPartial) return this.verified;
    this.proofs.tell(image, this.events.tell);
    return { ...this.verified, verifiedLayers: this.proofs.of(image) };
  }

  /** The signatures that were verified, as results have them. */
  get verified(): { readonly verified?: readonly VerifiedSignature[] } {
    return present({ verified: this.#verified });
  }

  /** Tells that all is done. Gives how many milliseconds it took. */
  tellFinished(digest: Digest, output?: string): number {
    const milliseconds = Math.round(performance.now() - this.#startedAt);
    this.events.tell({ type: "finished", digest, ...present({ output }), milliseconds });
    return milliseconds;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#opened[Symbol.asyncDispose]());
  }
}

/** What results tell of an image, or of an artifact. */
export interface FinishedImage extends Pick<Image, "reference" | "digest" | "platform"> {
  readonly layers: readonly Pick<ImageLayer, "descriptor">[];
}

interface OperationParts {
  readonly settings: UnpackSettings;
  readonly events: EventLog;
  readonly opened: OpenedSource;
  readonly startedAt: number;
}
