import { count, type Kinds, pathOf } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { type Artifact, resolveArtifact, resolvedArtifact } from "../image/artifact.ts";
import type { ArtifactFile } from "../image/artifact-files.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import type { Platform } from "../oci/platform.ts";
import { fetchLayers, type LayerTotals } from "../operation/fetch-layers.ts";
import { numberedFiles, resolvedEvent } from "../operation/image-layers.ts";
import { Operation } from "../operation/operation.ts";
import { filesKinds, type OperationResult, type UnpackOptions, type UnpackResult } from "../operation/options.ts";
import { Target } from "../output/new-directory.ts";
import { lackOfLinux } from "../system/lack.ts";
import { discardFromThread } from "../worker/discarding.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import type { ArtifactJob } from "./artifact-job.ts";
import { chosenFiles } from "./chosen-files.ts";
import { archiveOfFile } from "./file-archive.ts";

export interface ArtifactOptions extends ResolveOptions, Pick<UnpackOptions, "include" | "exclude"> {
  /** Seconds since 1970 as the time of files and directories to which the artifact gives none. Default: now. */
  readonly sourceDateEpoch?: number;
}

const artifactKinds: Kinds<ArtifactOptions> = {
  ...resolveKinds,
  include: filesKinds.include,
  exclude: filesKinds.exclude,
  sourceDateEpoch: count,
};

/** What came of an artifact. */
export interface ArtifactResult
  extends Omit<OperationResult, "platform" | "layers">,
    LayerTotals,
    Pick<UnpackResult, "skipped" | "skippedCount" | "warnings" | "sandbox"> {
  /** Absent where no index states one. */
  readonly platform?: Platform;
  readonly artifactType: string;
  /** Absolute path of the directory with the files. */
  readonly directory: string;
  /** Absolute path of the manifest, byte for byte. */
  readonly manifest: string;
  /** Absolute path of the config, byte for byte; absent if it says nothing. */
  readonly config?: string;
  /** What was made of the layers. */
  readonly files: readonly ArtifactFile[];
}

/**
 * Downloads an artifact, and makes each of its layers a file in `directory/files`, with the name that the artifact gives
 * it; of a layer that is a directory, all that is in it. The manifest is `directory/manifest.json`, the config, unless it
 * is empty, `directory/config.json`.
 *
 * `directory` must be absent or empty. All of it appears when every digest and size was right; whatever goes wrong
 * before, nothing is left behind. The files belong to whoever calls.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function unpackArtifact(
  name: string,
  directory: string | URL,
  options: ArtifactOptions = {},
): Promise<ArtifactResult> {
  await using operation = Operation.begin(name, options, artifactKinds);
  const { settings, events } = operation;
  await using target = await Target.claim(pathOf("directory", directory));
  const hasLinux = lackOfLinux() === undefined;
  const consumer = hasLinux ? "apply-worker" : "files-worker";
  await using pipeline = new Pipeline(settings.apply.limits, consumer); // while the network is asked, the threads start
  const source = await operation.source();
  const artifact = await resolveArtifact(source, operation.resolveOptions);
  const files = chosenFiles(artifact.files, operation);
  const resolved = resolvedArtifact(artifact);
  const totalBytes = files.reduce((sum, { descriptor }) => sum + descriptor.sizeBytes, 0);
  await operation.accept(source, resolved, { ...resolvedEvent(resolved), totalBytes });

  let totals: LayerTotals;
  let config: Uint8Array | undefined;
  try {
    config = await artifact.config();
    const { sourceDateEpoch = Math.floor(Date.now() / 1000) } = options;
    const making = { artifact, files, target, pipeline, seconds: sourceDateEpoch };
    totals = await makeFiles(operation, { ...making, source });
    operation.signal.throwIfAborted();
    const documents = present({ "config.json": config, "manifest.json": artifact.manifestBytes });
    await target.commit(documents, { as: "files" });
  } catch (error) {
    const { staging } = target;
    await (hasLinux ? pipeline.discard(staging, settings.sandbox) : discardFromThread(staging, settings.sandbox));
    throw error;
  }
  const { reference, digest, artifactType, platform } = artifact;
  return {
    reference,
    digest,
    ...present({ platform }),
    artifactType,
    ...operation.verified,
    milliseconds: operation.tellFinished(digest, target.path("files")),
    directory: target.path("files"),
    manifest: target.path("manifest.json"),
    ...(config !== undefined && { config: target.config }),
    files,
    ...totals,
    ...events.summary(),
  };
}

interface Making {
  readonly artifact: Artifact;
  readonly files: readonly ArtifactFile[];
  readonly source: Awaited<ReturnType<Operation["source"]>>;
  readonly target: Target;
  readonly pipeline: Pipeline;
  /** The time of what has none. */
  readonly seconds: number;
}

/** Blobs come in, files come out; both at once, until all is verified. */
function makeFiles(
  operation: Operation,
  { artifact, files, source, target, pipeline, seconds }: Making,
): Promise<LayerTotals> {
  const { sandbox, apply, selection: wanted } = operation.settings;
  const { layers: blobs } = artifact.manifest;
  const layers = numberedFiles(files, blobs);
  const progress = Progress.forLayers(blobs.length);
  const settings = { ...apply, owner: "ignore", sourceDateEpoch: seconds, hasWhiteouts: false } as const;
  const asArchive = (layer: number, blob: AsyncIterable<Uint8Array>) => {
    const file = files.find(({ descriptor }) => descriptor === blobs[layer]);
    return file?.form === "file" ? archiveOfFile(file, seconds, blob) : blob;
  };
  const passesOn = files.every(({ form }) => form === "file");
  const job = { type: "artifact", progress: progress.shared, layers, passesOn, wanted, sandbox, settings } as const;
  return fetchLayers(
    operation,
    { image: { layers: blobs }, source, layers, blobs, progress },
    { pipeline, directory: target.directory, passesOn, asArchive },
    (input): ArtifactJob => ({ ...job, input, staging: target.staging }),
  );
}
