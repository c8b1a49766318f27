import { deferred, handedOver } from "../base/hand-over.ts";
import { check, checkOptions, text } from "../base/option-checks.ts";
import { Operation } from "../operation/operation.ts";
import { Pipeline } from "../worker/pipeline.ts";
import { compared, summary } from "./compared-image.ts";
import { configDifferences } from "./config-differences.ts";
import type { ImageDifference } from "./difference.ts";
import { FileComparison } from "./file-comparison.ts";
import { LayerMerging } from "./layer-merging.ts";
import {
  type ComparedImages,
  type DiffOptions,
  type DiffResult,
  diffKinds,
  type ImageComparison,
  oneImageKinds,
  optionsOfEach,
} from "./options.ts";

/**
 * Compares two images: how they are to be run, and all that is in them when their layers are merged. Files are compared
 * by the SHA-256 of their content, never by size or time. Nothing is unpacked.
 *
 * What only the second image has was added. Differences come in the order of their paths' bytes, one for each entry, when
 * all layers that were read are verified. Where the type differs, nothing is told of what is below.
 *
 * Who iterates slowly needs no more memory for it. Leaving the iteration early ends everything that was opened for it, and
 * rejects `result`.
 *
 * The iteration throws OciUnpackError, or the reason of `options.signal`.
 *
 * @throws OciUnpackError with `INVALID_OPTION`.
 */
export function diff(name1: string, name2: string, options: DiffOptions = {}): ImageComparison {
  check("name1", name1, text);
  check("name2", name2, text);
  const checked = checkOptions(options, diffKinds);
  const images = deferred<ComparedImages>();
  const batches = handedOver<readonly ImageDifference[], DiffResult>(async (give, stop) => {
    const signal = checked.signal === undefined ? stop : AbortSignal.any([checked.signal, stop]);
    try {
      return await compareImages([name1, name2], { ...checked, signal }, { give, tellImages: images.resolve });
    } catch (error) {
      images.reject(error);
      throw error;
    }
  });
  return { images: images.promise, result: batches.result, [Symbol.asyncIterator]: () => flattened(batches) };
}

async function* flattened<Value>(batches: AsyncIterable<readonly Value[]>): AsyncGenerator<Value> {
  for await (const batch of batches) yield* batch;
}

/** Who is given what a comparison finds. */
interface Takers {
  readonly give: (differences: readonly ImageDifference[]) => Promise<void>;
  readonly tellImages: (images: ComparedImages) => void;
}

async function compareImages(
  [name1, name2]: readonly [string, string],
  options: DiffOptions,
  { give, tellImages }: Takers,
): Promise<DiffResult> {
  const startedAt = performance.now();
  const [options1, options2] = optionsOfEach(options);
  await using operation1 = Operation.begin(name1, options1, oneImageKinds);
  await using operation2 = Operation.begin(name2, options2, oneImageKinds);
  await using pipeline = new Pipeline(operation1.settings.apply.limits, "tree-worker"); // while the network is asked
  // Both are known, and accepted, before the first byte of a layer is asked for.
  const first = await compared(operation1);
  const second = await compared(operation2);
  const config = configDifferences(first.accepted.image, second.accepted.image);
  const images = { from: summary(first), to: summary(second), config };
  tellImages(images);

  const merging = new LayerMerging(pipeline);
  const { path, ignore = [] } = options;
  const comparison = new FileComparison(first, second, { path, ignored: ignore, merging, give });
  const differenceCount = await comparison.run();
  const verified = [first, second].map(({ operation, accepted }) => operation.verifiedIn(accepted.image));
  for (const { operation, accepted } of [first, second]) operation.tellFinished(accepted.image.digest);
  return {
    ...images,
    from: { ...images.from, ...verified[0] },
    to: { ...images.to, ...verified[1] },
    same: config.length === 0 && differenceCount === 0,
    differenceCount,
    readLayers: merging.readLayers,
    fetchedBytes: first.documentBytes + second.documentBytes + merging.fetchedBytes,
    milliseconds: Math.round(performance.now() - startedAt),
  };
}
