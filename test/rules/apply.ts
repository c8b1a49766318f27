import { closeSync, constants, existsSync, mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ErrorCode, isOciUnpackError } from "../../src/base/errors.ts";
import type { SkipReason, WarningCode } from "../../src/base/events.ts";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import type { ApplyOptions } from "../../src/layer/settings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { sourceOf } from "../model/archive.ts";
import type { Listing } from "../model/listing.ts";
import { removeTree } from "../support/remove-tree.ts";
import { readTree } from "./real-tree.ts";

export interface Application {
  readonly options?: ApplyOptions;
  readonly strict?: boolean;
  readonly limits?: Partial<Limits>;
  /** Looks at the tree before it goes. */
  readonly also?: ((rootfs: string) => void) | undefined;
}

/** What came of layers, told so that two outcomes can be compared. */
export interface Applied {
  /** The tree, or the code of the error that ended everything. */
  readonly outcome: Listing | ErrorCode;
  /** What went wrong, for people. */
  readonly message?: string;
  readonly warnings: readonly WarningCode[];
  readonly skipped: readonly SkipReason[];
}

/**
 * Applies uncompressed layers to a real directory, with the program's own decoder and its own way to the file system,
 * in this process: what the confined threads do, without the threads.
 */
export function applied(layers: readonly Uint8Array[], application: Application = {}): Applied {
  const directory = mkdtempSync(join(roomyDirectory, "oci-unpack-rules-"));
  const warnings = new Set<WarningCode>();
  const skipped = new Set<SkipReason>();
  try {
    const failure = failureOf(() => apply(layers, directory, application, { warnings, skipped }));
    const notes = { warnings: [...warnings].sort(), skipped: [...skipped].sort() };
    if (failure !== undefined) return { outcome: failure.code, message: failure.message, ...notes };
    application.also?.(directory); // first, since reading a tree changes its access times
    return { outcome: readTree(directory), ...notes };
  } finally {
    removeTree(directory);
  }
}

/** Memory where there is some: the rules are not about disks. */
const roomyDirectory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

interface Notes {
  readonly warnings: Set<WarningCode>;
  readonly skipped: Set<SkipReason>;
}

function apply(layers: readonly Uint8Array[], directory: string, application: Application, notes: Notes): void {
  const { strict = false, options } = application;
  const limits = { ...defaultLimits, ...application.limits };
  const warning = (code: WarningCode) => void notes.warnings.add(code);
  const reporter = { warning, skipped: (_path: unknown, reason: SkipReason) => void notes.skipped.add(reason) };
  const settings = applySettings({ owner: "preserve", ...options, strict, limits });
  const handle = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const rootfs = openRootfs(handle, settings, reporter);
    try {
      for (const [index, layer] of layers.entries()) {
        const decoder = new TarDecoder(sourceOf(layer), { limits, strict, warning });
        const applier = rootfs.beginLayer(index);
        for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) applier.apply(entry, decoder);
        applier.end();
      }
      rootfs.finish();
    } finally {
      rootfs.close();
    }
  } finally {
    closeSync(handle);
  }
}

function failureOf(work: () => void): { readonly code: ErrorCode; readonly message: string } | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isOciUnpackError(error)) return error;
    throw error;
  }
}
