import type { Limits } from "../base/limits.ts";
import { version } from "../base/version.ts";
import type { Image } from "../image/resolve.ts";
import type { AddedLayer } from "./added-layer.ts";
import type { UnpackSettings } from "./options.ts";

/**
 * Limits for what comes before the layers, which is looked at again each time, and one that only says how fast they may
 * come.
 */
const limitsOfDocuments: readonly string[] = [
  "manifestBytes",
  "configBytes",
  "layers",
  "indexDepth",
  "referrers",
  "referrersPages",
  "referrersBytes",
  "signatures",
  "signatureBytes",
  "parallelDownloads",
  "downloadBytes",
] satisfies readonly (keyof Limits)[];

/**
 * All that decides what becomes of an image, in whichever form: for the key under which that is kept.
 *
 * `strict`, the sandbox and the limits are among it, though they change no byte: whoever allows less has to get the error
 * that is due, and not what somebody else has let pass.
 */
export function decisive(settings: UnpackSettings, image: Image, added: AddedLayer): object {
  const { limits, ...apply } = settings.apply;
  return {
    version: version(),
    digest: image.digest,
    platform: image.platform,
    selection: settings.selection,
    isPartial: settings.isPartial || undefined,
    added: added.digest,
    sandbox: settings.sandbox,
    apply,
    limits: Object.entries(limits).filter(([name]) => !limitsOfDocuments.includes(name)),
  };
}
