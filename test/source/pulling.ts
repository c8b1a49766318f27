import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import type { OciUnpackError } from "../../src/base/errors.ts";
import { isOciUnpackError } from "../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import type { ImageSource, Source } from "../../src/blob/image-source.ts";
import type { RegistryOptions } from "../../src/registry/options.ts";
import { registrySource } from "../../src/registry/registry.ts";
import {
  described,
  type RegistryDouble,
  type RegistryDoubleOptions,
  type StoredDescriptor,
  startRegistry,
} from "../support/registry-double.ts";

/** Waits short enough for tests, and everything that a client told. */
export interface Puller extends AsyncDisposable {
  readonly source: Source;
  readonly events: OciUnpackEvent[];
  image(name: string): ImageSource;
  /** The events of one type. */
  told<Type extends OciUnpackEvent["type"]>(type: Type): Extract<OciUnpackEvent, { type: Type }>[];
}

export function puller(options: RegistryOptions = {}): Puller {
  const events: OciUnpackEvent[] = [];
  const source = registrySource({
    ...options,
    deadlines: {
      backoffMilliseconds: 1,
      stallMilliseconds: 20_000,
      responseMilliseconds: 20_000,
      ...options.deadlines,
    },
    onEvent: (event) => events.push(event),
  });
  return {
    source,
    events,
    image: (name) => source.image(name),
    told: <Type extends OciUnpackEvent["type"]>(type: Type) =>
      events.filter((event): event is Extract<OciUnpackEvent, { type: Type }> => event.type === type),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** A registry with one image, `a/b:latest`, of one blob. */
export interface OneImage extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly layer: StoredDescriptor;
  readonly content: Buffer;
  readonly manifest: StoredDescriptor;
  /** `host/a/b` */
  readonly name: string;
}

export async function oneImage(options: RegistryDoubleOptions = {}, sizeBytes = 100_000): Promise<OneImage> {
  const registry = await startRegistry(options);
  const content = distinctBytes(sizeBytes);
  const layer = registry.addBlob(content);
  const manifest = registry.addManifest("a/b", "latest", { schemaVersion: 2, config: layer, layers: [layer] });
  const dispose = () => registry[Symbol.asyncDispose]();
  return { registry, layer, content, manifest, name: `${registry.host}/a/b`, [Symbol.asyncDispose]: dispose };
}

/** All bytes of a blob, copied while they are lent. */
export async function blob(image: ImageSource, descriptor: StoredDescriptor, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const options = { lends: true, ...(signal !== undefined && { signal }) };
  for await (const chunk of image.blob(described(descriptor), options)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The error that a promise must end with. */
export async function failure(promise: Promise<unknown>): Promise<OciUnpackError> {
  try {
    await promise;
  } catch (error) {
    if (isOciUnpackError(error)) return error;
    throw error;
  }
  return assert.fail("it succeeded");
}

/** Bytes without any pattern, so that no part can be taken for another; the same ones for the same seed. */
export function distinctBytes(size: number, seed = 1): Buffer {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

/** The paths that were asked for, without the repository. */
export function asked(registry: RegistryDouble): string[] {
  return registry.requests.map(
    ({ method, path }) => `${method} ${path.replace(/\/v2\/.+\/(manifests|blobs)\//, "$1/")}`,
  );
}
