import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** What the content elsewhere is: its type, digest and size (image-spec, descriptor.md). Parsed, so its digest is safe and its size a safe integer ≥ 0. */
export interface Descriptor {
  /** Lower case, without parameters. */
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** The content itself, already decoded; not yet verified. */
  readonly data?: Uint8Array;
  /** Where else the content may be had. Never contacted unless the caller allows foreign layers. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  /** Only in an index. */
  readonly platform?: Platform;
}
