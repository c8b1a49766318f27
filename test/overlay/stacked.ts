import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, isOciUnpackError } from "../../src/base/errors.ts";
import type { SkipReason, WarningCode } from "../../src/base/events.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import type { OverlayKind } from "../../src/base/option-words.ts";
import type { RootfsSettings } from "../../src/layer/settings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { OverlayFormat } from "../../src/overlay/overlay-format.ts";
import { OverlayLayer } from "../../src/overlay/overlay-layer.ts";
import { sharedByLayers } from "../../src/rootfs/context.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { sourceOf } from "../model/archive.ts";

export type StackedOptions = Partial<Omit<RootfsSettings, "limits">>;

/** What came of layers, each in a directory of its own. */
export interface Stacked {
  /** The layers' directories, topmost first, as `lowerdir` wants them. */
  readonly directories: readonly string[];
  /** The code of the error that ended everything. */
  readonly failure?: ErrorCode;
  readonly message?: string;
  readonly warnings: readonly WarningCode[];
  readonly skipped: readonly SkipReason[];
}

/** Makes directories of uncompressed layers, in this process: what the confined threads do, without the threads. */
export function stacked(
  layers: readonly Uint8Array[],
  destination: string,
  kind: OverlayKind,
  options: StackedOptions = {},
): Stacked {
  const warnings = new Set<WarningCode>();
  const skipped = new Set<SkipReason>();
  const directories: string[] = [];
  const failure = failureOf(() => makeLayers(layers, { destination, kind, options, directories, warnings, skipped }));
  return {
    directories,
    warnings: [...warnings].sort(),
    skipped: [...skipped].sort(),
    ...(failure && { failure: failure.code, message: failure.message }),
  };
}

interface Making {
  readonly destination: string;
  readonly kind: OverlayKind;
  readonly options: StackedOptions;
  readonly directories: string[];
  readonly warnings: Set<WarningCode>;
  readonly skipped: Set<SkipReason>;
}

function makeLayers(layers: readonly Uint8Array[], making: Making): void {
  const { destination, kind, options, directories } = making;
  const warning = (code: WarningCode) => void making.warnings.add(code);
  const reporter = { warning, skipped: (_path: unknown, reason: SkipReason) => void making.skipped.add(reason) };
  const limits = defaultLimits;
  const settings = applySettings({ owner: "preserve", ...options });
  const shared = sharedByLayers(limits);
  const handles: number[] = [];
  const lower: number[] = [];
  try {
    for (const [index, archive] of layers.entries()) {
      const path = join(destination, String(index));
      mkdirSync(path, { recursive: true });
      const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
      handles.push(directory);
      const format = new OverlayFormat(kind);
      using layer = new OverlayLayer({ directory, lower: [...lower], format, settings, reporter, shared });
      directories.unshift(path);
      const decoder = new TarDecoder(sourceOf(archive), { limits, strict: settings.strict, warning });
      for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) layer.apply(entry, decoder);
      layer.end();
      if (layer.hidesAll) lower.length = 0;
      lower.unshift(directory);
    }
  } finally {
    for (const handle of handles) closeSync(handle);
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
