import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { OverlayKind } from "../base/option-words.ts";
import { nobody } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { sharedByLayers } from "../rootfs/context.ts";
import { OverlayFormat } from "./overlay-format.ts";
import { OverlayLayer } from "./overlay-layer.ts";

/** Makes the only layer of an image that has none. */
export function makeEmptyLayer(path: string, kind: OverlayKind, settings: RootfsSettings): void {
  mkdirSync(path, { mode: 0o700 });
  makeRoot(join(path, "diff"), undefined, kind, settings);
}

/**
 * Makes a directory with the attributes of the layer's below, because the topmost directory's are those of the overlay.
 */
function makeRoot(path: string, below: string | undefined, kind: OverlayKind, settings: RootfsSettings): void {
  mkdirSync(path, { mode: 0o700 });
  const opened = [path, ...(below === undefined ? [] : [below])].map(openDirectoryPath);
  const [directory = -1, ...lower] = opened;
  const format = new OverlayFormat(kind);
  try {
    using layer = new OverlayLayer({
      directory,
      lower,
      format,
      settings,
      reporter: nobody,
      shared: sharedByLayers(settings.limits),
    });
    layer.end();
  } finally {
    for (const descriptor of opened) closeDescriptor(descriptor);
  }
}

/** Makes what an overlay needs besides its layers: a place for what is written, and one that only the kernel uses. */
export function makeUpper(directory: string, top: string, kind: OverlayKind, settings: RootfsSettings): void {
  makeRoot(join(directory, "upper"), top, kind, settings);
  mkdirSync(join(directory, "work"), { mode: 0o700 });
}
