import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { together } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import type { OciUnpackEvent } from "../base/events.ts";
import { boolean, count, invalidOption, type Kinds, pathOrStream, word } from "../base/option-checks.ts";
import { type CopyForm, copyForms } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { LayerFetch } from "../blob/fetch.ts";
import { type ResolvedImage, type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { Digest } from "../oci/digest.ts";
import { documentKind } from "../oci/media-type.ts";
import { formatPlatform, type Platform, unknown } from "../oci/platform.ts";
import { ProgressTicker } from "../operation/event-log.ts";
import type { ResolvedEvent } from "../operation/image-layers.ts";
import { Operation } from "../operation/operation.ts";
import type { OperationResult } from "../operation/options.ts";
import { NewFile, StreamOutput } from "../output/new-file.ts";
import { blobPath } from "../source/local/image-files.ts";
import { Progress } from "../worker/progress.ts";
import { ArchiveOutput } from "./archive-output.ts";
import type { CopyOutput } from "./copy-output.ts";
import { type ImageContents, oneImage, wholeImage } from "./image-contents.ts";
import { smallFiles } from "./layout-files.ts";
import { LayoutOutput } from "./layout-output.ts";
import { RecordedImage } from "./recorded-image.ts";
import { type SignatureContext, withSignatures } from "./signatures.ts";

export interface CopyOptions extends ResolveOptions {
  /** An OCI image layout in a directory or in an archive, or what `docker load` reads. Default: "layout". */
  readonly form?: CopyForm;
  /** Copies the image for all its platforms, with all that its index lists, instead of one. Default: false. */
  readonly allPlatforms?: boolean;
  /**
   * Copies what is stored as signatures and attestations along, so that they can be verified where the copy is. Nothing of
   * that is verified by it. If the index that leads to the manifest is signed, the copy has that index too, and its name
   * stands for it. Not with the form "docker-archive". Default: false.
   */
  readonly signatures?: boolean;
  /** Seconds since 1970 as the time of every file in an archive. Default: 0. */
  readonly sourceDateEpoch?: number;
}

const copyKinds: Kinds<CopyOptions> = {
  ...resolveKinds,
  form: word(...copyForms),
  allPlatforms: boolean,
  signatures: boolean,
  sourceDateEpoch: count,
};

/** What a copy is of, and where it is. */
export interface CopyResult extends Omit<OperationResult, "platform"> {
  /** The digest of what was copied: of a manifest, or with `allPlatforms` of the index. The copy has the same. */
  readonly digest: Digest;
  /** Absent with `allPlatforms`, and for an artifact that is for none. */
  readonly platform?: Platform;
  /** How many layers were copied, those that images share counted once. */
  readonly layers: number;
  /** How many blobs were copied: layers, configurations, and what else an index lists. */
  readonly blobs: number;
  /** How many signatures and attestations came along; absent where they were not asked for. */
  readonly signatures?: number;
  /** Bytes of blobs that came over the network. */
  readonly downloadedBytes: number;
}

/**
 * Copies an image, or an artifact, as it is: every document and blob verified, and byte for byte the same.
 *
 * `destination` is a directory, absent or empty, for a layout; for an archive a file that does not exist yet, or a stream.
 * Whatever goes wrong, no part of a copy is left behind, except in a stream.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function copy(
  name: string,
  destination: string | URL | Writable,
  options: CopyOptions = {},
): Promise<CopyResult> {
  await using operation = Operation.begin(name, options, copyKinds);
  const { form = "layout", allPlatforms = false, signatures = false, sourceDateEpoch = 0 } = options;
  if (signatures && form === "docker-archive") {
    throw invalidOption("signatures", "a docker archive has no place for them", "choose the form oci-archive");
  }
  const target = pathOrStream("destination", destination);
  const source = new RecordedImage(await operation.source());
  await using output = await openOutput(target, form, { sourceDateEpoch, signal: operation.signal });
  const chosen = await (allPlatforms ? wholeImage : oneImage)(source, operation.resolveOptions);
  const { top, image, layerCount } = chosen;
  await operation.accept(source, ...resolvedContents(source.name, chosen));
  const contents = signatures ? await withSignatures(chosen, signatureContext(operation, source)) : chosen;

  for (const { path, bytes } of smallFiles(source, contents, form)) await output.add(path, bytes.length, [bytes]);
  const downloadedBytes = await copyBlobs(operation, { source, contents, output });
  operation.signal.throwIfAborted();
  await output.commit();
  const milliseconds = operation.tellFinished(top.digest, typeof target === "string" ? resolve(target) : "-");
  return {
    reference: source.name,
    digest: top.digest,
    ...present({ platform: image?.platform }),
    layers: layerCount,
    ...operation.verified,
    milliseconds,
    blobs: contents.blobs.length,
    ...present({ signatures: contents.signatures?.reduce((sum, { manifest }) => sum + manifest.layers.length, 0) }),
    downloadedBytes,
  };
}

function signatureContext({ events, settings }: Operation, source: RecordedImage): SignatureContext {
  return { source, limits: settings.apply.limits, signal: events.signal, onEvent: events.tell };
}

async function openOutput(
  destination: string | Writable,
  form: CopyForm,
  { sourceDateEpoch, signal }: { readonly sourceDateEpoch: number; readonly signal: AbortSignal },
): Promise<CopyOutput> {
  const isPath = typeof destination === "string";
  if (form !== "layout") {
    const bytes = isPath ? await NewFile.open(destination) : new StreamOutput(destination, signal);
    return new ArchiveOutput(bytes, sourceDateEpoch);
  }
  if (isPath) return await LayoutOutput.open(destination);
  throw new OciUnpackError("INVALID_OPTION", "cannot copy into a stream: a layout is a directory", {
    hint: "choose the form oci-archive",
  });
}

interface Copying {
  readonly source: RecordedImage;
  readonly contents: ImageContents;
  readonly output: CopyOutput;
}

/** Downloads blobs side by side and writes them one after the other. Gives how many bytes came over the network. */
async function copyBlobs({ events, settings }: Operation, { source, contents, output }: Copying): Promise<number> {
  const { blobs, layerCount } = contents;
  // What events tell of layers is not true of configurations.
  const tell = (event: OciUnpackEvent) => {
    if (!("layer" in event) || event.layer === undefined || event.layer < layerCount) events.tell(event);
  };
  const progress = Progress.forLayers(blobs.length);
  await using fetch = new LayerFetch(source, blobs, {
    parallelDownloads: settings.apply.limits.parallelDownloads,
    waiting: output.temporaryDirectory,
    onEvent: tell,
    onProgress: (blob, bytes) => progress.setDownloadedBytes(blob, bytes),
  });
  using _ticker = new ProgressTicker(blobs, progress, tell);
  await together(events.signal, [
    (signal) => fetch.run(signal),
    async () => {
      for (const [index, { digest, sizeBytes }] of blobs.entries()) {
        await output.add(blobPath(digest), sizeBytes, fetch.layer(index));
      }
    },
  ]);
  return progress.totals().downloadedBytes - fetch.storedBytes;
}

/** What there is to decide about, and to tell. */
function resolvedContents(reference: string, contents: ImageContents): [ResolvedImage, ResolvedEvent] {
  const { top, image, instances, blobs, layerCount } = contents;
  const layers = blobs.slice(0, layerCount).map(({ digest, sizeBytes }) => ({ digest, sizeBytes }));
  const totalBytes = blobs.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const { platform: own } = image ?? {};
  const platform = image === undefined ? "all platforms" : own === undefined ? unknown : formatPlatform(own);
  const { digest, mediaType } = top;
  const indexDigest = documentKind(mediaType) === "index" ? digest : undefined;
  return [
    image ?? present({ reference, digest, indexDigest, instances }),
    { type: "resolved", reference, digest, platform, layers, totalBytes },
  ];
}
