import { resolve } from "node:path";
import { unlessAborted } from "../base/abort.ts";
import { check, checkOptions, pathOf, text } from "../base/option-checks.ts";
import { type Image, resolveImage } from "../image/resolve.ts";
import { EventLog } from "../operation/event-log.ts";
import { numberedLayers, resolved } from "../operation/fetch-layers.ts";
import { unpackKinds } from "../operation/option-kinds.ts";
import type { UnpackOptions, UnpackResult } from "../operation/options.ts";
import { settle } from "../operation/settings.ts";
import { type Documents, Target } from "../output/new-directory.ts";
import { NewFile } from "../output/new-file.ts";
import { openSource } from "../source/default-source.ts";
import { isWhole } from "../tree/selection.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { Progress } from "../worker/progress.ts";
import { fetchAndApply } from "./apply-layers.ts";
import { fetchAndApplySelected, type SelectedOutcome } from "./apply-selected.ts";
import type { MtreeJob } from "./mtree-job.ts";

/**
 * Downloads an image and unpacks it: its root filesystem into `directory/rootfs`, its configuration, byte for byte, into
 * `directory/config.json`.
 *
 * `directory` must be absent or empty. Both appear when every digest, size and diffID was right, `config.json` last;
 * whatever goes wrong before, nothing is left behind.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function unpack(
  name: string,
  directory: string | URL,
  options: UnpackOptions = {},
): Promise<UnpackResult> {
  const startedAt = performance.now();
  check("name", name, text);
  checkOptions(options, unpackKinds);
  const mtreePath = options.mtree === undefined ? undefined : pathOf("mtree", options.mtree);
  const settings = settle(options);
  const account = new EventLog(options);
  account.signal.throwIfAborted();

  await using opened = openSource(name, options);
  await using target = await Target.claim(pathOf("directory", directory));
  await using mtree = mtreePath === undefined ? undefined : await NewFile.open(mtreePath);
  await using pipeline = new Pipeline(settings.apply.limits); // while the source is opened and the network asked, the threads start
  const source = (await unlessAborted(opened.source, account.signal)).image(name);
  const image = await resolveImage(source, { ...options, signal: account.signal, onEvent: account.tell });
  const layers = numberedLayers(image);
  account.tell(resolved(image));

  const progress = Progress.forLayers(image.layers.length);
  let fetched: Partial<SelectedOutcome> = {};
  try {
    const { directory, staging } = target;
    const unpacking = {
      ...{ image, layers, source, directory, staging, pipeline, progress, account, settings },
      isRecorded: mtree !== undefined,
    };
    if (isWhole(settings.selection)) fetched = { storedBytes: await fetchAndApply(unpacking) };
    else fetched = await fetchAndApplySelected(unpacking);
    if (mtree !== undefined) await writeMtree(mtree, pipeline, account);
    account.signal.throwIfAborted();
    const documents = await documentsOf(image, staging, options.bundle, account);
    await target.commit(documents, { between: async () => mtree?.commit() });
  } catch (error) {
    await mtree?.retract();
    await pipeline.discard(target.staging, settings.sandbox);
    throw error;
  }

  const { storedBytes = 0, keptEntries } = fetched;
  const totals = progress.totals();
  const milliseconds = performance.now() - startedAt;
  account.tell({ type: "finished", digest: image.digest, output: target.rootfs, milliseconds });
  return {
    reference: image.reference,
    digest: image.digest,
    platform: image.platform,
    rootfs: target.rootfs,
    config: target.config,
    ...(mtreePath !== undefined && { mtree: resolve(mtreePath) }),
    layers: image.layers.length,
    ...totals,
    ...(keptEntries !== undefined && { keptEntries }),
    downloadedBytes: totals.downloadedBytes - storedBytes,
    ...account.summary(),
    milliseconds,
  };
}

async function documentsOf(
  image: Image,
  staging: string,
  bundle: UnpackOptions["bundle"],
  account: EventLog,
): Promise<Documents> {
  if (bundle === undefined || bundle === false) return { "config.json": image.configBytes };
  const { bundleOf } = await import("../bundle/bundle.ts");
  const { config, leftOut } = bundleOf(image.config, staging, bundle === true ? undefined : bundle);
  if (leftOut.length > 0) account.tell({ type: "warning", code: "LABEL_LEFT_OUT", message: labelsLeftOut(leftOut) });
  return { "image-config.json": image.configBytes, "config.json": config };
}

function labelsLeftOut(labels: readonly string[]): string {
  const shown = labels.slice(0, 3).map((label) => `"${label.slice(0, 100)}"`);
  const others = labels.length - shown.length;
  const names = `${shown.join(", ")}${others === 0 ? "" : ` and ${others} more`}`;
  return `labels that a runtime would obey are no annotations of the bundle: ${names}`;
}

async function writeMtree(file: NewFile, pipeline: Pipeline, { report, signal }: EventLog): Promise<void> {
  const pouring = { take: (bytes: Uint8Array) => file.write(bytes), onReport: report, signal };
  await pipeline.pour((outlet): MtreeJob => ({ type: "mtree", outlet }), pouring);
}
