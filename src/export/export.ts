import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { Account } from "../account.ts";
import { openTemporaryFile } from "../blob/temporary-file.ts";
import { NewFile, StreamOutput } from "../copy/byte-outputs.ts";
import { fetchAndConsume, numberedLayers, resolved } from "../fetch-and-apply.ts";
import type { UnpackOptions, UnpackResult } from "../options.ts";
import { resolveImage } from "../resolve.ts";
import { settle } from "../settings.ts";
import { openSource } from "../source/default-source.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";

/** Of the options of an unpacking those that mean something where no files are made. Owners are always the image's. */
export type ExportOptions = Omit<UnpackOptions, "bundle" | "owner" | "recordOwners" | "uidMap" | "gidMap">;

export interface ExportResult extends Omit<UnpackResult, "rootfs" | "config"> {
  /** Absolute path of the file; absent where the archive went into a stream. */
  readonly file?: string;
  /** The size of what was written. */
  readonly bytes: number;
}

/**
 * Downloads an image and writes its root filesystem as one tar archive: layers merged, whiteouts resolved, every attribute
 * kept. The same image always makes the same bytes.
 *
 * `destination` is a file that does not exist yet, or a stream. Nothing is written before every digest, size and diffID
 * was right; meanwhile the data of files wait in an unnamed file beside the destination, or for a stream in the directory
 * for temporary files. Memory is needed for names and attributes alone.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function exportRootfs(
  name: string,
  destination: string | Writable,
  options: ExportOptions = {},
): Promise<ExportResult> {
  const startedAt = performance.now();
  const settings = settle(options);
  const account = new Account(options);
  account.signal.throwIfAborted();

  await using opened = openSource(name, options);
  const source = opened.source.image(name);
  const isPath = typeof destination === "string";
  await using output = isPath ? await NewFile.open(destination) : new StreamOutput(destination, account.signal);
  await using pipeline = new Pipeline("tree-worker"); // while the network is asked, the threads start
  const image = await resolveImage(source, { ...options, signal: account.signal, onEvent: account.tell });
  const layers = numberedLayers(image);
  account.tell(resolved(image));

  const { temporaryDirectory: directory } = output;
  await using contents = await openTemporaryFile(directory);
  const progress = Progress.forLayers(layers.length);
  const fetching = { image, layers, source, directory, pipeline, progress, account, settings };
  const storedBytes = await fetchAndConsume(fetching, (input) => ({
    ...{ type: "merge", input, progress: progress.shared, layers: layers.length, contents: contents.fd },
    ...{ sandbox: settings.sandbox, settings: settings.apply },
  }));
  let bytes = 0;
  const write = async (chunk: Uint8Array) => {
    bytes += chunk.length;
    // A file is written before the chunk is filled again; who reads a stream may hold on to what came out of it.
    await output.write(isPath ? chunk : Uint8Array.from(chunk));
  };
  await pipeline.pour((outlet) => ({ type: "archive", outlet }), write, account.signal);
  account.signal.throwIfAborted();
  await output.commit();

  const totals = progress.totals();
  const milliseconds = performance.now() - startedAt;
  const file = isPath ? resolve(destination) : undefined;
  account.tell({ type: "finished", digest: image.digest, rootfs: file ?? "-", milliseconds });
  return {
    reference: image.reference,
    digest: image.digest,
    platform: image.platform,
    ...(file !== undefined && { file }),
    bytes,
    layers: image.layers.length,
    ...totals,
    downloadedBytes: totals.downloadedBytes - storedBytes,
    ...account.summary(),
    milliseconds,
  };
}
