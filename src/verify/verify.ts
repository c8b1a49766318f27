import { tmpdir } from "node:os";
import { OciUnpackError } from "../base/errors.ts";
import { pathOf } from "../base/option-checks.ts";
import { parseConfig } from "../oci/config.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { fetchByIndexes } from "../operation/fetch-layers.ts";
import { Operation } from "../operation/operation.ts";
import { filesKinds, type OperationResult, type UnpackOptions } from "../operation/options.ts";
import { insistOnLinux } from "../system/lack.ts";
import type { EngineReport } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import type { Difference } from "./difference.ts";
import { recordedConfig, rootfsIn } from "./recorded-config.ts";
import type { VerifyJob, VerifyReport } from "./verify-job.ts";

/** Those that the image was unpacked with: they say what its files were to become. */
export type VerifyOptions = Omit<UnpackOptions, "add" | "bundle" | "mtree" | "keep" | "clone">;

export interface VerifyResult extends OperationResult {
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /** How many files and directories of the image were there. */
  readonly entries: number;
  /** The first ten thousand differences, or as many as have 16 MiB of paths, by path. */
  readonly differences: readonly Difference[];
  /** How many there were in all; 0 where the directory is what the image says. */
  readonly differenceCount: number;
}

/**
 * Compares the root filesystem that `unpack` made in a directory with the image `name`, down to the bytes and times of
 * files. Layers are verified as always and merged in memory; nothing is written.
 *
 * The configuration in the directory says which image was unpacked, so `name` must still stand for that one. It should
 * come from whoever is trusted, not from the directory: somebody who changes files can change the configuration too.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function verify(unpacked: string | URL, name: string, options: VerifyOptions = {}): Promise<VerifyResult> {
  await using operation = Operation.begin(name, options, filesKinds);
  insistOnLinux("compare a directory with an image");
  const { settings, events, signal } = operation;
  const directory = pathOf("directory", unpacked);
  const recorded = await recordedConfig(directory, settings.apply.limits);
  const { platform } = parseConfig(recorded);
  const rootfs = await rootfsIn(directory);
  await using pipeline = new Pipeline(settings.apply.limits, "verify-worker"); // while the network is asked, the threads start
  const accepted = await operation.resolve(await operation.source(), platform);

  const { image, progress } = accepted;
  insistOnConfig(directory, name, digestOf(recorded), image.manifest.config.digest);
  const findings = new Findings(events.report);
  await fetchByIndexes(
    operation,
    accepted,
    { pipeline, directory: tmpdir(), onReport: findings.report },
    (merged): VerifyJob => ({
      type: "verify",
      ...merged,
      progress: progress.shared,
      directory: rootfs,
      selection: settings.selection,
      sandbox: settings.sandbox,
      settings: settings.apply,
    }),
  );
  signal.throwIfAborted();
  return { ...operation.finish(image), rootfs, ...findings.summary() };
}

/** What the comparing thread found. */
class Findings {
  readonly #next: (report: EngineReport) => void;
  readonly #differences: Difference[] = [];
  #totals = { entries: 0, differences: 0 };

  /** All other reports are for `next`. */
  constructor(next: (report: EngineReport) => void) {
    this.#next = next;
  }

  readonly report = (report: EngineReport | VerifyReport): void => {
    if (report.type === "different") this.#differences.push(report.difference);
    else if (report.type === "compared") this.#totals = report;
    else this.#next(report);
  };

  summary(): Pick<VerifyResult, "entries" | "differences" | "differenceCount"> {
    const { entries, differences } = this.#totals;
    const sorted = this.#differences.sort((one, other) => (one.path < other.path ? -1 : 1));
    return { entries, differences: sorted, differenceCount: differences };
  }
}

function insistOnConfig(directory: string, name: string, found: Digest, expected: Digest): void {
  if (found === expected) return;
  throw new OciUnpackError(
    "DIGEST_MISMATCH",
    `cannot verify "${directory}": its configuration is ${found}, that of "${name}" is ${expected}`,
    { hint: "the name may stand for another image by now: name the one that was unpacked by its digest" },
  );
}
