import { resolve } from "node:path";
import { pathOf } from "../base/option-checks.ts";
import { AddedLayer } from "../operation/added-layer.ts";
import type { EventLog } from "../operation/event-log.ts";
import { Operation } from "../operation/operation.ts";
import { type UnpackOptions, type UnpackResult, unpackKinds } from "../operation/options.ts";
import { Target } from "../output/new-directory.ts";
import { NewFile } from "../output/new-file.ts";
import { insistOnLinux } from "../system/lack.ts";
import { isWhole } from "../tree/selection.ts";
import type { Pipeline } from "../worker/pipeline.ts";
import { applyLayers, applySelected } from "./apply-layers.ts";
import { documentsOf } from "./documents.ts";
import type { RootToBe } from "./kept-root.ts";
import type { MtreeJob } from "./mtree-job.ts";
import { DirectRoot, type MadeRoot, type RootMaker } from "./root-maker.ts";

/**
 * Downloads an image and unpacks it: its root filesystem into `directory/rootfs`, its configuration, byte for byte,
 * into `directory/config.json`.
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
  await using operation = Operation.begin(name, options, unpackKinds);
  insistOnLinux("unpack an image into a directory");
  const { settings, events } = operation;
  await using added = await AddedLayer.open(options.add, options.sourceDateEpoch);
  const mtreePath = options.mtree === undefined ? undefined : pathOf("mtree", options.mtree);
  await using target = await Target.claim(pathOf("directory", directory));
  await using mtree = mtreePath === undefined ? undefined : await NewFile.open(mtreePath);
  const { directory: beside, staging } = target;
  await using root = await rootMaker(operation, options, { staging, mtree, added });
  const source = await operation.source();
  await root.begin();
  const accepted = added.onTopOf(await operation.resolve(source));

  const { image } = accepted;
  const apply = async (pipeline: Pipeline, staging: string) => {
    const unpacking = { pipeline, directory: beside, staging, isRecorded: mtree !== undefined };
    const applying = isWhole(settings.selection) ? applyLayers : applySelected;
    const applied = await applying(operation, accepted, unpacking);
    if (mtree !== undefined) await writeMtree(mtree, pipeline, events);
    return applied;
  };
  let made: MadeRoot;
  try {
    made = await root.make(accepted, apply);
    operation.signal.throwIfAborted();
    const documents = await documentsOf(image, staging, options, events);
    await target.commit(documents, { between: async () => mtree?.commit() });
  } catch (error) {
    await mtree?.retract();
    await root.discard();
    throw error;
  }
  return {
    ...operation.finish(image, target.rootfs),
    rootfs: target.rootfs,
    config: target.config,
    ...(mtreePath !== undefined && { mtree: resolve(mtreePath) }),
    ...made,
    ...events.summary(),
  };
}

async function rootMaker(
  operation: Operation,
  { keep, clone }: UnpackOptions,
  wanted: Omit<RootToBe, "clone">,
): Promise<RootMaker> {
  if (keep !== true && clone === undefined) return new DirectRoot(operation, wanted.staging);
  const { KeptRoot } = await import("./kept-root.ts");
  return new KeptRoot(operation, { ...wanted, clone });
}

async function writeMtree(file: NewFile, pipeline: Pipeline, { report, signal }: EventLog): Promise<void> {
  const receiver = { take: (bytes: Uint8Array) => file.write(bytes), onReport: report, signal };
  await pipeline.receive((outlet): MtreeJob => ({ type: "mtree", outlet }), receiver);
}
