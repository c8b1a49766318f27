import type { Writable } from "node:stream";
import { together } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import type { OciUnpackEvent } from "../base/events.ts";
import { settleLimits } from "../base/limits.ts";
import { boolean, check, checkOptions, count, type Kinds, pathOrStream, text, word } from "../base/option-checks.ts";
import { LayerFetch } from "../blob/fetch.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { Digest } from "../oci/digest.ts";
import { EventLog } from "../operation/event-log.ts";
import { ProgressTicker } from "../operation/progress-ticker.ts";
import { NewFile, StreamOutput } from "../output/new-file.ts";
import { openSource } from "../source/default-source.ts";
import { blobPath } from "../source/local/documents.ts";
import { Progress } from "../worker/progress.ts";
import { ArchiveOutput } from "./archive-output.ts";
import { type ImageContents, oneImage, wholeImage } from "./contents.ts";
import { type CopyForm, copyForms, smallFiles } from "./files.ts";
import { LayoutOutput } from "./layout-output.ts";
import type { CopyOutput } from "./output.ts";
import { RecordedImage } from "./recorded-image.ts";

export interface CopyOptions extends ResolveOptions {
  /** An OCI image layout in a directory or in an archive, or what `docker load` reads. Default: "layout". */
  readonly form?: CopyForm;
  /** Copies the image for all its platforms, with all that its index lists, instead of one. Default: false. */
  readonly allPlatforms?: boolean;
  /** Seconds since 1970 as the time of every file in an archive. Default: 0. */
  readonly sourceDateEpoch?: number;
}

const copyKinds: Kinds<CopyOptions> = {
  ...resolveKinds,
  form: word(...copyForms),
  allPlatforms: boolean,
  sourceDateEpoch: count,
};

export interface CopyResult {
  /** The canonical name of what was asked for. */
  readonly reference: string;
  /** The digest of what was copied: of a manifest, or with `allPlatforms` of the index. The copy has the same. */
  readonly digest: Digest;
  readonly blobs: number;
  /** Bytes of blobs that came over the network. */
  readonly downloadedBytes: number;
  readonly milliseconds: number;
}

/**
 * Copies an image as it is: every document and blob verified, and byte for byte the same.
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
  const startedAt = performance.now();
  check("name", name, text);
  checkOptions(options, copyKinds);
  const target = pathOrStream("destination", destination);
  const account = new EventLog(options);
  const { form = "layout" } = options;
  account.signal.throwIfAborted();
  await using opened = openSource(name, options);
  const source = new RecordedImage((await opened.source).image(name));
  await using output = await openOutput(target, form, { account, options });
  const ask = options.allPlatforms ? wholeImage : oneImage;
  const contents = await ask(source, { ...options, signal: account.signal, onEvent: account.tell });
  account.tell(resolved(source.name, contents));
  for (const { path, bytes } of smallFiles(source.name, contents, form)) await output.add(path, bytes.length, [bytes]);
  const downloadedBytes = await copyBlobs({ source, contents, output, account, options });
  account.signal.throwIfAborted();
  await output.commit();
  return {
    reference: source.name,
    digest: contents.top.digest,
    blobs: contents.blobs.length,
    downloadedBytes,
    milliseconds: performance.now() - startedAt,
  };
}

async function openOutput(
  destination: string | Writable,
  form: CopyForm,
  { account, options }: Pick<Copying, "account" | "options">,
): Promise<CopyOutput> {
  const isPath = typeof destination === "string";
  if (form !== "layout") {
    const bytes = isPath ? await NewFile.open(destination) : new StreamOutput(destination, account.signal);
    return new ArchiveOutput(bytes, options.sourceDateEpoch ?? 0);
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
  readonly account: EventLog;
  readonly options: CopyOptions;
}

/** Downloads blobs side by side and writes them one after the other. Gives how many bytes came over the network. */
async function copyBlobs({ source, contents, output, account, options }: Copying): Promise<number> {
  const { blobs, layerCount } = contents;
  // What events tell of layers is not true of configurations.
  const tell = (event: OciUnpackEvent) => {
    if (!("layer" in event) || event.layer === undefined || event.layer < layerCount) account.tell(event);
  };
  const progress = Progress.forLayers(blobs.length);
  await using fetch = new LayerFetch(source, blobs, {
    parallelDownloads: settleLimits(options.limits).parallelDownloads,
    waiting: output.temporaryDirectory,
    onEvent: tell,
    onProgress: (blob, bytes) => progress.setDownloadedBytes(blob, bytes),
  });
  using _ticker = new ProgressTicker(blobs, progress, tell);
  await together(account.signal, [
    (signal) => fetch.run(signal),
    async () => {
      for (const [index, { digest, sizeBytes }] of blobs.entries()) {
        await output.add(blobPath(digest), sizeBytes, fetch.layer(index));
      }
    },
  ]);
  return progress.totals().downloadedBytes - fetch.storedBytes;
}

function resolved(reference: string, { top, platform, blobs, layerCount }: ImageContents) {
  const layers = blobs.slice(0, layerCount).map(({ digest, sizeBytes }) => ({ digest, sizeBytes }));
  const totalBytes = blobs.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return { type: "resolved", reference, digest: top.digest, platform, layers, totalBytes } as const;
}
