import assert from "node:assert/strict";
import { closeSync, constants, existsSync, mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ErrorCode, isOciUnpackError } from "../../src/base/errors.ts";
import type { SkipReason, WarningCode } from "../../src/base/events.ts";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import type { ApplyOptions } from "../../src/layer/settings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { HandedFiles } from "../../src/rootfs/handed-files.ts";
import { openRootfs } from "../../src/rootfs/rootfs.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { sourceOf } from "../model/archive.ts";
import type { Listing } from "../model/listing.ts";
import { LateMakers } from "../support/late-makers.ts";
import { removeTree } from "../support/remove-tree.ts";
import { isThorough, releaseTurn } from "../support/thorough.ts";
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
 * in this process: what the confined threads do, without the threads. In every other call, files are made by others than
 * names; where everything is tried, both is tried, and has to come to the same.
 */
export function applied(layers: readonly Uint8Array[], application: Application = {}): Applied {
  turn += 1;
  const found = appliedOnce(layers, application, turn % 2 === 0);
  if (isThorough) assert.deepEqual(appliedOnce(layers, application, turn % 2 !== 0), found);
  return found;
}

let turn = releaseTurn;

function appliedOnce(layers: readonly Uint8Array[], application: Application, isHandedOn: boolean): Applied {
  const directory = mkdtempSync(join(roomyDirectory, "oci-unpack-rules-"));
  const warnings = new Set<WarningCode>();
  const skipped = new Set<SkipReason>();
  try {
    const failure = failureOf(() => apply(layers, directory, application, { warnings, skipped, isHandedOn }));
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
  readonly isHandedOn: boolean;
}

function apply(layers: readonly Uint8Array[], directory: string, application: Application, notes: Notes): void {
  const { strict = false, options } = application;
  const limits = { ...defaultLimits, ...application.limits };
  const warning = (code: WarningCode) => {
    handed?.settle();
    notes.warnings.add(code);
  };
  const skipped = (_path: unknown, reason: SkipReason) => {
    handed?.settle();
    notes.skipped.add(reason);
  };
  let handed: HandedFiles | undefined;
  const settings = applySettings({ owner: "preserve", ...options, strict, limits });
  const handle = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    using late = notes.isHandedOn ? new LateMakers(handle, settings) : undefined;
    handed = late && new HandedFiles(late, { warning, skipped });
    const rootfs = openRootfs(handle, settings, { warning, skipped }, { handed });
    const applyAll = () => {
      for (const [index, layer] of layers.entries()) {
        const decoder = new TarDecoder(sourceOf(layer), { limits, strict, warning });
        const applier = rootfs.beginLayer(index);
        for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) applier.apply(entry, decoder);
        applier.end();
      }
      rootfs.finish();
    };
    try {
      if (handed === undefined) applyAll();
      else handed.inOrder(applyAll);
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
