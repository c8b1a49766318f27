import assert from "node:assert/strict";
import { type ImageInspection, inspect, type ResolveOptions } from "../../src/index.ts";

/** What `inspect` tells of a name that is an image's. */
export async function inspectImage(name: string, options?: ResolveOptions): Promise<ImageInspection> {
  const inspected = await inspect(name, options);
  assert.ok(inspected.kind === "image", `${name} is an artifact`);
  return inspected;
}
