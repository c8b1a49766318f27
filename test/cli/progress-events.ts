import type { OciUnpackEvent } from "../../src/index.ts";

/** The events of an image with layers of these sizes, up to the point where everything is known and nothing is here. */
export function resolved(...sizes: readonly number[]): OciUnpackEvent {
  return {
    type: "resolved",
    reference: "registry.example/app:1",
    digest: `sha256:${"0".repeat(64)}`,
    platform: "linux/amd64",
    layers: sizes.map((sizeBytes, layer) => ({ digest: `sha256:${String(layer).repeat(64)}`, sizeBytes })),
    totalBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

export function downloading(layer: number, bytes: number, totalBytes: number): OciUnpackEvent {
  return { type: "download-progress", layer, bytes, totalBytes };
}

export function started(layer: number): OciUnpackEvent {
  return { type: "layer-started", layer };
}

export function unpacking(layer: number, bytes: number, totalBytes: number, entries: number): OciUnpackEvent {
  return { type: "layer-progress", layer, bytes, totalBytes, entries };
}

export function unpacked(layer: number, entries: number): OciUnpackEvent {
  return { type: "layer-finished", layer, entries };
}
