import { SingleFlight } from "../base/abort.ts";
import { CallContext } from "../base/call-context.ts";
import type { FetchOptions } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import { check, checkOptions, settleLimits, text } from "../base/option-checks.ts";
import type { BlobOptions, Document, ImageAttachments, ImagePlace, ImageSource, Source } from "../blob/image-source.ts";
import { cannot, RequestFailure } from "../http/request-failure.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, referrersTag } from "../oci/digest.ts";
import { parseDocument } from "../oci/document.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";
import { BlobDownload } from "./blob-download.ts";
import { type BlobLocation, foreignLocations, locationAt } from "./blob-location.ts";
import { blobRange } from "./blob-range.ts";
import { Client } from "./client.ts";
import { firstAnswerOf, repositoriesOf } from "./endpoints.ts";
import { fetchManifest } from "./manifest-request.ts";
import { locationsInUse, mirroredBlob, placeCount } from "./mirrored-blob.ts";
import { type RegistryOptions, registryKinds } from "./options.ts";
import { fetchReferrers } from "./referrers.ts";
import type { Repository } from "./repository.ts";

/**
 * Images from registries, by the distribution specification's pull half.
 *
 * Its images share connections, tokens and what is known about each host. Dispose of it to close the connections.
 */
export function registrySource(options: RegistryOptions = {}): Source {
  const checked = checkOptions(options, registryKinds);
  const limits = settleLimits(checked.limits);
  const client = new Client(checked);
  return {
    image(name) {
      check("name", name, text);
      return new RegistryImage(name, client, { ...checked, limits });
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
    },
  };
}

/** The options with all limits. */
type SettledOptions = RegistryOptions & { readonly limits: Limits };

class RegistryImage implements ImageSource {
  readonly name: string;
  readonly digest?: Digest;
  readonly location: ImagePlace;
  readonly attachments: ImageAttachments = {
    tagged: (tag, options = {}) => this.#tagged(tag, options),
    referrers: (digest, options = {}) => this.#referrers(digest, options),
  };
  readonly #written: string;
  readonly #reference: Reference;
  readonly #client: Client;
  readonly #options: SettledOptions;
  readonly #finding = new SingleFlight<readonly Repository[]>();
  #repositories: readonly Repository[] | undefined;

  constructor(written: string, client: Client, options: SettledOptions) {
    const reference = parseReference(options.expandName?.(written) ?? written);
    this.#written = written;
    this.name = formatReference(reference);
    if (reference.digest !== undefined) this.digest = reference.digest;
    this.location = { transport: "docker", reference };
    this.#reference = reference;
    this.#client = client;
    this.#options = options;
  }

  async manifest(descriptor?: Descriptor, options: FetchOptions = {}): Promise<Document> {
    const digest = descriptor?.digest ?? this.#reference.digest;
    const reference = digest ?? this.#reference.tag ?? "latest";
    try {
      return await this.#manifestOf(reference, digest, descriptor?.sizeBytes, this.#context(options));
    } catch (problem) {
      throw this.#cannotFetch(reference, digest, problem);
    }
  }

  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const context = this.#context(options);
    context.signal?.throwIfAborted();
    const { offset = 0, length = descriptor.sizeBytes, lends = false } = options;
    const known = knownContent(descriptor);
    if (known !== undefined) {
      if (known.length > offset) yield known.subarray(offset, offset + length);
      return;
    }
    try {
      const repositories = await this.#repositoriesFor("servesDigests", context);
      const locations = this.#locationsOf(descriptor, repositories);
      if (offset + length < descriptor.sizeBytes)
        yield* blobRange(this.#client, locations, { blob: descriptor, offset, length }, context);
      else if (placeCount(locations) > 1 && offset === 0)
        yield* mirroredBlob(this.#client, locations, descriptor, context, lends);
      else {
        const inUse = locationsInUse(locations, this.#client);
        yield* new BlobDownload(this.#client, inUse, descriptor, context, offset).bytes(lends);
      }
    } catch (problem) {
      throw this.#cannotFetch(descriptor.digest, descriptor.digest, problem);
    }
  }

  alternatives(descriptor: Descriptor): number {
    const repositories = (this.#repositories ?? []).filter(({ endpoint }) => endpoint.servesDigests);
    return Math.max(0, placeCount(locationsInUse(this.#locationsOf(descriptor, repositories), this.#client)) - 1);
  }

  async #manifestOf(
    reference: string,
    digest: Digest | undefined,
    sizeBytes: number | undefined,
    context: CallContext,
  ): Promise<Document> {
    const { limits, strict = false } = this.#options;
    const request = { reference, digest, sizeBytes, limitBytes: limits.manifestBytes, strict };
    const repeatAccept = (host: string) => this.#options.repeatAccept?.includes(host) ?? false;
    const repositories = await this.#repositoriesFor(digest === undefined ? "resolvesTags" : "servesDigests", context);
    return await firstAnswerOf(repositories, this.#client, context, (repository, isLast) =>
      fetchManifest(
        this.#client,
        repository,
        { ...request, repeatAccept: repeatAccept(repository.base.host) },
        context,
        isLast ? undefined : 0,
      ),
    );
  }

  async #tagged(tag: string, options: FetchOptions): Promise<Document | undefined> {
    try {
      return await this.#manifestOf(tag, undefined, undefined, this.#context(options));
    } catch (problem) {
      if (isNotThere(problem)) return undefined;
      throw this.#cannotFetch(tag, undefined, problem);
    }
  }

  /**
   * What refers to a manifest, by the registry's API for it, or else by the tag that stands in for it (distribution-spec,
   * "Unavailable Referrers API"). A mirror that lists nothing has not answered: the next place is asked (V20).
   */
  async #referrers(digest: Digest, options: FetchOptions): Promise<readonly Descriptor[]> {
    const context = this.#context(options);
    try {
      const repositories = await this.#repositoriesFor("servesDigests", context);
      return await firstAnswerOf(repositories, this.#client, context, async (repository, isLast) => {
        const request = { digest, limits: this.#options.limits };
        const listed = await fetchReferrers(this.#client, repository, request, context, isLast ? undefined : 0);
        if (listed.length > 0 || isLast) return listed;
        throw new RequestFailure("NOT_FOUND", `${repository.base.host} lists no referrers`, {
          host: repository.base.host,
        });
      });
    } catch (problem) {
      if (!isNotThere(problem)) throw this.#cannotFetch(digest, digest, problem);
    }
    const document = await this.#tagged(referrersTag(digest), options);
    if (document === undefined) return [];
    const listed = parseDocument(document.bytes, { contentType: document.mediaType });
    return listed.kind === "index" ? listed.manifests : [];
  }

  #locationsOf(descriptor: Descriptor, repositories: readonly Repository[]): readonly BlobLocation[] {
    const locations = repositories.map((repository) => locationAt(repository, descriptor, this.#client));
    return this.#options.foreignLayers ? [...locations, ...foreignLocations(descriptor, this.#client)] : locations;
  }

  async #repositoriesFor(need: "resolvesTags" | "servesDigests", context: CallContext): Promise<readonly Repository[]> {
    this.#repositories ??= await this.#finding.join(context.signal, (signal) =>
      this.#foundRepositories(context.under(signal)),
    );
    return this.#repositories.filter(({ endpoint }) => endpoint[need]);
  }

  #foundRepositories(context: CallContext): Promise<readonly Repository[]> {
    context.decided("reference", `"${this.#written}" is ${this.name}`);
    return repositoriesOf(this.#reference, this.#client, this.#options, context);
  }

  #context({ signal, onEvent }: FetchOptions): CallContext {
    return new CallContext(signal, this.#client.secrets, this.#options.onEvent, onEvent);
  }

  #cannotFetch(reference: string, digest: Digest | undefined, problem: unknown): unknown {
    const { registry, path } = this.#reference;
    const name = `${registry}/${path}${reference.includes(":") ? "@" : ":"}${reference}`;
    return cannot(`fetch ${name}`, problem, { registry, digest, secrets: this.#client.secrets });
  }
}

function isNotThere(problem: unknown): boolean {
  return problem instanceof RequestFailure && problem.details.status === 404;
}

const emptyJson = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/**
 * Content that need not be fetched: it is in the descriptor, or its size or digest tells it (image-spec, manifest.md,
 * "Guidance for an Empty Descriptor").
 */
function knownContent({ data, digest, sizeBytes }: Descriptor): Uint8Array | undefined {
  if (data !== undefined && data.length === sizeBytes) return data;
  if (sizeBytes === 0) return new Uint8Array();
  return digest === emptyJson && sizeBytes === 2 ? Buffer.from("{}") : undefined;
}
